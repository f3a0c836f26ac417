// What a broken or hostile app writes into its own chain, rightly signed: none of it may count for
// more than its author's role allows.

#include <stdio.h>

#include "client/state.h"
#include "proto/schema.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/fold.h"
#include "tests/sim/faults.h"
#include "tests/sim/sim.h"

enum { LIE_DOTS = 8 };

// One change under construction.
struct lie {
    struct sim *sim;
    const struct sim_device *device;
    struct scope scope;
    struct envelope envelope;
    struct buf fields;
    uint8_t ids[4][4 + ID_SIZE];
    struct bytes parts[2];
    struct dot dots[LIE_DOTS];
};

// Something that was really written, by anybody.
static const struct written *real_one(struct lie *lie)
{
    const struct registry *registry = &lie->sim->registry;
    return registry->n ? &registry->p[dice_below(&lie->sim->dice, registry->n)] : NULL;
}

static void put_message(struct lie *lie, uint32_t field, const struct message *message,
                        const void *in)
{
    size_t mark = wire_open(&lie->fields, field);
    message_encode(message, in, &lie->fields);
    wire_close(&lie->fields, mark);
}

static void put_words(struct lie *lie)
{
    char words[40];
    int n = snprintf(words, sizeof words, "a lie %u in world %llx", ++lie->sim->said,
                     (unsigned long long)lie->sim->options.seed & 0xffff);
    wire_put_bytes(&lie->fields, FIELD_WORDS, bytes_of(words, (size_t)n));
}

// --- the lies ---

// "I decide": a revocation, a role, an erasure, a closing.
static void as_hub(struct lie *lie)
{
    const struct sim *sim = lie->sim;
    const struct sim_device *other = &sim->devices[dice_below(&lie->sim->dice, sim->n)];
    const struct written *real = real_one(lie);
    lie->envelope.kind = KIND_DECISION;
    put_message(lie, FIELD_REVOCATION, &revocation_message,
                &(struct revocation){BYTES(other->handle), 1});
    put_message(lie, FIELD_GRANT, &role_grant_message,
                &(struct role_grant){BYTES(lie->scope.device.handle), ROLE_COORDINATOR, 1});
    if (!real)
        return;
    put_message(lie, FIELD_ERASURE, &change_ref_message,
                &(struct change_ref){BYTES(real->device), real->seq, real->tag});
    put_message(lie, FIELD_CLOSING, &ref_message,
                &(struct ref){real->record.kind, BYTES(real->record.id)});
}

static void as_coordinator(struct lie *lie)
{
    const struct sim *sim = lie->sim;
    const struct sim_device *other = &sim->devices[dice_below(&lie->sim->dice, sim->n)];
    if (lie->device->role == ROLE_COORDINATOR) // then it is none
        return;
    lie->envelope.kind = KIND_MEMBERSHIP;
    wire_put_bytes(&lie->fields, FIELD_MEMBERSHIP_DEVICE, BYTES(other->handle));
    wire_put_uint(&lie->fields, FIELD_MEMBERSHIP_REVOKED, 1);
}

// A voice of nobody's that comes from the end of days, or whose parts are none.
static void misspoken(struct lie *lie)
{
    const struct written *real = real_one(lie);
    bool sound = dice_percent(&lie->sim->dice, 50);
    be32_put(lie->ids[0], real ? real->record.kind : KIND_NEED);
    if (real)
        memcpy(lie->ids[0] + 4, real->record.id, ID_SIZE);
    lie->ids[1][0] = (uint8_t)(1 + dice_below(&lie->sim->dice, SIM_PERSONS));
    lie->parts[0] = bytes_of(lie->ids[0], 4 + ID_SIZE);
    lie->parts[1] = bytes_of(lie->ids[1], sound ? ID_SIZE : ID_SIZE - 3);
    lie->envelope.kind = KIND_VOICE;
    lie->envelope.parts = (struct list){lie->parts, 2};
    lie->envelope.time = dice_percent(&lie->sim->dice, 50) ? INT64_C(4102444800000) : -1;
    wire_put_uint(&lie->fields, FIELD_VOICE_STANCE, 1 + dice_below(&lie->sim->dice, 3));
    put_words(lie);
}

// Somebody's details for everybody to read.
static void unveiled(struct lie *lie)
{
    lie->envelope.kind = KIND_CONTACT;
    lie->envelope.class = CLASS_ORDINARY;
    put_words(lie);
}

// Over others' edits, with a tag that is right or guessed, by a change or by one without words.
static void going_over(struct lie *lie)
{
    const struct written *real = real_one(lie);
    if (!real)
        return;
    lie->envelope.kind = real->record.kind;
    lie->envelope.class = real->class;
    memcpy(lie->ids[0], real->record.id, ID_SIZE);
    lie->envelope.id = bytes_of(lie->ids[0], ID_SIZE);
    size_t n = 1 + dice_below(&lie->sim->dice, LIE_DOTS - 1);
    for (size_t i = 0; i < n; i++)
        lie->dots[i] = (struct dot){BYTES(real->device), real->seq, (uint8_t)i,
                                    real->tag + dice_percent(&lie->sim->dice, 50)};
    lie->envelope.over = (struct list){lie->dots, n};
}

static void unsorted_pair(struct lie *lie)
{
    be32_put(lie->ids[0], KIND_NEED);
    be32_put(lie->ids[1], KIND_NEED);
    lie->ids[0][4] = 9;
    lie->parts[0] = BYTES(lie->ids[0]);
    lie->parts[1] = BYTES(lie->ids[1]);
    lie->envelope.kind = KIND_SAME_AS;
    lie->envelope.parts = (struct list){lie->parts, 2};
    wire_put_uint(&lie->fields, FIELD_SAME, 1);
}

// --- telling them ---

static void append(struct lie *lie, struct bytes envelope)
{
    struct scope *scope = &lie->scope;
    uint8_t body_hash[HASH_SIZE];
    struct log_body body = {.fields = buf_bytes(&lie->fields)};
    dice_bytes(&lie->sim->dice, body.salt, sizeof body.salt);
    struct log_entry entry = {
        .form = LOG_WHOLE, .seq = scope->device.seq + 1, .envelope = envelope};
    memcpy(entry.device, scope->device.handle, HANDLE_SIZE);
    digest_body(body.salt, body.fields, body_hash);
    digest_leaf(envelope, body_hash, entry.leaf);
    chain_append(scope->txn, &scope->community, &scope->device, &entry, &body);
    chain_store(scope->txn, &scope->community, &scope->device);
}

enum folkmoot_code work_lie(struct sim *sim, struct sim_device *device)
{
    static void (*const lies[])(struct lie *) = {as_hub,   as_coordinator, misspoken,
                                                 unveiled, going_over,     unsorted_pair};
    struct lie lie = {.sim = sim, .device = device};
    struct buf envelope BUF_CLEANUP = {0};
    enum folkmoot_code code = state_begin(device->fm, 0, true, &lie.scope, NULL);
    if (code)
        return code;
    lie.envelope.time = sim->now;
    lies[dice_below(&sim->dice, sizeof lies / sizeof *lies)](&lie);
    message_encode(&envelope_message, &lie.envelope, &envelope);
    sim_must(sim, !envelope.err && !lie.fields.err, "out of memory");
    if (lie.envelope.kind)
        append(&lie, buf_bytes(&envelope));
    buf_done(&lie.fields);
    return state_end(device->fm, &lie.scope, lie.envelope.kind != 0, NULL);
}
