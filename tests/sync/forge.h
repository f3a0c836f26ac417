#pragma once

// An honest device, the run that it would push next, and forgeries of that run. What cannot fail in
// a sound world ends the program with a sentence.

#include "tests/sync/handmade.h"

enum { FORGE_OTHER, FORGE_AUTHOR, FORGE_DEVICES };
enum { FORGE_RUN = 3, FORGE_ROOM = 8, FORGERIES = 26 };

struct forge {
    struct world world;
    struct arena arena;
    struct fault fault;
    struct handmade past; // what the hub took last
    struct handmade made; // what the author would push next, in honesty
    struct sync_request forged;
    uint32_t n; // changes of the forged run
};

void forge_begin(struct forge *forge);
void forge_end(struct forge *forge);
// Pushes as the author. The fault is in `forge`.
enum err forge_push(struct forge *forge, struct sync_request *request,
                    struct receipt *receipt) must_check;
// The honest run was taken: the next one is written.
void forge_next(struct forge *forge);

struct run *forge_run(struct sync_request *request);
// A run of its own that shares the bytes of `from`.
struct handmade forge_copy(struct forge *forge, const struct handmade *from);
// An empty run at the end of a device's chain.
void forge_start(struct forge *forge, struct handmade *run, size_t device);
// Goes on with the run that follows `run`, signed.
struct run forge_next_run(struct handmade *run);

// What a sentence names beside its reason.
enum forge_names {
    FORGE_NAMES_NOTHING,
    FORGE_NAMES_RUN,        // the author and the forged run's seqs
    FORGE_NAMES_OTHER,      // the other device and the run's first seq
    FORGE_NAMES_NEIGHBOURS, // the seqs between which something is missing
    FORGE_NAMES_CHANGE,     // the seq of the second change
};

// One way to forge: `forge->forged` is made from what is honest. The hub refuses it with this
// error.
extern const struct forgery {
    const char *what;
    void (*make)(struct forge *forge);
    enum err err;
    const char *reason;
    enum forge_names names;
} forgeries[FORGERIES];
