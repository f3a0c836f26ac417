#pragma once

// Reading all of a store to find what is damaged, and comparing what was folded from the log with
// what another fold of it made (docs/disk-format.md says what no single read can notice).

#include "storage/row.h"

enum row_fault {
    ROW_DAMAGED, // its check fails, or rows are missing beside it
    ROW_MISSING, // it follows from the log, and is not there
    ROW_FALSE,   // it is there, and does not follow from the log
    ROW_OTHER,   // it says something else than what follows from the log
    ROW_FORGED,  // its hash, its place in the chain, or its signature does not hold
};

struct scrub {
    void (*told)(void *arg, const struct row *row, enum row_fault fault);
    void (*read)(void *arg, uint64_t rows); // now and then: so many more were read
    void *arg;
};

// How many rows there are in all tables, as LMDB counts them.
uint64_t scrub_count(struct txn *txn);
// Reads every row, the words under their seals, too. What is damaged is told and passed over.
enum err scrub_rows(struct txn *txn, const struct scrub *scrub) must_check;
// Compares the rows of one community which follow from its log with those in `made`, a store in
// which the same log was folded anew and the community has the same number. Rows that may stay when
// what they point to is gone are not called false.
enum err scrub_compare(struct txn *txn, struct txn *made, uint32_t community,
                       const struct scrub *scrub) must_check;
