#include "storage/key.h"

#include <assert.h>

static uint8_t *key_room(struct key *key, size_t n)
{
    assert(n <= TABLE_KEY_MAX - key->n);
    uint8_t *p = key->p + key->n;
    key->n += n;
    return p;
}

void key_u8(struct key *key, uint8_t v)
{
    *key_room(key, 1) = v;
}

void key_u16(struct key *key, uint16_t v)
{
    uint8_t *p = key_room(key, 2);
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void key_u32(struct key *key, uint32_t v)
{
    be32_put(key_room(key, 4), v);
}

void key_u64(struct key *key, uint64_t v)
{
    be64_put(key_room(key, 8), v);
}

void key_bytes(struct key *key, struct bytes bytes)
{
    uint8_t *p = key_room(key, bytes.n);
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
}
