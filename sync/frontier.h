#pragma once

// The device's side of the log's tree (RFC 9162): the roots of the complete subtrees of what was
// seen of a log, enough to see how it grows, and the checks of paths and of consistency. Pure. Any
// thread.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/community.h"

// The level of the largest complete subtree that begins behind `size` entries and has at most `n`.
unsigned frontier_level(uint64_t size, uint64_t n);
// Puts a complete subtree of 2^level entries behind what there is; size is a multiple of 2^level.
void frontier_append(struct frontier *frontier, unsigned level, const uint8_t node[HASH_SIZE]);
void frontier_root(const struct frontier *frontier, uint8_t root[HASH_SIZE]);

// RFC 9162 section 2.1.3.2: whether the path leads from the leaf at `index` (from 0) to the root of
// `size` entries. path: struct bytes of 32.
bool frontier_path_holds(struct list path, uint64_t index, uint64_t size,
                         const uint8_t leaf[HASH_SIZE], const uint8_t root[HASH_SIZE]) must_check;
// RFC 9162 section 2.1.4.2: whether the log of `size` entries begins with that of `old_size`.
bool frontier_is_consistent(struct list proof, uint64_t old_size, const uint8_t old_root[HASH_SIZE],
                            uint64_t size, const uint8_t root[HASH_SIZE]) must_check;
