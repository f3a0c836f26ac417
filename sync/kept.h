#pragma once

// What was made once for an answer and is the same for many devices: pieces that were packed, so
// that whoever pulls a whole community after others is given what was packed for them; and the
// signature of each log's last head. In memory alone, so that nothing of it outlives the process,
// and pieces are forgotten where words are erased. One thread.

#include "base/arena.h"
#include "base/hash.h"
#include "base/sign.h"
#include "proto/messages.h"

struct kept;

// What two pieces have in common that are the same.
struct kept_key {
    uint32_t community;
    uint32_t view;
    uint32_t packings;
    uint64_t from; // the position before its first entry
};

// bytes: of packs, at most. NULL: out of memory.
struct kept *kept_new(size_t bytes) must_check;
void kept_free(struct kept **kept);
// Keeps a copy of a piece that holds every entry of its range. authors: handles of whoever wrote
// one (HANDLE_SIZE each). now: ms; it is kept for some minutes, for words that were gone over since
// are no longer to be given whole.
void kept_put(struct kept *kept, const struct kept_key *key, const struct piece *piece,
              struct bytes authors, int64_t now);
// A copy in the arena of one that is kept, unless `author` (NULL: nobody) wrote one of its entries.
// False: there is none, or no memory.
bool kept_get(struct kept *kept, const struct kept_key *key, const uint8_t *author, int64_t now,
              struct arena *arena, struct piece *piece) must_check;
// All of a community's.
void kept_forget(struct kept *kept, uint32_t community);

struct kept_head {
    uint8_t community[COMMUNITY_SIZE];
    uint8_t log[HANDLE_SIZE];
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

// Keeps the signature of a head; one for each community.
void kept_put_signature(struct kept *kept, const struct kept_head *head,
                        const uint8_t signature[SIGN_SIZE]);
// False: this head's is not kept.
bool kept_get_signature(const struct kept *kept, const struct kept_head *head,
                        uint8_t signature[SIGN_SIZE]) must_check;
