#pragma once

// A change on its way: what it goes over and what it puts. One thread at a time.

#include "client/present.h"
#include "client/state.h"
#include "proto/schema.h"

struct draft {
    const struct schema_kind *kind;
    struct record_key record;
    bool creates;          // the record's id comes of the change
    struct bytes parts[2]; // of a derived id; else empty
    int64_t time;
    struct present present; // what is live
    bool *gone;             // of each live edit: whether this change goes over it
    struct buf fields;
    uint32_t edits;
};

// Reads what is live in the record. id NULL: the change creates it. The caller frees the draft with
// draft_done in any case; the arena must outlive it.
enum err draft_init(struct draft *draft, const struct scope *scope, const struct schema_kind *kind,
                    const uint8_t *id, int64_t time, struct arena *arena) must_check;
void draft_done(struct draft *draft);

// Goes over the live values of a field that were said at or before `upto`.
void draft_clear(struct draft *draft, uint32_t field, int64_t upto);
// Puts one encoded field: a register goes over all that is live and was said at or before `upto`;
// to a set it is added. Nothing happens where that would change nothing.
void draft_put(struct draft *draft, const struct schema_field *field, struct bytes whole,
               int64_t upto);
// Adds one encoded field, going over nothing.
void draft_put_raw(struct draft *draft, struct bytes whole);
// Whether it says anything.
bool draft_is_empty(const struct draft *draft);
// Writes it (several changes, where it goes over more than one may). The record's id stands in
// draft->record then.
enum folkmoot_code draft_write(struct folkmoot *fm, struct scope *scope, struct draft *draft,
                               struct folkmoot_error *error);

#define DRAFT_CLEANUP __attribute__((cleanup(draft_done)))
