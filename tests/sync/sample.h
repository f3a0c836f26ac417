#pragma once

// A change that a device draws as a sample, and what the hub proves of it. Whatever fails, ends the
// program.

#include "tests/sync/world.h"

struct sample {
    uint8_t device[HANDLE_SIZE]; // the author
    uint32_t seq;
    struct prove_response proof; // lives in the arena of whoever asked
};

// number: what draws it.
void sample_draw(struct world *world, size_t device, uint64_t number, struct arena *arena,
                 struct sample *sample);
