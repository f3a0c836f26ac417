// Rows that add up sums: gathered over a settling, so that each row is written once.

#include <stdlib.h>

#include "sync/counts_private.h"

// One row, as it will be.
struct row {
    struct count_key key;
    struct count count;
};

static struct row *row_at(struct counting *c, size_t i)
{
    return (struct row *)(void *)(c->rows.p + i * sizeof(struct row));
}

// Keys are hashes already.
static uint32_t *slot_of(struct counting *c, const struct count_key *key)
{
    uint32_t *slots = (uint32_t *)(void *)c->slots.p;
    size_t n = c->slots.n / sizeof *slots;
    size_t at = (be64_get(key->place) ^ be64_get(key->category) * 3 ^ key->kind) & (n - 1);
    while (slots[at] && memcmp(&row_at(c, slots[at] - 1)->key, key, sizeof *key) != 0)
        at = (at + 1) & (n - 1);
    return &slots[at];
}

// Twice as many slots, a power of two and over twice the rows.
static bool make_room(struct counting *c)
{
    size_t rows = c->rows.n / sizeof(struct row);
    size_t n = c->slots.n ? 2 * c->slots.n : 64 * sizeof(uint32_t);
    buf_reset(&c->slots);
    uint8_t *room = buf_room(&c->slots, n);
    if (!room)
        return false;
    memset(room, 0, n);
    c->slots.n = n;
    for (size_t i = 0; i < rows; i++)
        *slot_of(c, &row_at(c, i)->key) = (uint32_t)i + 1;
    return true;
}

// Read once, and written once at the end. NULL when the counts are lost.
static struct row *row_of(struct counting *c, const struct count_key *key)
{
    struct row row = {.key = *key};
    size_t rows = c->rows.n / sizeof row;
    if (c->lost || (2 * (rows + 1) * sizeof(uint32_t) > c->slots.n && !make_room(c)))
        return NULL;
    uint32_t *slot = slot_of(c, key);
    if (*slot)
        return row_at(c, *slot - 1);
    enum err err = count_get(c->txn, c->community, key, &row.count);
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return NULL;
    buf_put(&c->rows, bytes_of(&row, sizeof row));
    if (c->rows.err)
        return NULL;
    *slot = (uint32_t)rows + 1;
    return row_at(c, rows);
}

// --- what a sum adds to ---

enum { KEYS_MAX = 2 * (COUNTS_CATEGORIES_MAX + 1) };

struct keys {
    struct {
        struct count_key key;
        struct counts_text place; // where it says so
        struct counts_text category;
    } all[KEYS_MAX];
    size_t n;
};

// place: NULL: of all places.
static void add_key(struct keys *keys, const struct count_key *of, const struct counts_text *place,
                    const struct counts_text *category)
{
    size_t i = keys->n++;
    memset(&keys->all[i], 0, sizeof keys->all[i]);
    keys->all[i].key = *of;
    if (place)
        keys->all[i].place = *place;
    else
        memset(keys->all[i].key.place, 0, COUNT_HASH_SIZE);
    keys->all[i].category = *category;
}

static bool load(struct counting *c, bool is_place, struct counts_text *text)
{
    bool loaded = counts_load_again(c, is_place, text);
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
    struct count_key key = count_key_of(kind, &place, &none);
    add_key(keys, &key, NULL, &none);
    if (has_place)
        add_key(keys, &key, &place, &none);
    for (size_t i = 0; i < sum->categories_n; i++) {
        struct counts_text category = sum->categories[i];
        if (!load(c, false, &category))
            return;
        struct count_key of = count_key_of(kind, &none, &category);
        memcpy(key.category, of.category, COUNT_HASH_SIZE);
        add_key(keys, &key, NULL, &category);
        if (has_place)
            add_key(keys, &key, &place, &category);
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

static struct counts_text stands(const struct counts_text *text)
{
    return (struct counts_text){.position = text->position, .index = text->index};
}

// An example says the text. One that says it no more is none.
static void note_example(struct count *count, const struct counts_text *place,
                         const struct counts_text *category, bool says_it)
{
    bool is_example = same_text(&count->place, place) && same_text(&count->category, category);
    if (says_it) {
        count->place = stands(place);
        count->category = stands(category);
    } else if (is_example) {
        count->place = (struct counts_text){.n = 0};
        count->category = (struct counts_text){.n = 0};
    }
}

// says_it: the record (person) does so from now on, too.
static void add_cells(struct counting *c, const struct keys *keys, const uint32_t *was,
                      const uint32_t *is, bool says_it)
{
    for (size_t i = 0; i < keys->n; i++) {
        struct row *row = row_of(c, &keys->all[i].key);
        if (!row)
            return;
        // Numbers may go through 0 on the way, for the order does not matter.
        for (size_t cell = 0; cell < COUNT_CELLS; cell++)
            row->count.cells[cell] += is[cell] - was[cell];
        note_example(&row->count, &keys->all[i].place, &keys->all[i].category, says_it);
    }
}

static const uint32_t no_cells[COUNT_CELLS];

void counts_sum_changed(struct counting *c, uint32_t kind, const struct sum *was,
                        const struct sum *is)
{
    uint32_t before[COUNT_CELLS];
    uint32_t now[COUNT_CELLS];
    struct keys keys;
    count_of_sum(was, before);
    count_of_sum(is, now);
    bool is_there = is->marks & SUM_THERE;
    if (memcmp(before, now, sizeof now) == 0 && same_keys(was, is))
        return;
    if (same_keys(was, is)) {
        find_keys(c, kind, is, &keys);
        add_cells(c, &keys, before, now, is_there);
        return;
    }
    if (was->marks & SUM_THERE) {
        find_keys(c, kind, was, &keys);
        add_cells(c, &keys, before, no_cells, false);
    }
    if (is_there) {
        find_keys(c, kind, is, &keys);
        add_cells(c, &keys, no_cells, now, true);
    }
}

void counts_heard_changed(struct counting *c, const struct heard *heard, int32_t by)
{
    uint32_t one[COUNT_CELLS] = {0};
    struct sum sum = {.place = heard->place};
    struct keys keys;
    one[heard->party] = 1;
    find_keys(c, KIND_PERSON, &sum, &keys);
    add_cells(c, &keys, by > 0 ? no_cells : one, by > 0 ? one : no_cells, by > 0);
}

void counts_rows(struct counting *c)
{
    size_t n = c->rows.n / sizeof(struct row);
    for (size_t i = 0; i < n && !c->lost && !txn_error(c->txn); i++)
        count_put(c->txn, c->community, &row_at(c, i)->key, &row_at(c, i)->count);
}
