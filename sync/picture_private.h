#pragma once

// What the picture*.c family shares.

#include "storage/counts.h"
#include "sync/picture.h"

struct picturing {
    struct txn *txn;
    const struct community *community;
    const struct picture_eye *eye;
    struct arena *arena;
    enum err err; // the first; sticks
};

// ERR_BUSY with a sentence when the community's counts are not kept.
enum err picture_begin(const struct picturing *p, struct fault *fault) must_check;
// The first error as a sentence, or OK.
enum err picture_end(const struct picturing *p, struct fault *fault) must_check;
// Memory of the answer's; NULL sets the error.
void *picture_alloc(struct picturing *p, size_t n, size_t size);
// A place or category, read from where it stands. What cannot be read is empty.
struct bytes picture_text(struct picturing *p, const struct counts_text *text, bool is_place);
// The text of a row of counts: of its example, or of any record that says it.
bool picture_name(struct picturing *p, const struct count_key *key, bool is_place,
                  const struct counts_text *example, struct bytes *text);
uint32_t picture_floor(const struct picturing *p, uint32_t n);
struct picture_constraints *picture_constraints(struct picturing *p, const uint32_t natures[4]);
// by_party: for each party kind, then stance, `stances` of them; only parties that somebody of
// spoke for.
struct list picture_voices(struct picturing *p, const uint32_t *by_party, size_t stances);
// Who has not been heard (picture_unheard.c): for all that were, `add`; then `end`, which fills the
// response. It borrows from the table.
struct unheard {
    const struct population *table; // NULL: none
    uint32_t *heard;                // persons for each of its places
};

bool picture_unheard_begin(struct picturing *p, struct unheard *unheard) must_check;
void picture_unheard_add(struct unheard *unheard, struct bytes place, uint32_t persons);
void picture_unheard_end(struct picturing *p, struct unheard *unheard,
                         struct picture_response *response);
// One record in the picture, by its sum. Sets the error when it fails.
struct picture_item *picture_item(struct picturing *p, const struct record_key *root,
                                  const struct sum *sum);
// Whether this eye is shown it at all.
bool picture_is_shown(const struct picturing *p, const struct sum *sum);
