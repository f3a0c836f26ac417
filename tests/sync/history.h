#pragma once

// What people of a small world write, decided by its dice, with the model told of all of it: needs,
// what answers them, voices, who speaks, sameness made and undone, personal details, kinds and
// fields of the future, and changes that must be set apart.

#include "tests/sync/model.h"
#include "tests/sync/world.h"

enum { HISTORY_PERSONS = 5, HISTORY_RECORDS_MAX = 64, HISTORY_DOTS_MAX = 2048 };

struct history_dot {
    struct record_key record;
    uint32_t class;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t index;
    uint32_t tag;
    uint32_t field;
};

struct history {
    struct world *world;
    struct model model;
    struct record_key records[HISTORY_RECORDS_MAX]; // that were created, of any kind
    size_t records_n;
    uint8_t persons[HISTORY_PERSONS][ID_SIZE];
    struct history_dot dots[HISTORY_DOTS_MAX]; // every edit that was written
    size_t dots_n;
};

// Begins with a need, so that there is something to speak of.
void history_begin(struct history *history, struct world *world);
void history_done(struct history *history);
// One thing that somebody says.
void history_step(struct history *history);
// Device 0 says that the first two persons are one.
void history_join(struct history *history);
// Device 0 goes over all that was ever said of the first two persons being one.
void history_part(struct history *history);
