#pragma once

// Runs made by hand, sound unless the test spoils them on its way.

#include "tests/sync/world.h"

struct handmade {
    struct world *world;
    size_t device; // whose key signs
    struct arena *arena;
    uint32_t first;
    uint8_t head[HASH_SIZE]; // of the chain after what was added so far
    uint8_t community[COMMUNITY_SIZE];
    struct change *changes;
    size_t n;
    size_t max;
    struct buf salts;
    uint32_t packings; // that its packs may be of
};

// A run that goes on where the hub's copy of the device's chain ends; room for `max` changes.
void handmade_init(struct handmade *run, struct world *world, size_t device, size_t max,
                   struct arena *arena);
void handmade_done(struct handmade *run);
// Adds a change; the bytes are copied. Returns its tag.
uint32_t handmade_add(struct handmade *run, struct bytes envelope, struct bytes fields);
// Adds a sound Need with this title; `over` may be NULL.
uint32_t handmade_need(struct handmade *run, const char *title, const struct dot *over);
// Adds a bare leaf.
void handmade_leaf(struct handmade *run, uint8_t byte);
// Packs and signs. `request` is sound and holds this run alone.
void handmade_close(struct handmade *run, struct sync_request *request);
// Signs again after the test changed `run->first` or what else the transcript holds.
void handmade_sign(struct handmade *run, const uint8_t seed[SIGN_SEED_SIZE], struct run *out);
// An encoded envelope, in the arena.
struct bytes handmade_envelope(struct arena *arena, const struct envelope *envelope);
// Fields with one text; in the arena.
struct bytes handmade_text(struct arena *arena, uint32_t field, struct bytes text);
// A pack of these bytes as they are.
struct pack *handmade_pack(struct arena *arena, struct bytes bytes);
