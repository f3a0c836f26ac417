#include "sync/joined.h"

#include <stdlib.h>

#include "base/hash.h"
#include "proto/schema.h"
#include "sync/collect.h"

enum { MEMBERS_MAX = 1000000, SLOTS_MIN = 64 };

// Members of a group stand one after the other, in the order in which they were met.
struct member {
    uint8_t id[ID_SIZE];
    uint32_t group;
};

struct group {
    uint32_t first; // member
    uint8_t root[ID_SIZE];
};

struct joined {
    struct txn *txn;
    uint32_t community;
    uint32_t kind;
    struct member *members;
    size_t n;
    size_t cap;
    struct group *all; // groups
    uint32_t groups;
    uint32_t *slots; // a hash table of members, 1 + index; 0: free
    size_t slots_n;  // a power of two, over twice n
    enum err err;
};

struct joined *joined_new(struct txn *txn, uint32_t community, uint32_t kind)
{
    struct joined *joined = calloc(1, sizeof *joined);
    if (!joined)
        return NULL;
    *joined = (struct joined){.txn = txn, .community = community, .kind = kind};
    return joined;
}

void joined_free(struct joined **joined)
{
    if (!*joined)
        return;
    free((*joined)->members);
    free((*joined)->all);
    free((*joined)->slots);
    free(*joined);
    *joined = NULL;
}

// Ids may be chosen by whoever wants them to collide, hence a hash that they cannot choose.
static size_t slot_of(const struct joined *joined, const uint8_t id[ID_SIZE])
{
    uint8_t out[HASH_SIZE];
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put(&hash, bytes_of(id, ID_SIZE));
    hash_end(&hash, out);
    size_t slot = (size_t)be64_get(out) & (joined->slots_n - 1);
    while (joined->slots[slot] &&
           memcmp(joined->members[joined->slots[slot] - 1].id, id, ID_SIZE) != 0)
        slot = (slot + 1) & (joined->slots_n - 1);
    return slot;
}

static enum err grow(struct joined *joined)
{
    size_t cap = joined->cap ? 2 * joined->cap : SLOTS_MIN / 4;
    struct member *members = realloc(joined->members, cap * sizeof *members);
    if (members)
        joined->members = members;
    struct group *all = members ? realloc(joined->all, cap * sizeof *all) : NULL;
    if (all)
        joined->all = all;
    uint32_t *slots = all ? calloc(4 * cap, sizeof *slots) : NULL;
    if (!slots)
        return ERR_NOMEM;
    free(joined->slots);
    joined->slots = slots;
    joined->slots_n = 4 * cap;
    joined->cap = cap;
    for (size_t i = 0; i < joined->n; i++)
        joined->slots[slot_of(joined, joined->members[i].id)] = (uint32_t)i + 1;
    return OK;
}

static enum err add(struct joined *joined, const uint8_t id[ID_SIZE], uint32_t group)
{
    enum err err = joined->n == joined->cap ? grow(joined) : OK;
    if (joined->n == MEMBERS_MAX)
        err = ERR_LIMIT;
    if (err)
        return err;
    size_t slot = slot_of(joined, id);
    struct member *member = &joined->members[joined->n++];
    memcpy(member->id, id, ID_SIZE);
    member->group = group;
    joined->slots[slot] = (uint32_t)joined->n;
    return OK;
}

// 1 + the index of the member, 0 when it is none.
static uint32_t find(const struct joined *joined, const uint8_t id[ID_SIZE])
{
    return joined->slots_n ? joined->slots[slot_of(joined, id)] : 0;
}

// A SameAs joins while one of its live `same` edits is true.
static bool same_holds(const struct joined *joined, const struct record_key *same_as)
{
    struct collection collection COLLECT_CLEANUP = {0};
    bool holds = false;
    if (txn_failed(joined->txn,
                   collect_record(joined->txn, joined->community, same_as, &collection)))
        return false;
    for (size_t i = 0; i < collection.n && !holds; i++) {
        struct wire_field field;
        holds = collection.edits[i].field == FIELD_SAME &&
                !txn_failed(joined->txn, collect_edit(joined->txn, joined->community,
                                                      &collection.edits[i], &field)) &&
                field.type == WIRE_VARINT && field.value == 1;
    }
    return holds;
}

static bool meet(const struct record_key *same_as, struct bytes other, void *arg)
{
    struct joined *joined = arg;
    if (other.n == ID_SIZE && !find(joined, other.p) && same_holds(joined, same_as))
        joined->err = add(joined, other.p, joined->groups - 1);
    return !joined->err;
}

static void set_root(struct joined *joined, uint32_t group)
{
    size_t first = joined->all[group].first;
    size_t least = first;
    for (size_t i = first + 1; i < joined->n; i++) {
        if (memcmp(joined->members[i].id, joined->members[least].id, ID_SIZE) < 0)
            least = i;
    }
    memcpy(joined->all[group].root, joined->members[least].id, ID_SIZE);
}

const uint8_t *joined_root(const struct joined *joined, uint32_t group)
{
    return joined->all[group].root;
}

static enum err walk_group(struct joined *joined, const uint8_t id[ID_SIZE])
{
    size_t first = joined->n;
    enum err err = add(joined, id, joined->groups);
    if (err)
        return err;
    struct group *group = &joined->all[joined->groups++];
    group->first = (uint32_t)first;
    for (size_t i = first; i < joined->n && !err; i++) {
        struct record_key key = {.kind = joined->kind};
        memcpy(key.id, joined->members[i].id, ID_SIZE);
        err = about_each(joined->txn, joined->community, &key, KIND_SAME_AS, meet, joined);
        err = err ? err : joined->err;
    }
    set_root(joined, joined->groups - 1);
    return err;
}

enum err joined_group(struct joined *joined, const uint8_t id[ID_SIZE], uint32_t *group)
{
    uint32_t at = find(joined, id);
    enum err err = OK;
    if (!at) {
        err = walk_group(joined, id);
        at = joined->groups ? joined->all[joined->groups - 1].first + 1 : 0;
    }
    if (!err)
        *group = joined->members[at - 1].group;
    return err;
}

bool joined_member(const struct joined *joined, uint32_t group, size_t i, struct record_key *record)
{
    if (group >= joined->groups || i >= joined->n - joined->all[group].first)
        return false;
    const struct member *member = &joined->members[joined->all[group].first + i];
    record->kind = joined->kind;
    memcpy(record->id, member->id, ID_SIZE);
    return member->group == group;
}
