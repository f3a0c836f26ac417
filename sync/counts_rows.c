// Rows that add up sums: gathered over a settling, so that each row is written once.

#include <stdlib.h>

#include "sync/counts_private.h"

struct said {
    uint64_t position;
    uint32_t index;
    uint32_t unused;
};

struct addend {
    struct count_key key;
    uint32_t cell;
    int32_t by;
    struct said place; // where it says so
    struct said category;
};

static void put_addend(struct counting *c, const struct addend *addend, uint32_t cell, int32_t by)
{
    struct addend put = *addend;
    put.cell = cell;
    put.by = by;
    buf_put(&c->changes, bytes_of(&put, sizeof put));
}

static struct said said_in(const struct counts_text *text)
{
    return (struct said){.position = text->position, .index = text->index};
}

// --- what a sum adds to ---

enum { KEYS_MAX = 2 * (COUNTS_CATEGORIES_MAX + 1) };

struct keys {
    struct addend all[KEYS_MAX]; // without cell
    size_t n;
};

static void add_key(struct keys *keys, const struct addend *of, bool with_place)
{
    struct addend *key = &keys->all[keys->n++];
    *key = *of;
    if (!with_place) {
        memset(key->key.place, 0, COUNT_HASH_SIZE);
        key->place = (struct said){.position = 0};
    }
}

static bool load(struct counting *c, bool is_place, struct counts_text *text)
{
    bool loaded = counts_load(c->txn, c->community, c->words, is_place, text);
    c->lost |= !loaded;
    return loaded;
}

static void find_keys(struct counting *c, uint32_t kind, const struct sum *sum, struct keys *keys)
{
    static const struct counts_text none;
    struct counts_text place = sum->place;
    bool has_place = sum->place.position != 0;
    keys->n = 0;
    if (!load(c, true, &place))
        return;
    struct addend addend = {.key = count_key_of(kind, &place, &none), .place = said_in(&place)};
    add_key(keys, &addend, false);
    if (has_place)
        add_key(keys, &addend, true);
    for (size_t i = 0; i < sum->categories_n; i++) {
        struct counts_text category = sum->categories[i];
        if (!load(c, false, &category))
            return;
        struct count_key of = count_key_of(kind, &none, &category);
        memcpy(addend.key.category, of.category, COUNT_HASH_SIZE);
        addend.category = said_in(&category);
        add_key(keys, &addend, false);
        if (has_place)
            add_key(keys, &addend, true);
    }
}

static bool same_text(const struct counts_text *a, const struct counts_text *b)
{
    return a->position == b->position && a->index == b->index;
}

static bool same_keys(const struct sum *a, const struct sum *b)
{
    bool same = same_text(&a->place, &b->place) && a->categories_n == b->categories_n;
    for (size_t i = 0; same && i < a->categories_n; i++)
        same = same_text(&a->categories[i], &b->categories[i]);
    return same;
}

static void put_cells(struct counting *c, const struct keys *keys, const uint32_t was[COUNT_CELLS],
                      const uint32_t is[COUNT_CELLS])
{
    for (uint32_t cell = 0; cell < COUNT_CELLS; cell++) {
        int32_t by = (int32_t)(is[cell] - was[cell]);
        for (size_t i = 0; by && i < keys->n; i++)
            put_addend(c, &keys->all[i], cell, by);
    }
}

void counts_sum_changed(struct counting *c, uint32_t kind, const struct sum *was,
                        const struct sum *is)
{
    static const uint32_t none[COUNT_CELLS];
    uint32_t before[COUNT_CELLS];
    uint32_t now[COUNT_CELLS];
    struct keys keys;
    count_of_sum(was, before);
    count_of_sum(is, now);
    if (memcmp(before, now, sizeof now) == 0 && same_keys(was, is))
        return;
    find_keys(c, kind, is, &keys);
    if (same_keys(was, is)) {
        put_cells(c, &keys, before, now);
        return;
    }
    put_cells(c, &keys, none, now);
    find_keys(c, kind, was, &keys);
    put_cells(c, &keys, before, none);
}

void counts_heard_changed(struct counting *c, const struct heard *heard, int32_t by)
{
    struct sum sum = {.place = heard->place};
    struct keys keys;
    find_keys(c, KIND_PERSON, &sum, &keys);
    for (size_t i = 0; i < keys.n; i++)
        put_addend(c, &keys.all[i], heard->party, by);
}

// --- writing them ---

static int by_key(const void *a, const void *b)
{
    const struct addend *x = a;
    const struct addend *y = b;
    return memcmp(&x->key, &y->key, sizeof x->key);
}

static bool is_same(const struct counts_text *text, const struct said *said)
{
    return text->position == said->position && text->index == said->index;
}

// What is added says the text; what is taken away alone does so no more.
static void note_example(const struct addend *addend, struct count *count)
{
    if (addend->by > 0) {
        count->place = (struct counts_text){.position = addend->place.position,
                                            .index = (uint8_t)addend->place.index};
        count->category = (struct counts_text){.position = addend->category.position,
                                               .index = (uint8_t)addend->category.index};
    } else if (is_same(&count->place, &addend->place) &&
               is_same(&count->category, &addend->category)) {
        count->place = (struct counts_text){.n = 0};
        count->category = (struct counts_text){.n = 0};
    }
}

// The changes of one row, which stand one after the other. The order does not matter, so numbers
// may go through 0 on the way.
static void write_row(struct counting *c, const struct addend *addends, size_t n)
{
    struct count count;
    enum err err = count_get(c->txn, c->community, &addends->key, &count);
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return;
    for (int by = -1; by <= 1; by += 2) {
        for (size_t i = 0; i < n; i++) {
            if ((addends[i].by > 0) == (by > 0))
                note_example(&addends[i], &count);
        }
    }
    for (size_t i = 0; i < n; i++)
        count.cells[addends[i].cell] += (uint32_t)addends[i].by;
    count_put(c->txn, c->community, &addends->key, &count);
}

void counts_rows(struct counting *c)
{
    struct addend *all = (struct addend *)(void *)c->changes.p;
    size_t n = c->changes.n / sizeof *all;
    if (n > 1)
        qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0, next; i < n && !c->lost && !txn_error(c->txn); i = next) {
        for (next = i + 1; next < n && by_key(&all[next], &all[i]) == 0;)
            next++;
        write_row(c, &all[i], next - i);
    }
}
