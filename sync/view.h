#pragma once

// Records as they are: live edits sorted, merged bytes, tensions, tally. Read transactions.

#include "base/arena.h"
#include "storage/community.h"
#include "storage/record.h"
#include "sync/eye.h"

// The record in class order of what the eye sees. ERR_NOT_FOUND when nothing of it is live;
// ERR_NOMEM when the arena is too small for it; ERR_DAMAGED when a body is. A voice that is damaged
// is not counted, and the record marked as damaged. Everything lives in the arena.
enum err view_record(struct txn *txn, const struct community *community,
                     const struct record_key *record, const struct eye *eye, struct arena *arena,
                     struct record_view *view) must_check;
// Whether it is about this record still: what refers to what is noted, and may have been gone over.
bool view_is_about(const struct record_view *view, const struct record_key *to);
