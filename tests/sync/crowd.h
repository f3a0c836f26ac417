#pragma once

// Many changes of one device put straight into the hub: they are collected into runs, signed and
// pushed as ever. What goes wrong ends the program with a sentence.

#include "tests/sync/handmade.h"

struct crowd {
    struct world *world;
    size_t device;
    struct arena *arena;
    struct handmade run;
};

// Everything made lives in the arena.
void crowd_init(struct crowd *crowd, struct world *world, size_t device, struct arena *arena);
void crowd_done(struct crowd *crowd);
// Adds a change; a full run is pushed first. Tells seq, tag and record.
struct world_change crowd_add(struct crowd *crowd, const struct envelope *envelope,
                              struct bytes fields);
// Pushes what was added. Nothing of it may be set apart.
void crowd_push(struct crowd *crowd);

struct world_change crowd_need(struct crowd *crowd, const char *title);
struct world_change crowd_voice(struct crowd *crowd, const struct record_key *subject,
                                const uint8_t person[ID_SIZE], enum stance stance, int64_t time);
// Says that two are the same; with `over` (that earlier statement's change) that they are not.
struct world_change crowd_same(struct crowd *crowd, const struct record_key *a,
                               const struct record_key *b, const struct world_change *over);
// The n-th person.
struct record_key crowd_person(uint32_t n);
// The dot of a change's edit; it borrows the device's handle.
struct dot crowd_dot(const struct crowd *crowd, const struct world_change *change, uint32_t index);
// Has the hub set apart the device's change of this seq and tag, by a decision.
void crowd_refuse(struct crowd *crowd, const struct world_change *change);
