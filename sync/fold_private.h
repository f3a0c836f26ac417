#pragma once

// What the fold_*.c family shares.

#include "sync/fold.h"

// Lets the change that is meant take effect, or no longer, where it is here.
void fold_again(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, bool in_effect);
// An edit of a hub's Decision came to life or went.
void fold_decision(struct txn *txn, const struct community *community, const struct live *edit,
                   struct bytes value, bool alive);
