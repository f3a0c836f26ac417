#pragma once

// Packs: bytes plain, as one zstd frame (RFC 8878), or as columns in one; bounded before and after.
// Any thread.

#include "proto/columns.h"
#include "proto/messages.h"

// What may be spent on packing: a hub's thread serves everybody, a phone pays for each byte.
enum pack_effort { PACK_QUICK, PACK_WELL };

struct pack_wish {
    uint32_t packings;  // those allowed, bit n for packing n; plain always is
    enum columns_of of; // what the bytes are, for columns
    enum pack_effort effort;
};

// Packs bytes (at most PACK_MAX) in the smallest form that is allowed. The data is the arena's.
enum err pack_make(struct bytes bytes, const struct pack_wish *wish, struct arena *arena,
                   struct pack *pack) must_check;

// The bytes of a pack, borrowed (plain) or from the arena. ERR_LIMIT when it claims more than
// PACK_MAX, ERR_MALFORMED when it holds something else than it claims or is of another packing.
enum err pack_open(const struct pack *pack, struct arena *arena, struct bytes *bytes,
                   struct fault *fault) must_check;
