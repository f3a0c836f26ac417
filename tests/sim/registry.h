#pragma once

// Every change that anybody in a simulated world has written, as it was committed on the device of
// its author: what must not get lost, and what nobody else may have made. Kept in memory, by the
// simulator alone.

#include "base/arena.h"
#include "base/hash.h"
#include "proto/messages.h"
#include "storage/log.h"
#include "storage/record.h"

struct written {
    uint8_t device[HANDLE_SIZE];
    uint8_t key[KEY_SIZE];
    uint32_t seq;
    uint32_t tag;
    uint8_t salt[SALT_SIZE];
    struct bytes envelope;
    struct bytes fields;
    struct record_key record;
    uint32_t class;
    bool is_nameless;    // a Voice or SameAs without parts: nothing comes of it anywhere
    struct bytes words;  // what it says, unlike any other; empty: it says nothing
    uint64_t position;   // where it stands in the hub's log, first; 0: it does not
    bool is_lost;        // with the disk that it was on, before anybody else had it
    bool is_erased;      // its author asked for that
    uint32_t authors;    // bit i: device i has written it, or was copied from who has
    bool had_words;      // before the erasure that is under way
    uint32_t erasers;    // bit i: device i has destroyed the words of itself
    bool was_never_sent; // its words: they were erased before
};

struct registry {
    struct arena arena;
    struct written *p;
    size_t n;
    size_t cap;
    uint32_t *slots; // a hash table of 1 + index; 0: free
    size_t slots_n;
};

void registry_init(struct registry *registry);
// Prints all that was written to standard error.
void registry_tell(const struct registry *registry);
void registry_done(struct registry *registry);
// The change, NULL when nobody wrote it. Valid until the next one is added.
struct written *registry_find(const struct registry *registry, const uint8_t device[HANDLE_SIZE],
                              uint32_t seq, uint32_t tag);
// Adds a whole change as it stands in its author's store; bytes are copied. One that is known is
// returned as it is.
struct written *registry_add(struct registry *registry, const uint8_t key[KEY_SIZE],
                             const struct log_entry *entry, const struct log_body *body);
