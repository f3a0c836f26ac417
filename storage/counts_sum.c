// What a row of `sum` and of `count` says, and how it is written.

#include <assert.h>

#include "base/hash.h"
#include "storage/counts.h"
#include "storage/stored.h"
#include "storage/table.h"

// --- cells ---

static void put_cells(struct buf *out, const uint32_t *cells, size_t n)
{
    uint8_t used = 0;
    for (size_t i = 0; i < n; i++)
        used = (uint8_t)(used + (cells[i] != 0));
    buf_put_u8(out, used);
    for (size_t i = 0; i < n; i++) {
        if (cells[i]) {
            buf_put_u8(out, (uint8_t)i);
            buf_put_be32(out, cells[i]);
        }
    }
}

static bool take_cells(struct stored *value, uint32_t *cells, size_t n)
{
    size_t used = stored_u8(value);
    size_t next = 0;
    while (used-- > 0) {
        size_t index = stored_u8(value);
        if (index < next || index >= n)
            return false;
        cells[index] = stored_u32(value);
        next = index + 1;
    }
    return true;
}

static void put_text(struct buf *out, const struct counts_text *text)
{
    buf_put_be64(out, text->position);
    buf_put_u8(out, text->index);
}

static struct counts_text take_text(struct stored *value)
{
    struct counts_text text = {.position = stored_u64(value)};
    text.index = stored_u8(value);
    return text;
}

// --- sum ---

static struct key sum_key(uint32_t community, const struct record_key *record)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u16(&key, (uint16_t)(record->kind <= KIND_MAX ? record->kind : 0));
    key_bytes(&key, BYTES(record->id));
    return key;
}

static bool decode_sum(struct bytes bytes, struct sum *sum)
{
    struct stored value = stored_of(bytes);
    bool sound = take_cells(&value, sum->cells, SUM_CELLS);
    sum->marks = stored_u16(&value);
    sum->since = (int64_t)stored_u64(&value);
    for (size_t i = 0; i < 3; i++)
        sum->answered[i] = (int64_t)stored_u64(&value);
    sum->due = (int32_t)stored_u32(&value);
    sum->progress = stored_u8(&value);
    sum->place = take_text(&value);
    sum->categories_n = stored_u8(&value);
    sound = sound && sum->categories_n <= COUNTS_CATEGORIES_MAX;
    for (size_t i = 0; sound && i < sum->categories_n; i++)
        sum->categories[i] = take_text(&value);
    return sound && !stored_end(&value);
}

enum err sum_get(struct txn *txn, uint32_t community, const struct record_key *record,
                 struct sum *sum)
{
    struct key key = sum_key(community, record);
    struct bytes value;
    *sum = (struct sum){.marks = 0};
    enum err err = table_get(txn, TABLE_SUM, key_of(&key), &value);
    if (!err && !decode_sum(value, sum))
        err = txn_damaged(txn);
    return err;
}

static bool is_nothing(const struct sum *sum)
{
    static const uint32_t none[SUM_CELLS];
    return sum->marks == 0 && memcmp(sum->cells, none, sizeof none) == 0;
}

void sum_put(struct txn *txn, uint32_t community, const struct record_key *record,
             const struct sum *sum)
{
    struct key key = sum_key(community, record);
    BUF_CLEANUP struct buf value = {0};
    if (is_nothing(sum)) {
        table_delete(txn, TABLE_SUM, key_of(&key));
        return;
    }
    put_cells(&value, sum->cells, SUM_CELLS);
    buf_put_u8(&value, (uint8_t)(sum->marks >> 8));
    buf_put_u8(&value, (uint8_t)sum->marks);
    buf_put_be64(&value, (uint64_t)sum->since);
    for (size_t i = 0; i < 3; i++)
        buf_put_be64(&value, (uint64_t)sum->answered[i]);
    buf_put_be32(&value, (uint32_t)sum->due);
    buf_put_u8(&value, sum->progress);
    put_text(&value, &sum->place);
    buf_put_u8(&value, sum->categories_n);
    for (size_t i = 0; i < sum->categories_n; i++)
        put_text(&value, &sum->categories[i]);
    txn_fail(txn, value.err);
    table_put(txn, TABLE_SUM, key_of(&key), buf_bytes(&value));
}

