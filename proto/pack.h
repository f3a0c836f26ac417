#pragma once

// Packs: bytes plain or as one zstd frame (RFC 8878), bounded before and after. Any thread.

#include "proto/messages.h"

// Packs bytes (at most PACK_MAX) with zstd where that is allowed and makes them smaller, else
// plain. The data is the arena's.
enum err pack_make(struct bytes bytes, bool zstd, struct arena *arena,
                   struct pack *pack) must_check;

// The bytes of a pack, borrowed (plain) or from the arena. ERR_LIMIT when it claims more than
// PACK_MAX, ERR_MALFORMED when it holds something else than it claims or is of another packing.
enum err pack_open(const struct pack *pack, struct arena *arena, struct bytes *bytes,
                   struct fault *fault) must_check;
