#include "client/titles.h"

#include <stdlib.h>

#include "client/present.h"
#include "proto/schema.h"

struct title {
    uint64_t hash;
    struct record_key record;
    uint32_t next; // in the slot's chain, counted from 1; 0: the last
};

enum { SLOTS = 4096 };

struct titles {
    uint32_t slots[SLOTS];
    struct title *titles;
    size_t n;
    size_t cap;
    bool spoilt;
};

// FNV-1a: a clash costs one look at a record, no more.
static uint64_t hash_of(struct bytes title)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < title.n; i++)
        hash = (hash ^ title.p[i]) * 1099511628211u;
    return hash;
}

static void note(struct titles *titles, const struct record_key *record, struct bytes title)
{
    if (titles->n == titles->cap) {
        size_t cap = titles->cap ? titles->cap * 2 : 256;
        struct title *grown =
            cap <= UINT32_MAX ? realloc(titles->titles, cap * sizeof *grown) : NULL;
        if (!grown) {
            titles->spoilt = true;
            return;
        }
        titles->titles = grown;
        titles->cap = cap;
    }
    uint64_t hash = hash_of(title);
    uint32_t *slot = &titles->slots[hash % SLOTS];
    titles->titles[titles->n++] = (struct title){hash, *record, *slot};
    *slot = (uint32_t)titles->n;
}

void titles_note(struct titles *titles, const struct record_key *record, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    while (titles && !wire_at_end(&reader)) {
        struct wire_field field;
        if (wire_next(&reader, &field))
            return;
        if (field.number == FIELD_TITLE && field.type == WIRE_SIZED)
            note(titles, record, field.bytes);
    }
}

// --- reading them all ---

struct reading {
    struct txn *txn;
    uint32_t community;
    struct titles *titles;
    struct arena arena;
};

static bool read_one(const struct live *live, void *arg)
{
    struct reading *reading = arg;
    struct wire_field field;
    if (live->field != FIELD_TITLE)
        return true;
    enum err err = present_words(reading->txn, reading->community, live->position, live->key.index,
                                 &reading->arena, &field);
    // What is damaged is counted by the transaction.
    reading->titles->spoilt |= err && err != ERR_DAMAGED && err != ERR_NOT_FOUND;
    if (!err && field.type == WIRE_SIZED)
        note(reading->titles, &live->key.record, field.bytes);
    return true;
}

static void read_kind(struct reading *reading, uint32_t kind)
{
    struct record_key record;
    enum err err = live_next_record(reading->txn, reading->community, kind, NULL, &record);
    while (!err) {
        arena_init(&reading->arena, RECORD_MAX);
        err = live_each(reading->txn, reading->community, &record, read_one, reading);
        arena_done(&reading->arena);
        uint8_t after[ID_SIZE];
        memcpy(after, record.id, ID_SIZE);
        if (!err || err == ERR_DAMAGED)
            err = live_next_record(reading->txn, reading->community, kind, after, &record);
    }
    reading->titles->spoilt |= err != ERR_NOT_FOUND && err != ERR_DAMAGED;
}

struct titles *titles_read(struct txn *txn, uint32_t community)
{
    struct titles *titles = calloc(1, sizeof *titles);
    struct reading reading = {.txn = txn, .community = community, .titles = titles};
    uint64_t damage = txn_damage(txn);
    for (uint32_t kind = 1; titles && schema_kind(kind); kind++) {
        if (kind != KIND_VOICE && kind != KIND_SAME_AS && kind != KIND_DECISION)
            read_kind(&reading, kind);
    }
    if (titles && titles->spoilt)
        titles_free(&titles);
    else if (titles)
        titles->spoilt = txn_damage(txn) != damage;
    return titles;
}

void titles_free(struct titles **titles)
{
    if (!*titles)
        return;
    free((*titles)->titles);
    free(*titles);
    *titles = NULL;
}

bool titles_are_spoilt(const struct titles *titles)
{
    return titles->spoilt;
}

void titles_each(const struct titles *titles, struct bytes title,
                 bool (*each)(const struct record_key *, void *), void *arg)
{
    uint64_t hash = hash_of(title);
    for (uint32_t at = titles->slots[hash % SLOTS]; at; at = titles->titles[at - 1].next) {
        if (titles->titles[at - 1].hash == hash && !each(&titles->titles[at - 1].record, arg))
            return;
    }
}
