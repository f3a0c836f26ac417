#include "client/command/hashes.h"

#include <stdlib.h>

// FNV-1a, 64 bits.
uint64_t hashes_of(const void *name, size_t n)
{
    const uint8_t *p = name;
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 0x100000001b3U;
    return hash;
}

static struct hashes_slot *slot_of(struct hashes_slot *slots, size_t slots_n, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (slots_n - 1);
    while (slots[i].item && slots[i].hash != hash)
        i = (i + 1) & (slots_n - 1);
    return &slots[i];
}

uint32_t hashes_find(const struct hashes *names, uint64_t hash)
{
    const struct hashes_slot *slot =
        names->slots_n ? slot_of(names->slots, names->slots_n, hash) : NULL;
    return slot && slot->item ? slot->item - 1 : UINT32_MAX;
}

static bool grow(struct hashes *names)
{
    size_t slots_n = names->slots_n ? 2 * names->slots_n : 1024;
    struct hashes_slot *slots = calloc(slots_n, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < names->slots_n; i++) {
        if (names->slots[i].item)
            *slot_of(slots, slots_n, names->slots[i].hash) = names->slots[i];
    }
    free(names->slots);
    names->slots = slots;
    names->slots_n = slots_n;
    return true;
}

bool hashes_add(struct hashes *names, uint64_t hash, uint32_t item)
{
    if (3 * (names->n + 1) > 2 * names->slots_n && !grow(names))
        return false;
    *slot_of(names->slots, names->slots_n, hash) = (struct hashes_slot){hash, item + 1};
    names->n++;
    return true;
}

void hashes_done(struct hashes *names)
{
    free(names->slots);
    *names = (struct hashes){0};
}
