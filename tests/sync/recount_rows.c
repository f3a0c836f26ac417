// The rows that should be there, and whether they are.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/sync/recount_private.h"

// --- rows ---

void recount_put(struct recount *r, enum table table, const struct buf *key,
                 const struct buf *value)
{
    assert(r->rows_n < ROWS_MAX && key->n <= KEY_BYTES && value->n <= VALUE_BYTES);
    struct row *row = &r->rows[r->rows_n++];
    *row = (struct row){.table = table, .key_n = key->n, .value_n = value->n};
    memcpy(row->key, key->p, key->n);
    if (value->n)
        memcpy(row->value, value->p, value->n);
}

void recount_put_record(struct buf *out, const struct model_record *record)
{
    buf_put_u8(out, (uint8_t)(record->kind >> 8));
    buf_put_u8(out, (uint8_t)record->kind);
    buf_put(out, BYTES(record->id));
}

void recount_put_text(struct buf *out, const struct counts_text *text)
{
    buf_put_be64(out, text->position);
    buf_put_u8(out, text->index);
}

static void put_cells(struct buf *out, const uint32_t *cells, size_t n)
{
    uint8_t used = 0;
    for (size_t i = 0; i < n; i++)
        used = (uint8_t)(used + !!cells[i]);
    buf_put_u8(out, used);
    for (size_t i = 0; i < n; i++) {
        if (cells[i]) {
            buf_put_u8(out, (uint8_t)i);
            buf_put_be32(out, cells[i]);
        }
    }
}

// --- sums, lists ---

static uint32_t persons(const struct sum *sum, unsigned stance)
{
    uint32_t n = 0;
    for (unsigned party = 0; party < COUNTS_PARTIES; party++)
        n += sum->cells[party * 4 + stance];
    return n;
}

static unsigned state_of(const struct sum *sum)
{
    return sum->cells[34] ? 3 : sum->cells[33] ? 2 : sum->cells[32] ? 1 : 0;
}

static bool is_blocked(const struct sum *sum)
{
    return sum->cells[28] + sum->cells[29] + sum->cells[30] + sum->cells[31] > 0;
}

static void put_order(struct recount *r, const struct model_record *record, uint8_t list,
                      uint32_t number)
{
    struct buf key BUF_CLEANUP = {0};
    struct buf none BUF_CLEANUP = {0};
    buf_put_be32(&key, r->community);
    buf_put_u8(&key, (uint8_t)(record->kind >> 8));
    buf_put_u8(&key, (uint8_t)record->kind);
    buf_put_u8(&key, list);
    buf_put_be32(&key, number);
    buf_put(&key, BYTES(record->id));
    recount_put(r, TABLE_ORDER, &key, &none);
}

static void put_orders(struct recount *r, const struct model_record *record, const struct sum *sum)
{
    uint32_t for_ = persons(sum, 0);
    uint32_t against = persons(sum, 1);
    uint32_t rest = 0xffffffff - for_ - against - persons(sum, 2);
    if (!(sum->marks & SUM_THERE))
        return;
    put_order(r, record, (uint8_t)state_of(sum), rest);
    if (for_ && against)
        put_order(r, record, 4, 0xffffffff - (for_ < against ? for_ : against));
    if (sum->marks & SUM_TENSION)
        put_order(r, record, 5, rest);
    if (is_blocked(sum))
        put_order(r, record, 6, rest);
    if (sum->marks & SUM_STRENGTHS)
        put_order(r, record, 7, rest);
    if ((sum->marks & SUM_DUE) && record->kind == KIND_COMMITMENT && sum->progress < 3)
        put_order(r, record, 8, (uint32_t)sum->due + 0x80000000u);
}

