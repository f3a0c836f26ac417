#pragma once

// What a write that revoked a device or erased words does to connections, before anybody is told of
// it: whoever is revoked, and whatever words are on their way, get not one byte more. The loop's
// thread.

#include "daemon/conns.h"
#include "daemon/gate.h"

// Resets every connection that a revoked device of the community used, and, after an erasure, every
// one on which something for the community is not wholly sent.
void cutoff_run(struct conns *conns, struct gate *gate, uint32_t community,
                const struct hub_effects *effects);