static bool is_same_text(const struct counts_text *a, const struct counts_text *b)
{
    return a->position == b->position && a->index == b->index;
}

bool sum_is_same(const struct sum *a, const struct sum *b)
{
    bool same = memcmp(a->cells, b->cells, sizeof a->cells) == 0 && a->marks == b->marks &&
                a->since == b->since && a->due == b->due && a->progress == b->progress &&
                memcmp(a->answered, b->answered, sizeof a->answered) == 0 &&
                is_same_text(&a->place, &b->place) && a->categories_n == b->categories_n;
    for (size_t i = 0; same && i < a->categories_n; i++)
        same = is_same_text(&a->categories[i], &b->categories[i]);
    return same;
}

unsigned sum_state(const struct sum *sum)
{
    unsigned state = 3;
    while (state && !sum->cells[SUM_ANSWERS + state - 1])
        state--;
    return state;
}

uint32_t sum_persons(const struct sum *sum, unsigned stance)
{
    uint32_t persons = 0;
    for (unsigned i = 0; i < COUNTS_PARTIES * COUNTS_STANCES; i++) {
        unsigned of = i % COUNTS_STANCES + 1;
        if (of == stance || (stance == 0 && of < COUNTS_STANCES))
            persons += sum->cells[SUM_VOICES + i];
    }
    return persons;
}

uint32_t sum_constraints(const struct sum *sum)
{
    uint32_t n = 0;
    for (size_t i = 0; i < COUNTS_NATURES; i++)
        n += sum->cells[SUM_NATURES + i];
    return n;
}

static uint32_t lesser_side(const struct sum *sum)
{
    uint32_t some = sum_persons(sum, STANCE_FOR);
    uint32_t others = sum_persons(sum, STANCE_AGAINST);
    return some < others ? some : others;
}

// Done (3) and broken (4) are not waited for.
static bool is_due(const struct sum *sum, uint32_t kind)
{
    return kind == KIND_COMMITMENT && (sum->marks & SUM_DUE) && sum->progress < 3;
}

bool sum_is_in(const struct sum *sum, uint32_t kind, enum counts_list list, uint32_t *number)
{
    *number = UINT32_MAX - sum_persons(sum, 0);
    if (!(sum->marks & SUM_THERE))
        return false;
    switch (list) {
    case LIST_UNANSWERED:
    case LIST_SOLUTION:
    case LIST_COMMITMENT:
    case LIST_OUTCOME:
        return sum_state(sum) == (unsigned)list - LIST_UNANSWERED;
    case LIST_DIVIDED:
        *number = UINT32_MAX - lesser_side(sum);
        return lesser_side(sum) > 0;
    case LIST_TENSION:
        return sum->marks & SUM_TENSION;
    case LIST_BLOCKED:
        return sum_constraints(sum) > 0;
    case LIST_STRENGTHS:
        return sum->marks & SUM_STRENGTHS;
    case LIST_DUE:
        *number = (uint32_t)sum->due ^ 0x80000000;
        return is_due(sum, kind);
    case LIST_COUNT:
        break;
    }
    return false;
}

// --- count ---

static void hash_text(const struct counts_text *text, uint8_t out[COUNT_HASH_SIZE])
{
    uint8_t whole[HASH_SIZE] = {0};
    struct hash hash;
    if (text->n) {
        hash_begin(&hash, "folkmoot count v1");
        hash_put(&hash, bytes_of(text->p, text->n));
        hash_end(&hash, whole);
    }
    memcpy(out, whole, COUNT_HASH_SIZE);
}

