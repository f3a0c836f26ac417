#include "tests/sync/crowd.h"

#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/hub_private.h"
#include "sync/merge.h"
#include "tests/sync/network.h"

enum { SUBJECT_SIZE = 4 + ID_SIZE };

void crowd_init(struct crowd *crowd, struct world *world, size_t device, struct arena *arena)
{
    *crowd = (struct crowd){.world = world, .device = device, .arena = arena};
    handmade_init(&crowd->run, world, device, RUN_CHANGES_MAX, arena);
}

void crowd_done(struct crowd *crowd)
{
    handmade_done(&crowd->run);
}

void crowd_push(struct crowd *crowd)
{
    struct sync_request request;
    struct list receipts;
    struct fault fault = {0};
    if (crowd->run.n == 0)
        return;
    uint32_t last = crowd->run.first + (uint32_t)crowd->run.n - 1;
    handmade_close(&crowd->run, &request);
    handmade_done(&crowd->run);
    enum err err =
        network_push(crowd->world, crowd->device, &request, crowd->arena, &receipts, &fault);
    world_must(!err, fault.text);
    const struct receipt *receipt = LIST_AT(struct receipt, receipts, 0);
    world_must(receipts.n == 1 && receipt->standing == STANDING_OK && receipt->seq == last,
               "a run was not taken");
    world_must(receipt->set_apart.n == 0, "a change was set apart");
    handmade_init(&crowd->run, crowd->world, crowd->device, RUN_CHANGES_MAX, crowd->arena);
}

struct world_change crowd_add(struct crowd *crowd, const struct envelope *envelope,
                              struct bytes fields)
{
    struct handmade *run = &crowd->run;
    struct world_change change = {0};
    if (run->n == RUN_CHANGES_MAX)
        crowd_push(crowd);
    change.seq = run->first + (uint32_t)run->n;
    change.tag = handmade_add(run, handmade_envelope(crowd->arena, envelope), fields);
    merge_record(envelope, crowd->world->devices[crowd->device].handle, change.seq, change.tag,
                 &change.record);
    return change;
}

struct world_change crowd_need(struct crowd *crowd, const char *title)
{
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    return crowd_add(crowd, &envelope,
                     handmade_text(crowd->arena, FIELD_TITLE, bytes_of_text(title)));
}

static struct bytes number_field(struct arena *arena, uint32_t field, uint64_t value)
{
    struct buf buf BUF_CLEANUP = {0};
    wire_put_uint(&buf, field, value);
    world_must(!buf.err, "no fields");
    return arena_copy(arena, buf_bytes(&buf));
}

static void subject_part(const struct record_key *record, uint8_t out[SUBJECT_SIZE])
{
    be32_put(out, record->kind);
    memcpy(out + 4, record->id, ID_SIZE);
}

struct world_change crowd_voice(struct crowd *crowd, const struct record_key *subject,
                                const uint8_t person[ID_SIZE], enum stance stance, int64_t time)
{
    uint8_t part[SUBJECT_SIZE];
    struct bytes parts[2] = {BYTES(part), bytes_of(person, ID_SIZE)};
    struct envelope envelope = {.kind = KIND_VOICE, .time = time, .parts = {parts, 2}};
    subject_part(subject, part);
    return crowd_add(crowd, &envelope,
                     number_field(crowd->arena, FIELD_VOICE_STANCE, (uint64_t)stance));
}

struct world_change crowd_same(struct crowd *crowd, const struct record_key *a,
                               const struct record_key *b, const struct world_change *over)
{
    uint8_t part[2][SUBJECT_SIZE];
    struct bytes parts[2] = {BYTES(part[0]), BYTES(part[1])};
    struct dot dot = over ? crowd_dot(crowd, over, 0) : (struct dot){0};
    struct envelope envelope = {
        .kind = KIND_SAME_AS, .time = 1, .parts = {parts, 2}, .over = {&dot, over != NULL}};
    bool sorted = memcmp(a->id, b->id, ID_SIZE) < 0;
    subject_part(sorted ? a : b, part[0]);
    subject_part(sorted ? b : a, part[1]);
    struct bytes same = number_field(crowd->arena, FIELD_SAME, 1);
    return crowd_add(crowd, &envelope, over ? (struct bytes){0} : same);
}

struct record_key crowd_person(uint32_t n)
{
    struct record_key person = {.kind = KIND_PERSON, .id = {'p'}};
    // Neither in the order of their numbers nor against it.
    be32_put(person.id + 1, n * 2654435761u);
    be32_put(person.id + 12, n);
    return person;
}

struct dot crowd_dot(const struct crowd *crowd, const struct world_change *change, uint32_t index)
{
    struct bytes handle = BYTES(crowd->world->devices[crowd->device].handle);
    return (struct dot){handle, change->seq, index, change->tag};
}

void crowd_refuse(struct crowd *crowd, const struct world_change *change)
{
    struct buf fields BUF_CLEANUP = {0};
    uint8_t random[32];
    struct community community;
    struct refusal refusal = {BYTES(crowd->world->devices[crowd->device].handle), change->seq,
                              REASON_NOT_PERMITTED, change->tag};
    size_t mark = wire_open(&fields, FIELD_REFUSAL);
    message_encode(&refusal_message, &refusal, &fields);
    wire_close(&fields, mark);
    dice_bytes(&crowd->world->dice, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(crowd->world->hub);
    world_must(!fields.err && !community_get_number(txn, crowd->world->community, &community),
               "nothing to decide");
    struct hub_decider decider = {
        .txn = txn, .community = &community, .now = crowd->world->now, .random = random};
    world_must(!hub_decide(&decider, NULL, buf_bytes(&fields)), "not decided");
    world_must(!txn_commit(&txn), "a decision was not committed");
}
