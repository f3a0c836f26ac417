#include "sync/meant.h"

#include <stdlib.h>

#include "proto/schema.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "sync/collect.h"

bool meant_key(const struct ref *ref, struct record_key *record)
{
    if (ref->kind == 0 || ref->kind > KIND_MAX || ref->id.n != ID_SIZE)
        return false;
    record->kind = ref->kind;
    memcpy(record->id, ref->id.p, ID_SIZE);
    return true;
}

static int compare_refs(const void *a, const void *b)
{
    const struct ref *x = a;
    const struct ref *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return bytes_compare(x->id, y->id);
}

void meant_sort(struct list *records)
{
    if (records->n)
        qsort(records->p, records->n, sizeof(struct ref), compare_refs);
}

static bool is_named(const struct meant *meant, const struct record_key *record)
{
    struct ref ref = {record->kind, BYTES(record->id)};
    return meant->records->n && bsearch(&ref, meant->records->p, meant->records->n,
                                        sizeof(struct ref), compare_refs) != NULL;
}

bool meant_record(const struct meant *meant, const struct record_key *record)
{
    return meant->records ? is_named(meant, record)
                          : closed_get(meant->txn, meant->community, record) != CLOSED_NOT;
}

// What hangs on it goes, too.
static bool with_all_is_meant(const struct meant *meant, const struct record_key *record)
{
    return meant->records ? is_named(meant, record)
                          : closed_get(meant->txn, meant->community, record) == CLOSED_WITH_ALL;
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
    return meant_key(&ref, &subject) && with_all_is_meant(meant, &subject);
}

bool meant_voice(const struct meant *meant, const struct envelope *envelope)
{
    return envelope->kind == KIND_VOICE && envelope->parts.n == 2 &&
           (person_is_meant(meant, *LIST_AT(struct bytes, envelope->parts, 1)) ||
            subject_is_meant(meant, *LIST_AT(struct bytes, envelope->parts, 0)));
}

bool meant_speaker(const struct meant *meant, uint64_t position)
{
    struct log_body body;
    struct wire_field field;
    if (txn_failed(meant->txn, log_get_body(meant->txn, meant->community, position, &body)))
        return false;
    struct wire_reader reader = wire_reader(body.fields);
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        if (field.number == FIELD_SPEAKER && field.type == WIRE_SIZED)
            return person_is_meant(meant, field.bytes);
    }
    return false;
}

static bool is_about_meant(const struct meant *meant, const struct live *edit)
{
    struct wire_field field;
    struct ref ref = {0};
    bool is_creators = memcmp(edit->key.record.id, edit->key.device, 8) == 0;
    return is_creators && edit->field == FIELD_ABOUT &&
           !txn_failed(meant->txn, collect_edit(meant->txn, meant->community, edit, &field)) &&
           field.type == WIRE_SIZED &&
           message_decode(&ref_message, field.bytes, NULL, &ref, NULL) == OK &&
           ref.kind == KIND_PERSON && person_is_meant(meant, ref.id);
}

bool meant_contact(const struct meant *meant, const struct record_key *record)
{
    struct collection collection COLLECT_CLEANUP = {0};
    bool is = false;
    if (record->kind != KIND_CONTACT ||
        txn_failed(meant->txn, collect_record(meant->txn, meant->community, record, &collection)))
        return false;
    for (size_t i = 0; !is && i < collection.n; i++)
        is = is_about_meant(meant, &collection.edits[i]);
    return is;
}
