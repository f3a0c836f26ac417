#include "sync/meant.h"

#include "proto/schema.h"
#include "storage/erasure.h"
#include "storage/log.h"

bool meant_key(const struct ref *ref, struct record_key *record)
{
    if (ref->kind == 0 || ref->kind > KIND_MAX || ref->id.n != ID_SIZE)
        return false;
    record->kind = ref->kind;
    memcpy(record->id, ref->id.p, ID_SIZE);
    return true;
}

bool meant_record(const struct meant *meant, const struct record_key *record)
{
    if (!meant->records)
        return closed_get(meant->txn, meant->community, record);
    for (size_t i = 0; i < meant->records->n; i++) {
        const struct ref *ref = LIST_AT(struct ref, *meant->records, i);
        if (ref->kind == record->kind && bytes_equal(ref->id, BYTES(record->id)))
            return true;
    }
    return false;
}

static bool person_is_meant(const struct meant *meant, struct bytes id)
{
    struct record_key person;
    return meant_key(&(struct ref){KIND_PERSON, id}, &person) && meant_record(meant, &person);
}

static bool subject_is_meant(const struct meant *meant, struct bytes part)
{
    struct record_key subject;
    if (part.n != 4 + ID_SIZE)
        return false;
    struct ref ref = {be32_get(part.p), bytes_of(part.p + 4, ID_SIZE)};
    return meant_key(&ref, &subject) && meant_record(meant, &subject);
}

bool meant_voice(const struct meant *meant, const struct envelope *envelope, bool subjects)
{
    if (envelope->kind != KIND_VOICE || envelope->parts.n != 2)
        return false;
    return person_is_meant(meant, *LIST_AT(struct bytes, envelope->parts, 1)) ||
           (subjects && subject_is_meant(meant, *LIST_AT(struct bytes, envelope->parts, 0)));
}

bool meant_speaker(const struct meant *meant, uint64_t position)
{
    struct log_body body;
    struct wire_field field;
    if (log_get_body(meant->txn, meant->community, position, &body))
        return false;
    struct wire_reader reader = wire_reader(body.fields);
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        if (field.number == FIELD_SPEAKER && field.type == WIRE_SIZED)
            return person_is_meant(meant, field.bytes);
    }
    return false;
}
