#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;

static void set_up(void)
{
    scratch_init(&scratch);
    store = scratch_open(&scratch);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(table, .init = set_up, .fini = tear_down);

static void put(struct txn *txn, const char *key, const char *value)
{
    table_put(txn, TABLE_NAME, bytes_of_text(key), bytes_of_text(value));
}

// The keys that a walk gives, one after the other with a space behind each.
static const char *keys(struct txn *txn, const char *prefix, const char *from)
{
    static char text[256];
    size_t n = 0;
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of_text(prefix), bytes_of_text(from));
    while (walk_next(&walk)) {
        cr_assert_eq(walk.err, OK);
        cr_assert_lt(n + walk.key.n + 1, sizeof text);
        memcpy(text + n, walk.key.p, walk.key.n);
        n += walk.key.n;
        text[n++] = ' ';
    }
    walk_end(&walk);
    text[n] = 0;
    return text;
}

Test(table, writes_keys_that_sort_like_their_numbers)
{
    struct key key = {0};
    key_u8(&key, 1);
    key_u16(&key, 0x0203);
    key_u32(&key, 0x04050607);
    key_u64(&key, 0x08090a0b0c0d0e0f);
    key_bytes(&key, bytes_of_text("ab"));
    key_bytes(&key, bytes_of(NULL, 0));
    cr_assert(bytes_equal(key_of(&key), bytes_of("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17ab", 17)));
}

Test(table, gives_what_was_put_last)
{
    struct txn *txn = txn_begin_write(store);
    struct bytes value;
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("a"), &value), ERR_NOT_FOUND);
    cr_assert_eq(txn_error(txn), OK, "an absent value is an answer");
    put(txn, "a", "first");
    put(txn, "a", "second, and longer");
    put(txn, "empty", "");
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("a"), &value), OK);
    cr_assert(bytes_equal(value, bytes_of_text("second, and longer")));
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("empty"), &value), OK);
    cr_assert_eq(value.n, 0);
    cr_assert_eq(table_get(txn, TABLE_CHAIN, bytes_of_text("a"), &value), ERR_NOT_FOUND);
    table_delete(txn, TABLE_NAME, bytes_of_text("a"));
    table_delete(txn, TABLE_NAME, bytes_of_text("a"));
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("a"), &value), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

Test(table, keeps_long_values)
{
    static uint8_t words[1 << 20];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = (uint8_t)(i * 7 + i / 251);
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_BODY, bytes_of_text("k"), BYTES(words));
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_read(store);
    struct bytes value;
    cr_assert_eq(table_get(txn, TABLE_BODY, bytes_of_text("k"), &value), OK);
    cr_assert(bytes_equal(value, BYTES(words)));
    txn_abort(&txn);
}

Test(table, puts_a_value_and_a_key_borrowed_from_the_same_transaction)
{
    struct txn *txn = txn_begin_write(store);
    for (int i = 0; i < 200; i++) {
        struct key key = {0};
        key_u32(&key, (uint32_t)i);
        table_put(txn, TABLE_NAME, key_of(&key), key_of(&key));
    }
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of(NULL, 0));
    for (uint32_t i = 0; i < 200; i++) {
        cr_assert(walk_next(&walk));
        // Over itself, and longer each time, so that the page must move it.
        table_put(txn, TABLE_NAME, walk.key, bytes_of(walk.value.p, 4));
        table_put(txn, TABLE_CHAIN, walk.key, walk.key);
    }
    cr_assert_not(walk_next(&walk));
    walk_end(&walk);
    for (uint32_t i = 0; i < 200; i++) {
        struct key key = {0};
        key_u32(&key, i);
        struct bytes value;
        cr_assert_eq(table_get(txn, TABLE_NAME, key_of(&key), &value), OK);
        cr_assert(bytes_equal(value, key_of(&key)));
    }
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(table, appends_where_the_key_is_last_and_puts_where_it_is_not)
{
    struct txn *txn = txn_begin_write(store);
    static const char *const order[] = {"b", "d", "c", "a", "d", "e"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        table_append(txn, TABLE_NAME, bytes_of_text(order[i]), bytes_of(&i, 1));
    cr_assert_eq(txn_error(txn), OK);
    cr_assert_str_eq(keys(txn, "", ""), "a b c d e ");
    struct bytes value;
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("d"), &value), OK);
    cr_assert_eq(value.p[0], 4, "the second d goes over the first");
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(table, walks_in_order_within_a_prefix_and_from_a_key_on)
{
    struct txn *txn = txn_begin_write(store);
    static const char *const all[] = {"b2", "a", "b", "c", "b\xff\xff", "b1", "b\xff", "bb"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        put(txn, all[i], "x");
    cr_assert_str_eq(keys(txn, "", ""), "a b b1 b2 bb b\xff b\xff\xff c ");
    cr_assert_str_eq(keys(txn, "b", ""), "b b1 b2 bb b\xff b\xff\xff ");
    cr_assert_str_eq(keys(txn, "b", "b2"), "b2 bb b\xff b\xff\xff ");
    cr_assert_str_eq(keys(txn, "b", "b11"), "b2 bb b\xff b\xff\xff ");
    cr_assert_str_eq(keys(txn, "b", "a"), "b b1 b2 bb b\xff b\xff\xff ", "not before the prefix");
    cr_assert_str_eq(keys(txn, "b\xff", ""), "b\xff b\xff\xff ");
    cr_assert_str_eq(keys(txn, "b", "c"), "", "not behind the prefix");
    cr_assert_str_eq(keys(txn, "d", ""), "");
    txn_abort(&txn);
}

Test(table, walks_a_prefix_of_ones_to_the_end_of_the_table)
{
    struct txn *txn = txn_begin_write(store);
    put(txn, "\xfe", "x");
    put(txn, "\xff", "x");
    put(txn, "\xff\xff", "x");
    put(txn, "\xff\xff\xff", "x");
    cr_assert_str_eq(keys(txn, "\xff\xff", ""), "\xff\xff \xff\xff\xff ");
    struct key key;
    struct bytes value;
    cr_assert(table_last(txn, TABLE_NAME, bytes_of_text("\xff"), bytes_of_text("\xff\xff\xff\xff"),
                         &key, &value));
    cr_assert_eq(key.n, 3);
    txn_abort(&txn);
}

Test(table, goes_on_at_the_end_of_a_walk_with_false)
{
    struct txn *txn = txn_begin_write(store);
    put(txn, "a", "x");
    put(txn, "b", "x");
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of_text("a"), bytes_of(NULL, 0));
    cr_assert(walk_next(&walk));
    cr_assert_not(walk_next(&walk));
    cr_assert_not(walk_next(&walk));
    walk_end(&walk);
    walk_end(&walk);
    txn_abort(&txn);
}