static void put_sum(struct recount *r, const struct model_record *record, const struct sum *sum)
{
    struct buf key BUF_CLEANUP = {0};
    struct buf value BUF_CLEANUP = {0};
    static const uint32_t none[SUM_CELLS];
    if (!sum->marks && memcmp(sum->cells, none, sizeof none) == 0)
        return;
    buf_put_be32(&key, r->community);
    recount_put_record(&key, record);
    put_cells(&value, sum->cells, SUM_CELLS);
    buf_put_u8(&value, 0);
    buf_put_u8(&value, (uint8_t)sum->marks);
    buf_put_be64(&value, (uint64_t)sum->since);
    for (size_t i = 0; i < 3; i++)
        buf_put_be64(&value, (uint64_t)sum->answered[i]);
    buf_put_be32(&value, (uint32_t)sum->due);
    buf_put_u8(&value, sum->progress);
    recount_put_text(&value, &sum->place);
    buf_put_u8(&value, sum->categories_n);
    for (size_t i = 0; i < sum->categories_n; i++)
        recount_put_text(&value, &sum->categories[i]);
    recount_put(r, TABLE_SUM, &key, &value);
}

// --- what adds up ---

struct total {
    uint32_t kind;
    struct counts_text place;
    struct counts_text category;
    uint32_t cells[96];
};

struct totals {
    struct total all[512];
    size_t n;
};

static bool same_text(const struct counts_text *a, const struct counts_text *b)
{
    return bytes_equal(bytes_of(a->p, a->n), bytes_of(b->p, b->n));
}

static struct total *total_of(struct totals *totals, uint32_t kind, const struct counts_text *place,
                              const struct counts_text *category)
{
    for (size_t i = 0; i < totals->n; i++) {
        struct total *total = &totals->all[i];
        if (total->kind == kind && same_text(&total->place, place) &&
            same_text(&total->category, category))
            return total;
    }
    assert(totals->n < 512);
    totals->all[totals->n] = (struct total){kind, *place, *category, {0}};
    return &totals->all[totals->n++];
}

static void add_to(struct total *total, const struct sum *sum)
{
    unsigned state = state_of(sum);
    for (unsigned party = 0; party < COUNTS_PARTIES; party++) {
        for (unsigned stance = 0; stance < 3; stance++)
            total->cells[state * 21 + party * 3 + stance] += sum->cells[party * 4 + stance];
    }
    total->cells[84 + state]++;
    total->cells[88] += persons(sum, 0) && persons(sum, 1);
    total->cells[89] += (sum->marks & SUM_TENSION) != 0;
    total->cells[90] += is_blocked(sum);
    total->cells[95] += (sum->marks & SUM_STRENGTHS) != 0;
    for (unsigned i = 0; i < 4; i++)
        total->cells[91 + i] += sum->cells[28 + i];
}

static void add_sum(struct totals *totals, uint32_t kind, const struct sum *sum)
{
    static const struct counts_text all;
    for (int with_place = 0; with_place <= (sum->place.n > 0); with_place++) {
        const struct counts_text *place = with_place ? &sum->place : &all;
        add_to(total_of(totals, kind, place, &all), sum);
        for (size_t i = 0; i < sum->categories_n; i++)
            add_to(total_of(totals, kind, place, &sum->categories[i]), sum);
    }
}

static void put_hash(struct buf *out, const struct counts_text *text)
{
    uint8_t whole[HASH_SIZE] = {0};
    struct hash hash;
    if (text->n) {
        hash_begin(&hash, "folkmoot count v1");
        hash_put(&hash, bytes_of(text->p, text->n));
        hash_end(&hash, whole);
    }
    buf_put(out, bytes_of(whole, 16));
}

static void put_totals(struct recount *r, const struct totals *totals)
{
    for (size_t i = 0; i < totals->n; i++) {
        const struct total *total = &totals->all[i];
        struct buf key BUF_CLEANUP = {0};
        struct buf value BUF_CLEANUP = {0};
        buf_put_be32(&key, r->community);
        buf_put_u8(&key, 0);
        buf_put_u8(&key, (uint8_t)total->kind);
        put_hash(&key, &total->place);
        put_hash(&key, &total->category);
        put_cells(&value, total->cells, 96);
        recount_put(r, TABLE_COUNTS, &key, &value);
    }
}

