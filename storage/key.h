#pragma once

// Private to storage/: keys of rows, written part by part so that they sort like their numbers. Any
// thread.

#include "base/bytes.h"

enum { TABLE_KEY_MAX = 128 };

// A key under construction: big-endian parts one after the other.
struct key {
    uint8_t p[TABLE_KEY_MAX];
    size_t n;
};

void key_u8(struct key *key, uint8_t v);
void key_u16(struct key *key, uint16_t v);
void key_u32(struct key *key, uint32_t v);
void key_u64(struct key *key, uint64_t v);
void key_bytes(struct key *key, struct bytes bytes);

static inline struct bytes key_of(const struct key *key)
{
    return bytes_of(key->p, key->n);
}
