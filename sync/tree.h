#pragma once

// The log's tree hash (RFC 9162 section 2.1.1), kept so that the root at any position costs a few
// reads. Errors stick to the transaction.

#include "storage/log.h"

// Adds the entry at `position` (the log's new last, which is there) to the tree.
void tree_append(struct txn *txn, uint32_t community, uint64_t position);
// A path (RFC 9162 section 2.1.3.1) from the entry at `position` to the root of `size` entries, and
// a proof of consistency (section 2.1.4.1) from `old_size` to `size`: at most PATH_MAX_NODES nodes,
// appended one after the other. 1 <= position, old_size <= size.
enum err tree_path(struct txn *txn, uint32_t community, uint64_t position, uint64_t size,
                   struct buf *nodes) must_check;
enum err tree_consistency(struct txn *txn, uint32_t community, uint64_t old_size, uint64_t size,
                          struct buf *nodes) must_check;
// The roots of the largest complete subtrees that lead from `from` entries to `to`, appended one
// after the other.
enum err tree_grow(struct txn *txn, uint32_t community, uint64_t from, uint64_t to,
                   struct buf *nodes) must_check;
// The root over the first `size` entries.
enum err tree_root(struct txn *txn, uint32_t community, uint64_t size,
                   uint8_t root[HASH_SIZE]) must_check;
