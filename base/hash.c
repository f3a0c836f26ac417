// SHA256_* keep their state on the caller's stack; the EVP calls would allocate for each change.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hash.h"

void hash_begin_bare(struct hash *hash)
{
    SHA256_Init(&hash->ctx);
}

void hash_begin(struct hash *hash, const char *label)
{
    hash_begin_bare(hash);
    hash_put(hash, bytes_of(label, strlen(label) + 1));
}

void hash_put(struct hash *hash, struct bytes bytes)
{
    if (bytes.n)
        SHA256_Update(&hash->ctx, bytes.p, bytes.n);
}

void hash_put_sized(struct hash *hash, struct bytes bytes)
{
    hash_put_be32(hash, (uint32_t)bytes.n);
    hash_put(hash, bytes);
}

void hash_put_u8(struct hash *hash, uint8_t v)
{
    hash_put(hash, bytes_of(&v, 1));
}

void hash_put_be32(struct hash *hash, uint32_t v)
{
    uint8_t bytes[4];
    be32_put(bytes, v);
    hash_put(hash, BYTES(bytes));
}

void hash_put_be64(struct hash *hash, uint64_t v)
{
    uint8_t bytes[8];
    be64_put(bytes, v);
    hash_put(hash, BYTES(bytes));
}

void hash_end(struct hash *hash, uint8_t out[HASH_SIZE])
{
    SHA256_Final(out, &hash->ctx);
}
