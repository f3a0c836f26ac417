#include "tests/sim/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/merge.h"
#include "tests/sync/world.h"

enum { REGISTRY_MAX = 1 << 30, SLOTS_MIN = 1024 };

void registry_done(struct registry *registry)
{
    arena_done(&registry->arena);
    free(registry->p);
    free(registry->slots);
}

static bool is_it(const struct written *written, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                  uint32_t tag)
{
    return written->seq == seq && written->tag == tag &&
           memcmp(written->device, device, HANDLE_SIZE) == 0;
}

static size_t slot_of(const struct registry *registry, const uint8_t device[HANDLE_SIZE],
                      uint32_t seq, uint32_t tag)
{
    size_t slot = (be32_get(device) ^ seq * 2654435761U ^ tag) & (registry->slots_n - 1);
    while (registry->slots[slot] &&
           !is_it(&registry->p[registry->slots[slot] - 1], device, seq, tag))
        slot = (slot + 1) & (registry->slots_n - 1);
    return slot;
}

struct written *registry_find(const struct registry *registry, const uint8_t device[HANDLE_SIZE],
                              uint32_t seq, uint32_t tag)
{
    uint32_t found = registry->slots[slot_of(registry, device, seq, tag)];
    return found ? &registry->p[found - 1] : NULL;
}

static void grow_slots(struct registry *registry)
{
    size_t n = registry->slots_n < SLOTS_MIN ? SLOTS_MIN : registry->slots_n * 2;
    free(registry->slots);
    registry->slots = calloc(n, sizeof *registry->slots);
    world_must(registry->slots && n, "out of memory");
    registry->slots_n = n;
    for (size_t i = 0; i < registry->n; i++) {
        const struct written *one = &registry->p[i];
        registry->slots[slot_of(registry, one->device, one->seq, one->tag)] = (uint32_t)i + 1;
    }
}

void registry_init(struct registry *registry)
{
    *registry = (struct registry){.n = 0};
    arena_init(&registry->arena, REGISTRY_MAX);
    grow_slots(registry);
}

// Room for one more.
static struct written *grow(struct registry *registry)
{
    if (registry->n == registry->cap) {
        registry->cap = registry->cap ? registry->cap * 2 : 256;
        registry->p = realloc(registry->p, registry->cap * sizeof *registry->p);
    }
    world_must(registry->p, "out of memory");
    if (registry->n * 2 >= registry->slots_n)
        grow_slots(registry);
    return &registry->p[registry->n];
}

// The words or the title.
static struct bytes words_of(struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        if (field.number == FIELD_WORDS || field.number == FIELD_TITLE)
            return field.bytes;
    }
    return (struct bytes){0};
}

struct written *registry_add(struct registry *registry, const uint8_t key[KEY_SIZE],
                             const struct log_entry *entry, const struct log_body *body)
{
    struct envelope envelope;
    struct written *known = registry_find(registry, entry->device, entry->seq, log_tag(entry));
    if (known)
        return known;
    struct written *added = grow(registry);
    *added = (struct written){.seq = entry->seq, .tag = log_tag(entry)};
    memcpy(added->device, entry->device, HANDLE_SIZE);
    memcpy(added->key, key, KEY_SIZE);
    memcpy(added->salt, body->salt, SALT_SIZE);
    added->envelope = arena_copy(&registry->arena, entry->envelope);
    added->fields = arena_copy(&registry->arena, body->fields);
    world_must(!envelope_decode(added->envelope, &registry->arena, &envelope, NULL),
               "a device wrote an envelope that is none");
    merge_record(&envelope, entry->device, entry->seq, added->tag, &added->record);
    added->class = envelope.class;
    bool needs_parts = envelope.kind == KIND_VOICE || envelope.kind == KIND_SAME_AS;
    added->is_nameless = needs_parts && envelope.parts.n != 2;
    added->words = words_of(added->fields);
    registry->slots[slot_of(registry, entry->device, entry->seq, added->tag)] =
        (uint32_t)++registry->n;
    return added;
}

void registry_tell(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        const struct written *w = &registry->p[i];
        (void)fprintf(stderr,
                      "  device %08x change %u tag %08x, record %u:%08x…%08x, on the hub at %llu, "
                      "by %x, erased by %x%s%s: \"%.*s\"\n",
                      be32_get(w->device), w->seq, w->tag, w->record.kind, be32_get(w->record.id),
                      be32_get(w->record.id + 12), (unsigned long long)w->position, w->authors,
                      w->erasers, w->is_erased ? ", erased" : "", w->is_lost ? ", lost" : "",
                      (int)w->words.n, (const char *)w->words.p);
    }
}
