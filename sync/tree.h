#pragma once

// The log's tree hash (RFC 9162 section 2.1.1), kept so that the root at any position costs a few
// reads. Errors stick to the transaction.

#include "storage/log.h"

// Adds the entry at `position` (the log's new last) to the tree.
void tree_append(struct txn *txn, uint32_t community, uint64_t position,
                 const struct log_entry *entry);
// The root over the first `size` entries.
enum err tree_root(struct txn *txn, uint32_t community, uint64_t size,
                   uint8_t root[HASH_SIZE]) must_check;
