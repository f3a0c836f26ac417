#include "tests/sync/handmade.h"

#include "base/sign.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"

void handmade_init(struct handmade *run, struct world *world, size_t device, size_t max,
                   struct arena *arena)
{
    struct hub_caller caller = world_caller(world, device);
    *run = (struct handmade){
        .world = world, .device = device, .arena = arena, .max = max, .packings = PACKINGS_KNOWN};
    run->first = caller.device.seq + 1;
    memcpy(run->head, caller.device.head, HASH_SIZE);
    memcpy(run->community, world->id, COMMUNITY_SIZE);
    run->changes = arena_alloc(arena, max, sizeof *run->changes);
    world_must(run->changes != NULL, "no room for a run");
}

void handmade_done(struct handmade *run)
{
    buf_done(&run->salts);
}

static void go_on(struct handmade *run, const uint8_t leaf[HASH_SIZE])
{
    uint8_t key[KEY_SIZE];
    world_must(!sign_public_key(run->world->devices[run->device].seed, key), "no key");
    world_must(run->n < run->max, "the run is full");
    digest_head(run->community, key, run->first + (uint32_t)run->n, leaf, run->head);
}

uint32_t handmade_add(struct handmade *run, struct bytes envelope, struct bytes fields)
{
    uint8_t salt[SALT_SIZE];
    uint8_t body_hash[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];
    dice_bytes(&run->world->dice, salt, sizeof salt);
    digest_body(salt, fields, body_hash);
    digest_leaf(envelope, body_hash, leaf);
    go_on(run, leaf);
    buf_put(&run->salts, BYTES(salt));
    struct change *change = &run->changes[run->n++];
    *change = (struct change){.envelope = arena_copy(run->arena, envelope),
                              .fields = arena_copy(run->arena, fields)};
    return be32_get(leaf);
}

uint32_t handmade_need(struct handmade *run, const char *title, const struct dot *over)
{
    struct dot dot = over ? *over : (struct dot){0};
    struct envelope envelope = {.kind = KIND_NEED, .time = 1, .over = {&dot, over != NULL}};
    return handmade_add(run, handmade_envelope(run->arena, &envelope),
                        handmade_text(run->arena, FIELD_TITLE, bytes_of_text(title)));
}

void handmade_leaf(struct handmade *run, uint8_t byte)
{
    uint8_t leaf[HASH_SIZE];
    memset(leaf, byte, sizeof leaf);
    go_on(run, leaf);
    run->changes[run->n++] = (struct change){.leaf = arena_copy(run->arena, BYTES(leaf))};
}

void handmade_sign(struct handmade *run, const uint8_t seed[SIGN_SEED_SIZE], struct run *out)
{
    struct buf transcript BUF_CLEANUP = {0};
    uint8_t key[KEY_SIZE];
    uint8_t signature[SIGN_SIZE];
    world_must(!sign_public_key(run->world->devices[run->device].seed, key), "no key");
    digest_run_transcript(run->community, key, run->first + (uint32_t)run->n - 1, run->head,
                          out->seen, &transcript);
    world_must(!transcript.err && !sign_make(seed, buf_bytes(&transcript), signature), "unsigned");
    out->signature = arena_copy(run->arena, BYTES(signature));
}

// Packs of at most half a MiB.
static struct list pack_changes(const struct handmade *run)
{
    struct list packs = {arena_alloc(run->arena, RUN_PACKS_MAX, sizeof(struct pack)), 0};
    struct buf buf BUF_CLEANUP = {0};
    for (size_t i = 0; i < run->n; i++) {
        size_t mark = wire_open(&buf, 1);
        message_encode(&change_message, &run->changes[i], &buf);
        wire_close(&buf, mark);
        if (i + 1 < run->n && buf.n < PACK_MAX / 2)
            continue;
        struct pack *pack = LIST_AT(struct pack, packs, packs.n++);
        world_must(
            !pack_make(buf_bytes(&buf),
                       &(struct pack_wish){.packings = run->packings, .of = COLUMNS_OF_CHANGES},
                       run->arena, pack),
            "not packed");
        buf_reset(&buf);
    }
    return packs;
}

void handmade_close(struct handmade *run, struct sync_request *request)
{
    struct run *out = arena_alloc(run->arena, 1, sizeof *out);
    world_must(out != NULL, "no room for a run");
    out->first = run->first;
    out->packs = pack_changes(run);
    out->salts = arena_copy(run->arena, buf_bytes(&run->salts));
    handmade_sign(run, run->world->devices[run->device].seed, out);
    *request = (struct sync_request){
        .version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN, .push = {out, 1}};
}

struct bytes handmade_envelope(struct arena *arena, const struct envelope *envelope)
{
    struct buf buf BUF_CLEANUP = {0};
    message_encode(&envelope_message, envelope, &buf);
    world_must(!buf.err, "no envelope");
    return arena_copy(arena, buf_bytes(&buf));
}

struct bytes handmade_text(struct arena *arena, uint32_t field, struct bytes text)
{
    struct buf buf BUF_CLEANUP = {0};
    wire_put_bytes(&buf, field, text);
    world_must(!buf.err, "no fields");
    return arena_copy(arena, buf_bytes(&buf));
}

struct pack *handmade_pack(struct arena *arena, struct bytes bytes)
{
    struct pack *pack = arena_alloc(arena, 1, sizeof *pack);
    world_must(pack != NULL, "no room for a pack");
    *pack = (struct pack){PACKING_PLAIN, (uint32_t)bytes.n, bytes};
    return pack;
}
