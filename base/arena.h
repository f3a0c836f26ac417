#pragma once

// Memory that lives as long as one request and is freed at once, with a cap, so that no input can
// ask for more than its request was granted. One thread at a time.

#include "base/bytes.h"
#include "base/err.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;  // bytes handed out
    size_t max;   // bytes that may be handed out
    enum err err; // why something was refused first: ERR_LIMIT by the cap, ERR_NOMEM by the system
    bool is_lent; // the memory is the caller's
};

// max in bytes.
void arena_init(struct arena *arena, size_t max);
// In memory of the caller's, n bytes aligned for any type: the system is asked for none, so only
// the cap refuses. A few of the bytes are the arena's own.
void arena_init_lent(struct arena *arena, void *memory, size_t n);
void arena_done(struct arena *arena);
// Zeroed memory, aligned for any type, owned by the arena; NULL when the cap or memory is reached.
void *arena_alloc(struct arena *arena, size_t count, size_t size);
// A copy owned by the arena; p is NULL when there was no room (and n was not 0).
struct bytes arena_copy(struct arena *arena, struct bytes bytes);

#define ARENA_CLEANUP __attribute__((cleanup(arena_done)))