// Deletes each key that is given, and puts another before and behind it, over many pages.
Test(table, goes_on_behind_the_last_key_while_the_table_changes)
{
    enum { N = 3000 };
    static uint8_t filler[100];
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 0; i < N; i++) {
        struct key key = {0};
        key_u32(&key, i * 10);
        table_append(txn, TABLE_NAME, key_of(&key), BYTES(filler));
    }
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of(NULL, 0));
    uint32_t seen = 0;
    while (walk_next(&walk)) {
        uint32_t v = be32_get(walk.key.p);
        if (v % 10) {
            cr_assert_eq(v % 10, 3, "only what was put behind is met");
            continue;
        }
        cr_assert_eq(v, seen * 10);
        seen++;
        struct key before = {0};
        struct key behind = {0};
        key_u32(&before, v - 2);
        key_u32(&behind, v + 3);
        table_delete(txn, TABLE_NAME, walk.key);
        if (v)
            table_put(txn, TABLE_NAME, key_of(&before), BYTES(filler));
        table_put(txn, TABLE_NAME, key_of(&behind), bytes_of(filler, v % 97));
    }
    walk_end(&walk);
    cr_assert_eq(seen, N);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

Test(table, finds_the_last_key_up_to_one)
{
    struct txn *txn = txn_begin_write(store);
    struct key key;
    struct bytes value;
    cr_assert_not(
        table_last(txn, TABLE_NAME, bytes_of_text("b"), bytes_of_text("b9"), &key, &value));
    put(txn, "a9", "x");
    put(txn, "b2", "two");
    put(txn, "b4", "four");
    put(txn, "c", "x");
    static const struct {
        const char *upto;
        const char *key;
    } rows[] = {{"b1", NULL}, {"b2", "b2"}, {"b3", "b2"}, {"b4", "b4"}, {"b9", "b4"}, {"d", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found = table_last(txn, TABLE_NAME, bytes_of_text("b"), bytes_of_text(rows[i].upto),
                                &key, &value);
        cr_assert_eq(found, rows[i].key != NULL, "up to %s", rows[i].upto);
        if (found)
            cr_assert(bytes_equal(key_of(&key), bytes_of_text(rows[i].key)));
    }
    cr_assert(table_last(txn, TABLE_NAME, bytes_of_text("b"), bytes_of_text("b3"), &key, &value));
    cr_assert(bytes_equal(value, bytes_of_text("two")));
    cr_assert_eq(txn_error(txn), OK);
    txn_abort(&txn);
}

// --- Damage ---

static void put_three_and_close(void)
{
    struct txn *txn = txn_begin_write(store);
    put(txn, "first key", "the first words");
    put(txn, "second key", "the second words");
    put(txn, "third key", "the third words");
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
}

static enum err get(struct txn *txn, const char *key)
{
    struct bytes value = bytes_of_text("untouched");
    enum err err = table_get(txn, TABLE_NAME, bytes_of_text(key), &value);
    if (err)
        cr_assert(bytes_equal(value, bytes_of_text("untouched")));
    return err;
}

Test(table, notices_every_flipped_byte_of_a_value_and_serves_the_others)
{
    put_three_and_close();
    struct bytes words = bytes_of_text("the second words");
    for (size_t i = 0; i < words.n; i++) {
        cr_assert_geq(scratch_flip(&scratch, words, i), 1);
        store = scratch_open(&scratch);
        struct txn *txn = txn_begin_read(store);
        cr_assert_eq(get(txn, "second key"), ERR_DAMAGED, "byte %zu", i);
        cr_assert_eq(get(txn, "first key"), OK);
        cr_assert_eq(get(txn, "third key"), OK);
        cr_assert_eq(txn_commit(&txn), OK, "damage of a value does not stick");
        store_close(&store);
        uint8_t flipped[32];
        memcpy(flipped, words.p, words.n);
        flipped[i] ^= 1;
        cr_assert_geq(scratch_flip(&scratch, bytes_of(flipped, words.n), i), 1);
    }
    store = scratch_open(&scratch);
    expect_no_leaks();
}

Test(table, notices_a_damaged_check_and_a_damaged_key)
{
    put_three_and_close();
    struct bytes words = bytes_of_text("the first words");
    cr_assert_geq(scratch_flip(&scratch, words, words.n + 2), 1);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("third key"), 8), 1);
    store = scratch_open(&scratch);
    struct txn *txn = txn_begin_read(store);
    cr_assert_eq(get(txn, "first key"), ERR_DAMAGED);
    cr_assert_eq(get(txn, "third key"), ERR_DAMAGED, "beside where it would be");
    cr_assert_eq(get(txn, "third kex"), ERR_DAMAGED, "a value under another key is no value");
    txn_abort(&txn);
}

