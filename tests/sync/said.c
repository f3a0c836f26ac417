#include "tests/sync/said.h"

#include "proto/schema.h"
#include "proto/wire.h"

static struct world_change say(struct world *world, size_t device, struct envelope *envelope,
                               const struct buf *fields)
{
    struct world_change change;
    const struct schema_kind *kind = schema_kind(envelope->kind);
    envelope->class = kind ? kind->class : CLASS_ORDINARY;
    envelope->time = world->now;
    world_must(!fields->err, "no fields");
    world_must(!world_write(world, device, envelope, buf_bytes(fields), &change), "not written");
    return change;
}

static void put_ref(struct buf *fields, uint32_t field, const struct record_key *to)
{
    struct ref ref = {to->kind, BYTES(to->id)};
    size_t mark = wire_open(fields, field);
    message_encode(&ref_message, &ref, fields);
    wire_close(fields, mark);
}

static void put_text(struct buf *fields, uint32_t field, const char *text)
{
    wire_put_bytes(fields, field, bytes_of_text(text));
}

struct world_change said_need(struct world *world, size_t device, const char *title,
                              const struct record_key *speaker)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_NEED};
    put_text(&fields, FIELD_TITLE, title);
    if (speaker)
        wire_put_bytes(&fields, FIELD_SPEAKER, BYTES(speaker->id));
    return say(world, device, &envelope, &fields);
}

struct world_change said_about(struct world *world, size_t device, uint32_t kind, const char *words,
                               const struct record_key *about, size_t n)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = kind};
    put_text(&fields, FIELD_WORDS, words);
    for (size_t i = 0; i < n; i++)
        put_ref(&fields, FIELD_ABOUT, &about[i]);
    return say(world, device, &envelope, &fields);
}

struct world_change said_voice(struct world *world, size_t device, const struct record_key *subject,
                               const struct record_key *person, const char *words)
{
    uint8_t part[4 + ID_SIZE];
    struct buf fields BUF_CLEANUP = {0};
    be32_put(part, subject->kind);
    memcpy(part + 4, subject->id, ID_SIZE);
    struct bytes parts[] = {BYTES(part), BYTES(person->id)};
    struct envelope envelope = {.kind = KIND_VOICE, .parts = {parts, 2}};
    put_text(&fields, FIELD_WORDS, words);
    wire_put_uint(&fields, FIELD_VOICE_STANCE, STANCE_FOR);
    return say(world, device, &envelope, &fields);
}

struct world_change said_number(struct world *world, size_t device, const struct record_key *record,
                                uint32_t field, uint64_t value)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = record->kind, .id = BYTES(record->id)};
    wire_put_uint(&fields, field, value);
    return say(world, device, &envelope, &fields);
}

struct world_change said_again(struct world *world, size_t device,
                               const struct world_change *before, size_t author, const char *title)
{
    struct buf fields BUF_CLEANUP = {0};
    struct dot dot = {BYTES(world->devices[author].handle), before->seq, 0, before->tag};
    struct envelope envelope = {
        .kind = before->record.kind, .id = BYTES(before->record.id), .over = {&dot, 1}};
    put_text(&fields, FIELD_TITLE, title);
    return say(world, device, &envelope, &fields);
}

struct record_key said_person(uint8_t n)
{
    return (struct record_key){KIND_PERSON, {'p', n}};
}

struct world_change said_erase_record(struct world *world, size_t device,
                                      const struct record_key *record)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_REQUEST};
    put_ref(&fields, FIELD_REQUEST_ERASE_RECORD, record);
    return say(world, device, &envelope, &fields);
}

struct world_change said_erase(struct world *world, size_t device, size_t author,
                               const struct world_change *change)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_REQUEST};
    struct change_ref ref = {.seq = change->seq, .tag = change->tag};
    if (author != device)
        ref.device = BYTES(world->devices[author].handle);
    size_t mark = wire_open(&fields, FIELD_REQUEST_ERASE);
    message_encode(&change_ref_message, &ref, &fields);
    wire_close(&fields, mark);
    return say(world, device, &envelope, &fields);
}

struct world_change said_membership(struct world *world, size_t device, size_t of, enum role role,
                                    int revoked)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_MEMBERSHIP};
    wire_put_bytes(&fields, FIELD_MEMBERSHIP_DEVICE, BYTES(world->devices[of].handle));
    if (role != ROLE_NONE)
        wire_put_uint(&fields, FIELD_MEMBERSHIP_ROLE, (uint64_t)role);
    if (revoked >= 0)
        wire_put_uint(&fields, FIELD_MEMBERSHIP_REVOKED, (uint64_t)revoked);
    return say(world, device, &envelope, &fields);
}

bool said_is_kept(struct store *store, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq)
{
    uint64_t position;
    struct log_body body;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    return log_find(txn, community, handle, seq, &position) == OK &&
           log_get_body(txn, community, position, &body) == OK;
}

static bool any(const struct live *live, void *arg)
{
    (void)live;
    *(bool *)arg = true;
    return false;
}

bool said_is_live(struct store *store, uint32_t community, const struct record_key *record)
{
    bool found = false;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    world_must(!live_each(txn, community, record, any, &found), "a record could not be read");
    return found;
}
