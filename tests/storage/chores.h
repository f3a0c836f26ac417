#pragma once

// One of everything that this room does within a transaction: what is read and written of a row of
// each kind.

#include "storage/store.h"

// Where the chores find their rows.
enum { CHORES_COMMUNITY = 1, CHORES_WHOLE, CHORES_HUSK, CHORES_DROP, CHORES_FREE };
// Of each of their changes: the beginning of the leaf.
enum { CHORES_TAG = 0x61206c65 };

struct chore {
    const char *name;
    enum err (*run)(struct txn *txn); // what it answers; errors of writing stick to the transaction
    bool writes;
};

// Rows of each kind, for the chores to find.
void chores_prepare(struct txn *txn);
// Every row of the store but what it says of itself, as a hash. Words that are put again are sealed
// to the same bytes, for their key stays.
void chores_print(struct txn *txn, uint8_t print[HASH_SIZE]);

extern const struct chore chores_writing[];
extern const size_t chores_writing_n;
// These see for themselves whether the answer is right: ERR_WRONG_STATE where it is not and does
// not say so.
extern const struct chore chores_reading[];
extern const size_t chores_reading_n;
