#pragma once

// Records as they are given away, in an export: what this audience may see of one, and never who
// said it, what they agreed to, or anything else of a person. Read transactions: the caller begins
// another one every so often.

#include "base/arena.h"
#include "storage/community.h"
#include "storage/record.h"
#include "sync/mask.h"

// To whom.
struct given_to {
    struct community community;
    enum audience audience; // COMMUNITY: all that is not personal; else as an observer is shown it
    uint8_t secret[MASK_SECRET_SIZE]; // of outsiders, as everything below
    uint8_t handle[HANDLE_SIZE];      // digest_export
    uint32_t least;                   // tallies are told as multiples of this, rounded down
};

struct given {
    // fields without `over`; of the parts the subjects; the record's own bytes are not there
    struct record_view view;
    // An id that all records have that are joined with it, in whose tally each person counts once.
    struct bytes joined;
};

// Whether records of a kind are given to anybody at all.
bool given_kind(uint32_t kind);
bool given_is_masked(const struct given_to *to);
struct mask given_mask(const struct given_to *to);
// Looks at a record, whose true id this is. What is given lives in the arena. ERR_NOT_FOUND:
// nothing of it is for this audience; ERR_DAMAGED; ERR_NOMEM (arena->err says whether the arena is
// full).
enum err given_record(struct txn *txn, const struct given_to *to, const struct record_key *record,
                      struct arena *arena, struct given *given) must_check;