// Each person once, though they have spoken of many things.
static void put_heard(struct recount *r, struct totals *totals)
{
    static const struct counts_text all;
    for (size_t i = 0; i < r->stances_n; i++) {
        const struct model_record *person = &r->stances[i].person;
        struct buf key BUF_CLEANUP = {0};
        struct buf value BUF_CLEANUP = {0};
        bool known = false;
        for (size_t k = 0; k < i; k++)
            known |= recount_same(&r->stances[k].person, person);
        if (known)
            continue;
        struct heard heard = recount_heard(r, person);
        buf_put_be32(&key, r->community);
        buf_put(&key, BYTES(person->id));
        buf_put_u8(&value, heard.party);
        recount_put_text(&value, &heard.place);
        recount_put(r, TABLE_HEARD, &key, &value);
        total_of(totals, KIND_PERSON, &all, &all)->cells[heard.party]++;
        if (heard.place.n)
            total_of(totals, KIND_PERSON, &heard.place, &all)->cells[heard.party]++;
    }
}

void recount_put_sums(struct recount *r)
{
    struct totals *totals = calloc(1, sizeof *totals);
    assert(totals);
    put_heard(r, totals);
    for (size_t i = 0; i < r->sums_n; i++) {
        const struct model_record *record = &r->sums[i].record;
        put_sum(r, record, &r->sums[i].sum);
        put_orders(r, record, &r->sums[i].sum);
        if (r->sums[i].sum.marks & SUM_THERE)
            add_sum(totals, record->kind, &r->sums[i].sum);
    }
    put_totals(r, totals);
    free(totals);
}

// --- comparing ---

static int by_key(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return bytes_compare(bytes_of(x->key, x->key_n), bytes_of(y->key, y->key_n));
}

static void say(char why[400], const char *what, enum table table, struct bytes key,
                struct bytes value, struct bytes wanted)
{
    char hex[3][100] = {"", "", ""};
    text_hex(bytes_of(key.p, key.n < 45 ? key.n : 45), hex[0]);
    text_hex(bytes_of(value.p, value.n < 45 ? value.n : 45), hex[1]);
    text_hex(bytes_of(wanted.p, wanted.n < 45 ? wanted.n : 45), hex[2]);
    (void)snprintf(why, 400, "table %d: %s %s: %s, not %s", (int)(table - TABLE_STANCE), what,
                   hex[0], hex[1], hex[2]);
}

// `from` goes on behind the table's rows.
static bool compare_table(const struct recount *r, struct txn *txn, enum table table, size_t *from,
                          char why[400])
{
    uint8_t prefix[4];
    be32_put(prefix, r->community);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, BYTES(prefix), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        const struct row *row = &r->rows[*from];
        // Behind the cells stands an example, which is the store's own.
        size_t tail = table == TABLE_COUNTS && walk.value.n >= 18 ? 18 : 0;
        struct bytes value = bytes_of(walk.value.p, walk.value.n - tail);
        bool is_there = *from < r->rows_n && row->table == table &&
                        bytes_equal(walk.key, bytes_of(row->key, row->key_n));
        if (!is_there || !bytes_equal(value, bytes_of(row->value, row->value_n))) {
            say(why, is_there ? "other than counted" : "too many, or one before is missing", table,
                walk.key, walk.value,
                is_there ? bytes_of(row->value, row->value_n) : bytes_of(NULL, 0));
            return false;
        }
        while (*from < r->rows_n && by_key(&r->rows[*from], row) == 0)
            ++*from;
    }
    if (*from < r->rows_n && r->rows[*from].table == table) {
        const struct row *row = &r->rows[*from];
        say(why, "missing", table, bytes_of(row->key, row->key_n), bytes_of(NULL, 0),
            bytes_of(row->value, row->value_n));
        return false;
    }
    return true;
}

bool recount_compare(struct recount *r, struct txn *txn, char why[400])
{
    size_t from = 0;
    bool good = true;
    qsort(r->rows, r->rows_n, sizeof *r->rows, by_key);
    for (int table = TABLE_STANCE; good && table <= TABLE_COUNTS; table++)
        good = compare_table(r, txn, (enum table)table, &from, why);
    return good;
}
