#pragma once

// Records as they are: live edits sorted, merged bytes, tensions, tally. Read transactions.

#include "base/arena.h"
#include "storage/community.h"
#include "storage/record.h"

// Who looks: decides which classes are seen.
struct view_eye {
    bool personal;         // sees class personal of others
    const uint8_t *device; // HANDLE_SIZE: the own changes are always seen
};

// Whether this eye sees a change of this class, author and record.
bool view_sees(const struct view_eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
               const struct record_key *record);

// The record in class order of what the eye sees. ERR_NOT_FOUND when nothing of it is live;
// ERR_NOMEM when the arena is too small for it; ERR_DAMAGED when a body is. Everything lives in the
// arena.
enum err view_record(struct txn *txn, const struct community *community,
                     const struct record_key *record, const struct view_eye *eye,
                     struct arena *arena, struct record_view *view) must_check;
