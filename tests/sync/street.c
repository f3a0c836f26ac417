#include "tests/sync/street.h"

#include "proto/schema.h"
#include "proto/wire.h"

struct record_key street_say(struct crowd *crowd, uint32_t kind, const struct record_key *of,
                             int64_t time, struct buf *fields)
{
    struct envelope envelope = {.kind = kind, .time = time};
    envelope.class = schema_kind(kind)->class;
    if (of)
        envelope.id = BYTES(of->id);
    world_must(!fields->err, "no fields");
    struct record_key said =
        crowd_add(crowd, &envelope, arena_copy(crowd->arena, buf_bytes(fields))).record;
    buf_done(fields);
    return said;
}

static void put_text(struct buf *fields, uint32_t field, const char *text)
{
    if (text)
        wire_put_bytes(fields, field, bytes_of_text(text));
}

static void put_place(struct buf *fields, const char *name)
{
    struct place place = {.name = bytes_of_text(name ? name : "")};
    if (!name)
        return;
    size_t mark = wire_open(fields, FIELD_PLACE);
    message_encode(&place_message, &place, fields);
    wire_close(fields, mark);
}

struct record_key street_need(struct crowd *crowd, const char *title, const char *category,
                              const char *place, enum audience audience)
{
    struct buf fields = {0};
    if (audience)
        wire_put_uint(&fields, FIELD_AUDIENCE, audience);
    put_text(&fields, FIELD_TITLE, title);
    put_place(&fields, place);
    put_text(&fields, FIELD_CATEGORY, category);
    return street_say(crowd, KIND_NEED, NULL, 1000, &fields);
}

struct record_key street_answer(struct crowd *crowd, uint32_t kind, const struct record_key *to,
                                int64_t time, uint32_t field, uint64_t value)
{
    struct buf fields = {0};
    struct ref ref = {to->kind, BYTES(to->id)};
    size_t mark = wire_open(&fields, FIELD_ABOUT);
    message_encode(&ref_message, &ref, &fields);
    wire_close(&fields, mark);
    if (field)
        wire_put_uint(&fields, field, value);
    return street_say(crowd, kind, NULL, time, &fields);
}

// The n-th person speaks for a party and lives somewhere.
void street_who(struct crowd *crowd, uint32_t n, uint32_t party, const char *ward)
{
    struct record_key person = crowd_person(n);
    struct buf fields = {0};
    put_place(&fields, ward);
    wire_put_uint(&fields, FIELD_PARTY_KIND, party);
    (void)street_say(crowd, KIND_PERSON, &person, 1, &fields);
}

void street_voices(struct crowd *crowd, const struct record_key *on, uint32_t from, uint32_t to,
                   enum stance stance)
{
    for (uint32_t n = from; n < to; n++) {
        struct record_key person = crowd_person(n);
        crowd_voice(crowd, on, person.id, stance, 2000 + n);
    }
}

struct hub_caller street_caller(struct crowd *crowd, size_t device, enum role_call call)
{
    struct hub_caller caller;
    struct fault fault = {0};
    struct hub_policy policy = {.observer_least = 5};
    struct world *world = crowd->world;
    hub_observer_secret(world->identity_seed, policy.observer_secret);
    crowd_push(crowd);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    world_must(hub_authenticate(txn, world->devices[device].token, call, &policy, world->now,
                                &caller, &fault) == OK,
               fault.text);
    return caller;
}
