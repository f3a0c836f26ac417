#pragma once

// Which item of an import has which name, by a hash of the name: 16 bytes a name, whatever it says.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashes_slot {
    uint64_t hash;
    uint32_t item; // counted from 1; 0: free
};

struct hashes {
    struct hashes_slot *slots;
    size_t slots_n; // a power of two, more than 1.5 times the names
    size_t n;
};

uint64_t hashes_of(const void *name, size_t n);
// The item of a name, or UINT32_MAX.
uint32_t hashes_find(const struct hashes *names, uint64_t hash);
// Notes a name that is not here yet. False without memory.
bool hashes_add(struct hashes *names, uint64_t hash, uint32_t item);
void hashes_done(struct hashes *names);
