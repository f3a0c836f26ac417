#pragma once

// What an observer is shown of a record that is for it (docs/protocol.md section 5): the words,
// under ids that only this observer knows the record by, said at the beginning of the week, by
// nobody. Any thread.

#include "base/arena.h"
#include "proto/messages.h"

enum { MASK_SECRET_SIZE = 32 };

struct mask {
    const uint8_t *secret; // MASK_SECRET_SIZE: the hub's, so that nobody else can undo it
    const uint8_t *device; // HANDLE_SIZE: the observer's
};

// Names ids of one kind as this observer knows them: `ids` is n times ID_SIZE, in place.
enum err mask_ids(const struct mask *mask, uint32_t kind, uint8_t *ids, size_t n) must_check;
// The id that goes by this name; of what is no name, some id that nothing has.
enum err mask_id_back(const struct mask *mask, uint32_t kind, uint8_t id[ID_SIZE]) must_check;

// The Monday on or before a time, 00:00 UTC.
int64_t mask_week(int64_t time);

// Masks a record as the hub sees it, in place; what is new lives in the arena. ERR_NOT_FOUND when
// nothing is left of it, ERR_NOMEM.
enum err mask_view(const struct mask *mask, struct arena *arena,
                   struct record_view *view) must_check;
