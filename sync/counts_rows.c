// Rows that add up sums: gathered over a settling, so that each row is written once.

#include <stdlib.h>

#include "sync/counts_private.h"

struct addend {
    struct count_key key;
    uint32_t cell;
    int32_t by;
    uint32_t place; // where in the texts
    uint32_t category;
};

static void put_addend(struct counting *c, const struct addend *addend, uint32_t cell, int32_t by)
{
    struct addend put = *addend;
    put.cell = cell;
    put.by = by;
    buf_put(&c->changes, bytes_of(&put, sizeof put));
}

static uint32_t keep_text(struct counting *c, const struct counts_text *text)
{
    uint32_t at = (uint32_t)c->texts.n;
    buf_put_u8(&c->texts, text->n);
    buf_put(&c->texts, bytes_of(text->p, text->n));
    return at;
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
        key->place = 0;
    }
}

static void find_keys(struct counting *c, uint32_t kind, const struct sum *sum, struct keys *keys)
{
    static const struct counts_text none;
    struct addend addend = {.key = count_key_of(kind, &sum->place, &none)};
    bool has_place = sum->place.n > 0;
    keys->n = 0;
    if (c->texts.n == 0)
        keep_text(c, &none); // at 0
    addend.place = has_place ? keep_text(c, &sum->place) : 0;
    add_key(keys, &addend, false);
    if (has_place)
        add_key(keys, &addend, true);
    for (size_t i = 0; i < sum->categories_n; i++) {
        struct count_key of = count_key_of(kind, &none, &sum->categories[i]);
        memcpy(addend.key.category, of.category, COUNT_HASH_SIZE);
        addend.category = keep_text(c, &sum->categories[i]);
        add_key(keys, &addend, false);
        if (has_place)
            add_key(keys, &addend, true);
    }
}

static bool same_text(const struct counts_text *a, const struct counts_text *b)
{
    return bytes_equal(bytes_of(a->p, a->n), bytes_of(b->p, b->n));
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

static void set_text(const struct counting *c, uint32_t at, struct counts_text *text)
{
    text->n = c->texts.p[at];
    memcpy(text->p, c->texts.p + at + 1, text->n);
}

// The changes of one row, which stand one after the other. The order does not matter, so numbers
// may go through 0 on the way.
static void write_row(struct counting *c, const struct addend *changes, size_t n)
{
    struct count count;
    enum err err = count_get(c->txn, c->community, &changes->key, &count);
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return;
    if (err == ERR_NOT_FOUND) {
        set_text(c, changes->place, &count.place);
        set_text(c, changes->category, &count.category);
    }
    for (size_t i = 0; i < n; i++)
        count.cells[changes[i].cell] += (uint32_t)changes[i].by;
    count_put(c->txn, c->community, &changes->key, &count);
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
