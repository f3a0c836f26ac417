#pragma once

// The counts of docs/disk-format.md once more, from the model's live edits alone and as naive as it
// can be said: row by row, to compare a store's tables with.

#include "storage/store.h"
#include "tests/sync/model.h"

// Whether a store's counts of a community are those of the view; if not, `why` says (at most 400
// bytes) which row is another.
bool recount_is(const struct model_view *view, struct txn *txn, uint32_t community, char why[400]);