struct count_key count_key_of(uint32_t kind, const struct counts_text *place,
                              const struct counts_text *category)
{
    struct count_key key = {.kind = kind};
    hash_text(place, key.place);
    hash_text(category, key.category);
    return key;
}

void count_of_sum(const struct sum *sum, uint32_t cells[COUNT_CELLS])
{
    unsigned state = sum_state(sum);
    memset(cells, 0, COUNT_CELLS * sizeof *cells);
    if (!(sum->marks & SUM_THERE))
        return;
    for (unsigned party = 0; party < COUNTS_PARTIES; party++) {
        for (unsigned stance = 0; stance < 3; stance++)
            cells[COUNT_VOICES + (state * COUNTS_PARTIES + party) * 3 + stance] =
                sum->cells[SUM_VOICES + party * COUNTS_STANCES + stance];
    }
    cells[COUNT_RECORDS + state] = 1;
    cells[COUNT_DIVIDED] = lesser_side(sum) > 0;
    cells[COUNT_TENSION] = (sum->marks & SUM_TENSION) != 0;
    cells[COUNT_BLOCKED] = sum_constraints(sum) > 0;
    cells[COUNT_STRENGTHS] = (sum->marks & SUM_STRENGTHS) != 0;
    for (unsigned i = 0; i < COUNTS_NATURES; i++)
        cells[COUNT_NATURES + i] = sum->cells[SUM_NATURES + i];
}

static struct key count_key(uint32_t community, const struct count_key *of)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u16(&key, (uint16_t)(of->kind <= KIND_MAX ? of->kind : 0));
    key_bytes(&key, BYTES(of->place));
    key_bytes(&key, BYTES(of->category));
    return key;
}

static bool decode_count(struct bytes bytes, struct count *count)
{
    struct stored value = stored_of(bytes);
    *count = (struct count){.cells = {0}};
    bool sound = take_cells(&value, count->cells, COUNT_CELLS);
    count->place = take_text(&value);
    count->category = take_text(&value);
    return sound && !stored_end(&value);
}

enum err count_get(struct txn *txn, uint32_t community, const struct count_key *key,
                   struct count *count)
{
    struct key k = count_key(community, key);
    struct bytes value;
    *count = (struct count){.cells = {0}};
    enum err err = table_get(txn, TABLE_COUNTS, key_of(&k), &value);
    if (!err && !decode_count(value, count))
        err = txn_damaged(txn);
    return err;
}

void count_put(struct txn *txn, uint32_t community, const struct count_key *key,
               const struct count *count)
{
    static const uint32_t none[COUNT_CELLS];
    struct key k = count_key(community, key);
    BUF_CLEANUP struct buf value = {0};
    if (memcmp(count->cells, none, sizeof none) == 0) {
        table_delete(txn, TABLE_COUNTS, key_of(&k));
        return;
    }
    put_cells(&value, count->cells, COUNT_CELLS);
    put_text(&value, &count->place);
    put_text(&value, &count->category);
    txn_fail(txn, value.err);
    table_put(txn, TABLE_COUNTS, key_of(&k), buf_bytes(&value));
}

enum err count_each(struct txn *txn, uint32_t community, uint32_t kind,
                    bool (*each)(const struct count_key *key, const struct count *count, void *),
                    void *arg)
{
    struct key prefix = {0};
    enum err damage = OK;
    bool on = true;
    key_u32(&prefix, community);
    key_u16(&prefix, (uint16_t)kind);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_COUNTS, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct stored key = stored_of(walk.key);
        struct count_key of;
        struct count count;
        stored_u32(&key);
        of.kind = stored_u16(&key);
        stored_copy(&key, of.place, COUNT_HASH_SIZE);
        stored_copy(&key, of.category, COUNT_HASH_SIZE);
        if (walk.err || stored_end(&key) || !decode_count(walk.value, &count))
            damage = ERR_DAMAGED;
        else
            on = each(&of, &count, arg);
    }
    if (damage)
        damage = txn_damaged(txn);
    return txn_error(txn) ? txn_error(txn) : damage;
}
