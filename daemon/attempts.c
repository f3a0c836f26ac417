#include "daemon/attempts.h"

#include <stdlib.h>
#include <xxhash.h>

#include "daemon/random.h"

enum { MINUTE_MS = 60000 };

// Counts in attempts times MINUTE_MS, so that a millisecond's share is a whole number.
struct bucket {
    uint64_t left;
    int64_t filled; // when
};

struct attempts {
    uint32_t per_address;
    uint32_t in_all;
    uint64_t secret; // so that nobody can choose whom to share a slot with
    struct bucket all;
    struct bucket slots[ATTEMPTS_SLOTS]; // addresses of one hash share a bucket
};

struct attempts *attempts_new(uint32_t per_address, uint32_t in_all)
{
    struct attempts *attempts = calloc(1, sizeof *attempts);
    if (!attempts)
        return NULL;
    attempts->per_address = per_address;
    attempts->in_all = in_all;
    random_fill(&attempts->secret, sizeof attempts->secret);
    attempts->all.filled = INT64_MIN / 2;
    for (size_t i = 0; i < ATTEMPTS_SLOTS; i++)
        attempts->slots[i].filled = INT64_MIN / 2;
    return attempts;
}

void attempts_free(struct attempts **attempts)
{
    free(*attempts);
    *attempts = NULL;
}

static void fill(struct bucket *bucket, uint32_t per_minute, int64_t now)
{
    uint64_t most = (uint64_t)per_minute * MINUTE_MS;
    int64_t since = now - bucket->filled;
    if (since > MINUTE_MS)
        bucket->left = most;
    else if (since > 0)
        bucket->left += (uint64_t)since * per_minute;
    if (bucket->left > most)
        bucket->left = most;
    bucket->filled = now;
}

static struct bucket *bucket_of(struct attempts *attempts, const uint8_t *address)
{
    uint64_t hash = XXH3_64bits_withSeed(address, ATTEMPTS_ADDRESS_SIZE, attempts->secret);
    return &attempts->slots[hash % ATTEMPTS_SLOTS];
}

bool attempts_take(struct attempts *attempts, const uint8_t *address, int64_t now)
{
    struct bucket *own = address ? bucket_of(attempts, address) : NULL;
    if (own)
        fill(own, attempts->per_address, now);
    fill(&attempts->all, attempts->in_all, now);
    if (attempts->all.left < MINUTE_MS || (own && own->left < MINUTE_MS))
        return false;
    attempts->all.left -= MINUTE_MS;
    if (own)
        own->left -= MINUTE_MS;
    return true;
}

void attempts_give_back(struct attempts *attempts, const uint8_t *address)
{
    // Above the brim it is cut off at the next filling.
    attempts->all.left += MINUTE_MS;
    if (address)
        bucket_of(attempts, address)->left += MINUTE_MS;
}
