#pragma once

// One act on a store, done again and again, and each time something else of it fails: an
// allocation, a call into LMDB, a row that is gone or damaged. Whatever is not as it must be, fails
// the test.

#include "tests/sync/world.h"

struct failing {
    struct txn *txn;
    struct arena *arena;
    struct fault *fault;
    struct buf *answer; // what the act says, if anything
    bool forgives;      // set by an act that goes on without words that are damaged
};

// The same every time; what it writes is not kept.
typedef enum err failing_act(struct failing *failing, void *arg);

// Puts what was answered, which is no part of the act.
void failing_say(struct failing *failing, const struct message *message, const void *in);

// What fails is the environment's error and no fault of a peer, or else the act has done and said
// the same as without. What is damaged is named, or makes no difference.
void failing_reads(struct store *store, failing_act *act, void *arg);
void failing_writes(struct store *store, failing_act *act, void *arg);
