#pragma once

// The index of a community's words, in memory alone: which records may have a word in their title
// or words. It is made by following the log, and can be made anew at any time; whoever asks it
// looks at each record as it is now (hub_search). docs/disk-format.md, Text search.
//
// One thread follows; any thread asks meanwhile.

#include "storage/community.h"
#include "storage/record.h"
#include "sync/search_query.h"

struct search;

// seed: random, so that nobody can choose ids that are slow to find. NULL: no memory.
struct search *search_new(uint32_t community, uint64_t seed) must_check;
void search_free(struct search **search);

// Follows the log by some hundred entries (a read transaction of some milliseconds). Words that
// were erased by what it has followed are in the index no more when it returns. is_behind: there is
// more. After an error the index is empty, and the log is followed from its beginning again:
// ERR_NOMEM, or what storage says. What is damaged is passed over.
enum err search_follow(struct search *search, struct txn *txn, bool *is_behind) must_check;

struct search_size {
    uint64_t position; // followed up to here
    size_t documents;
    size_t segments;
    size_t bytes; // of memory
};

void search_size(struct search *search, struct search_size *size);

// A record that may have the words. `at` is the position of its latest text, no other record's.
struct search_candidate {
    struct record_key record;
    uint64_t at;
};

// What is asked of the index.
struct search_ask {
    const struct search_query *query;
    uint32_t kind;   // 0: any
    unsigned rank;   // only those of this rank, as far as the index knows
    uint64_t before; // only those with a smaller `at`
};

struct search_told {
    uint64_t position; // of the log: what came later is not in it
    bool is_damaged;   // records may be missing, for the disk has damaged something
    bool is_cut;       // the words begin so much that not all was looked at
};

enum { SEARCH_CANDIDATES_MAX = 512 };

// The candidates, the latest first, at most SEARCH_CANDIDATES_MAX. ERR_NOMEM.
enum err search_candidates(struct search *search, const struct search_ask *ask,
                           struct search_candidate *candidates, size_t *n,
                           struct search_told *told) must_check;
// Gives all of them, in no order, until `each` returns false; it may not ask the index.
enum err search_each(struct search *search, const struct search_ask *ask,
                     bool (*each)(const struct search_candidate *candidate, void *arg), void *arg,
                     struct search_told *told) must_check;
