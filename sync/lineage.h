#pragma once

// The chains of one hub, one after the other: each begins with an incarnation that names the one
// before, and up to where that one holds. What came of it later was lost with the disk of a hub
// that was restored, and counts for nobody any more; what the hub still means of it, it decides
// anew. Of all chains of one identity the one that began last holds, with those that it goes back
// to; two that began from the same old copy are no longer both the hub's.
//
// Errors stick to the transaction.

#include "storage/community.h"
#include "sync/merge.h"

// Takes in the change that begins a hub's chain, where it is one and rightly signed: the chain may
// decide, and the others of its identity hold as far as it says.
void lineage_take(struct txn *txn, const struct community *community,
                  const struct merge_change *change);
// Whether a log is community->log or one that it goes back to. size: entries up to which what was
// seen of it is in community->log, too (UINT64_MAX where it is the same).
bool lineage_reaches(struct txn *txn, const struct community *community,
                     const uint8_t log[HANDLE_SIZE], uint64_t *size);
