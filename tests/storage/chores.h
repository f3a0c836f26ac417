#pragma once

// One of everything that this room does within a transaction: what is read and written of a row of
// each kind.

#include "storage/store.h"

// Rows of each kind, for the chores to find.
void chores_prepare(struct txn *txn);

struct chore {
    const char *name;
    enum err (*run)(struct txn *txn); // what it answers; errors of writing stick to the transaction
    bool writes;
};

extern const struct chore chores[];
extern const size_t chores_n;
