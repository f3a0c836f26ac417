#pragma once

// SHA-256 (FIPS 180-4) over a label of its own and then fixed-width or length-prefixed fields.
// Every preimage of the protocol is made with these calls, integers big-endian. Any thread.

#include <openssl/sha.h>

#include "base/bytes.h"

enum { HASH_SIZE = 32 };

struct hash {
    SHA256_CTX ctx;
};

// Starts with the label and a zero byte.
void hash_begin(struct hash *hash, const char *label);
// Starts with nothing: only for RFC 9162 trees, which have prefixes of their own.
void hash_begin_bare(struct hash *hash);
void hash_put(struct hash *hash, struct bytes bytes);
// The length as 4 bytes, then the bytes.
void hash_put_sized(struct hash *hash, struct bytes bytes);
void hash_put_u8(struct hash *hash, uint8_t v);
void hash_put_be32(struct hash *hash, uint32_t v);
void hash_put_be64(struct hash *hash, uint64_t v);
void hash_end(struct hash *hash, uint8_t out[HASH_SIZE]);
