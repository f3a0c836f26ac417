#pragma once

// Requests of Sync made by hand, without a store behind them: what a whole pull asks, step by step.
// The main thread.

#include "bench/load.h"
#include "tests/e2e/peer.h"

enum { ASKING_MAX = 1024 };

// The requests of a pull from the beginning, and what it cost to ask them one after the other over
// one connection.
struct asking {
    struct buf bodies[ASKING_MAX];
    struct bytes borrowed[ASKING_MAX];
    size_t n;
    double seconds;
    uint64_t bytes; // of answers
};

// Pulls the peer's community until there is no more; each answer may have so many bytes. Empty it
// by asking_done.
void asking_pull(struct asking *asking, const struct peer *peer, uint32_t answer_max);
// The request whose answer has nothing, after such a pull.
struct bytes asking_nothing(const struct asking *asking);
void asking_done(struct asking *asking);