Test(table, walks_past_damage_and_says_where_it_is)
{
    put_three_and_close();
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("the second words"), 0), 1);
    store = scratch_open(&scratch);
    struct txn *txn = txn_begin_read(store);
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of(NULL, 0));
    cr_assert(walk_next(&walk));
    cr_assert_eq(walk.err, OK);
    cr_assert(walk_next(&walk));
    cr_assert_eq(walk.err, ERR_DAMAGED);
    cr_assert(bytes_equal(walk.key, bytes_of_text("second key")));
    cr_assert_null(walk.value.p);
    cr_assert(walk_next(&walk));
    cr_assert_eq(walk.err, OK);
    cr_assert(bytes_equal(walk.value, bytes_of_text("the third words")));
    cr_assert_not(walk_next(&walk));
    walk_end(&walk);
    struct key key;
    struct bytes value;
    cr_assert(table_last(txn, TABLE_NAME, bytes_of_text("s"), bytes_of_text("sz"), &key, &value));
    cr_assert_null(value.p);
    cr_assert_eq(txn_commit(&txn), OK);
}

enum { KEYS = 300 };

static void put_many_and_close(char key[KEYS][16])
{
    struct txn *txn = txn_begin_write(store);
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(key[i], sizeof key[i], "k%03dv", i);
        put(txn, key[i], "words enough to fill some pages, so that there are branches, too");
    }
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
}

// One of the bytes that decide where it sorts.
static void alter(const char key[16], int i)
{
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text(key), (size_t)i % 4), 1);
}

static void mend(const char key[16], int i)
{
    char altered[16];
    memcpy(altered, key, sizeof altered);
    altered[i % 4] ^= 1;
    alter(altered, i);
}

// What a search that went astray by an altered key says: nothing that is there is called absent.
Test(table, calls_nothing_absent_that_an_altered_key_hides)
{
    static char key[KEYS][16];
    put_many_and_close(key);
    for (int i = 0; i < KEYS; i += 7) {
        alter(key[i], i);
        store = scratch_open(&scratch);
        struct txn *txn = txn_begin_read(store);
        for (int j = 0; j < KEYS; j++)
            cr_assert_neq(get(txn, key[j]), ERR_NOT_FOUND, "%s hides %s", key[i], key[j]);
        cr_assert_gt(txn_damage(txn), 0);
        txn_abort(&txn);
        store_close(&store);
        mend(key[i], i);
    }
    store = scratch_open(&scratch);
}

Test(table, ends_no_walk_at_an_altered_key_without_saying_so)
{
    static char key[KEYS][16];
    put_many_and_close(key);
    for (int i = 0; i < KEYS; i += 7) {
        alter(key[i], i);
        store = scratch_open(&scratch);
        struct txn *txn = txn_begin_read(store);
        for (int j = 0; j < KEYS; j++) {
            // Of each prefix of one row.
            struct walk walk;
            int found = 0;
            walk_begin(&walk, txn, TABLE_NAME, bytes_of(key[j], 4), bytes_of(NULL, 0));
            while (walk_next(&walk))
                found++;
            walk_end(&walk);
            cr_assert_geq(found, 1, "%s hides %s", key[i], key[j]);
        }
        txn_abort(&txn);
        store_close(&store);
        mend(key[i], i);
    }
    store = scratch_open(&scratch);
}
