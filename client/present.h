#pragma once

// What is live in a record on this device, for those who are about to write: a change goes over
// what its author sees. One thread at a time.

#include "base/arena.h"
#include "proto/wire.h"
#include "storage/record.h"

struct present_edit {
    struct live live;
    struct wire_field field; // whole.p is NULL where the words are damaged
};

// Live edits of one class by field and rank, the winner of a register last. In the arena.
struct present {
    struct present_edit *edits;
    size_t n;
};

// A record without live edits of the class gives none and is no error. ERR_LIMIT when they are more
// than one change could ever deal with, ERR_NOMEM, and errors of storage.
enum err present_read(struct txn *txn, uint32_t community, const struct record_key *record,
                      uint32_t class, struct arena *arena, struct present *present) must_check;
// Whether anything of the record is live.
bool present_any(struct txn *txn, uint32_t community, const struct record_key *record) must_check;
// The bytes of an edit of the change at a position, from the arena. ERR_NOT_FOUND when its words
// are not here.
enum err present_words(struct txn *txn, uint32_t community, uint64_t position, uint32_t index,
                       struct arena *arena, struct wire_field *field) must_check;
