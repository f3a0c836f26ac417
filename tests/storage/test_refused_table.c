// Rows of a table where calls to LMDB go wrong, or some row is known to be damaged: what fails for
// now is told as that, what is damaged is overwritten in place or not at all, and nothing is left
// out in silence.

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>

#include "storage/community.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/refuse.h"
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

TestSuite(refused_table, .init = set_up, .fini = tear_down);

static void put(struct txn *txn, const char *key, const char *value)
{
    table_put(txn, TABLE_NAME, bytes_of_text(key), bytes_of_text(value));
}

static enum err get(struct txn *txn, const char *key)
{
    struct bytes value;
    return table_get(txn, TABLE_NAME, bytes_of_text(key), &value);
}

static void put_three(void)
{
    struct txn *txn = txn_begin_write(store);
    put(txn, "a first key", "the first words");
    put(txn, "b second key", "the second words");
    put(txn, "c third key", "the third words");
    cr_assert_eq(txn_commit(&txn), OK);
}

static void damage(const char *words)
{
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text(words), 0), 1);
    store = scratch_open(&scratch);
}

// --- beside damage ---

Test(refused_table, a_damaged_row_is_overwritten_by_one_as_long_or_not_at_all)
{
    put_three();
    damage("the second words");
    struct txn *txn = txn_begin_write(store);
    cr_assert_eq(get(txn, "b second key"), ERR_DAMAGED);
    table_delete(txn, TABLE_NAME, bytes_of_text("b second key"));
    cr_assert_eq(get(txn, "b second key"), ERR_DAMAGED, "it stays");
    put(txn, "b second key", "other words");
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
    txn = txn_begin_write(store);
    cr_assert_eq(get(txn, "b second key"), ERR_DAMAGED);
    put(txn, "b second key", "THE SECOND WORDS");
    cr_assert_eq(get(txn, "b second key"), OK);
    put(txn, "b second key", "which is sound now and may be longer");
    cr_assert_eq(get(txn, "b second key"), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

// What follows damage in a transaction; `nth` call of this name is refused while it is done.
static enum err after_damage(void (*what)(struct txn *), const char *call, unsigned nth, int with)
{
    struct txn *txn = txn_begin_write(store);
    (void)txn_damaged(txn);
    refuse(call, nth, with);
    what(txn);
    cr_assert(refuse_end(), "%s", call);
    return txn_commit(&txn);
}

static void put_known(struct txn *txn)
{
    put(txn, "b second key", "other words");
}

static void put_new(struct txn *txn)
{
    put(txn, "bb", "new words");
}

static void put_last(struct txn *txn)
{
    put(txn, "d", "new words");
}

static void delete_known(struct txn *txn)
{
    table_delete(txn, TABLE_NAME, bytes_of_text("b second key"));
}

static void delete_absent(struct txn *txn)
{
    table_delete(txn, TABLE_NAME, bytes_of_text("bb"));
}

Test(refused_table, what_fails_for_now_is_not_called_damage_and_sticks)
{
    static void (*const whats[])(struct txn *) = {put_known, put_new, delete_known, delete_absent};
    put_three();
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        cr_expect_eq(after_damage(whats[i], "mdb_get", 1, EIO), ERR_IO, "%zu", i);
        cr_expect_eq(after_damage(whats[i], "mdb_get", 1, ENOMEM), ERR_NOMEM, "%zu", i);
        if (i % 2)
            cr_expect_eq(after_damage(whats[i], "mdb_cursor_open", 1, ENOMEM), ERR_NOMEM, "%zu", i);
    }
    struct txn *txn = txn_begin_read(store);
    cr_expect_eq(get(txn, "b second key"), OK, "it was not deleted");
    cr_expect_eq(get(txn, "bb"), ERR_NOT_FOUND);
    txn_abort(&txn);
}

Test(refused_table, a_new_row_is_put_only_where_its_neighbours_can_be_seen)
{
    put_three();
    for (unsigned nth = 1; nth <= 2; nth++) {
        cr_expect_eq(after_damage(put_new, "mdb_cursor_get", nth, MDB_CORRUPTED), ERR_DAMAGED);
        cr_expect_eq(after_damage(put_last, "mdb_cursor_get", nth, MDB_CORRUPTED), ERR_DAMAGED);
    }
    struct txn *txn = txn_begin_write(store);
    (void)txn_damaged(txn);
    put(txn, "0", "before all");
    put_new(txn);
    put_last(txn);
    cr_expect_eq(get(txn, "0"), OK);
    cr_expect_eq(get(txn, "bb"), OK);
    cr_expect_eq(get(txn, "d"), OK);
    cr_expect_eq(txn_commit(&txn), OK);
}

// --- what is not there ---

Test(refused_table, a_row_that_was_missed_is_found_from_beside_and_told_as_damage)
{
    put_three();
    struct txn *txn = txn_begin_read(store);
    refuse("mdb_get", 1, MDB_NOTFOUND);
    cr_expect_eq(get(txn, "b second key"), OK);
    cr_expect(refuse_end());
    cr_expect_eq(txn_damage(txn), 1);
    cr_expect_eq(txn_error(txn), OK);
    txn_abort(&txn);
}

Test(refused_table, nothing_is_called_absent_while_its_neighbours_cannot_be_seen)
{
    static const char *const absent[] = {"0", "bb", "d"};
    put_three();
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        bool was_refused = true;
        for (unsigned nth = 1; was_refused; nth++) {
            struct txn *txn = txn_begin_read(store);
            refuse("mdb_cursor_get", nth, MDB_CORRUPTED);
            enum err err = get(txn, absent[i]);
            was_refused = refuse_end();
            cr_expect_eq(err, was_refused ? ERR_DAMAGED : ERR_NOT_FOUND, "%s, %u", absent[i], nth);
            txn_abort(&txn);
        }
    }
}

// Of what comes last up to one; each step of the search.
Test(refused_table, the_last_row_is_told_rightly_or_not_at_all)
{
    static const char *const uptos[] = {"0", "b second key", "bb", "z"};
    static const char *const right[] = {NULL, "b second key", "b second key", "c third key"};
    put_three();
    for (size_t i = 0; i < sizeof uptos / sizeof *uptos; i++) {
        bool was_refused = true;
        for (unsigned nth = 1; was_refused; nth++) {
            struct key key;
            struct bytes value;
            struct txn *txn = txn_begin_read(store);
            refuse(REFUSE_LMDB, nth, MDB_CORRUPTED);
            bool found = table_last(txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of_text(uptos[i]),
                                    &key, &value);
            was_refused = refuse_end();
            enum err err = txn_error(txn);
            cr_expect(was_refused ? err == ERR_DAMAGED : err == OK, "%s, %u", uptos[i], nth);
            cr_expect_eq(found, !err && right[i] != NULL, "%s, %u", uptos[i], nth);
            if (found && right[i])
                cr_expect(bytes_equal(key_of(&key), bytes_of_text(right[i])));
            txn_abort(&txn);
        }
    }
}

static unsigned count_walk(struct txn *txn, const char *prefix, const char *from)
{
    struct walk walk;
    unsigned n = 0;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of_text(prefix), bytes_of_text(from));
    while (walk_next(&walk)) {
        n += walk.err == OK;
        // So that the walk looks for its place again.
        if (n == 1)
            table_put(txn, TABLE_COVER, bytes_of_text("key"), bytes_of_text("value"));
    }
    cr_expect_not(walk_next(&walk));
    walk_end(&walk);
    return n;
}

Test(refused_table, a_walk_gives_all_or_says_that_it_does_not)
{
    static const struct {
        const char *prefix;
        const char *from;
        unsigned n;
    } rows[] = {{"", "", 3}, {"", "b", 2}, {"b", "", 1}, {"bb", "", 0}, {"", "d", 0}};
    static const int errors[] = {MDB_CORRUPTED, EIO, ENOMEM};
    put_three();
    for (size_t i = 0; i < 3 * sizeof rows / sizeof *rows; i++) {
        bool was_refused = true;
        for (unsigned nth = 1; was_refused; nth++) {
            struct txn *txn = txn_begin_write(store);
            refuse(REFUSE_LMDB, nth, errors[i % 3]);
            unsigned n = count_walk(txn, rows[i / 3].prefix, rows[i / 3].from);
            was_refused = refuse_end();
            cr_expect(n == rows[i / 3].n || txn_error(txn) || txn_damage(txn), "row %zu, %u", i / 3,
                      nth);
            cr_expect(was_refused || (n == rows[i / 3].n && !txn_damage(txn)));
            txn_abort(&txn);
        }
    }
    expect_no_leaks();
}

// --- transactions and the store ---

Test(refused_table, a_transaction_without_memory_says_so_whatever_is_asked_of_it)
{
    refuse("calloc", 1, ENOMEM);
    struct txn *txn = txn_begin_write(store);
    cr_assert(refuse_end());
    put(txn, "key", "value");
    table_append(txn, TABLE_NAME, bytes_of_text("key"), bytes_of_text("value"));
    table_delete(txn, TABLE_NAME, bytes_of_text("key"));
    cr_expect_eq(get(txn, "key"), ERR_NOMEM);
    cr_expect_neq(txn_damaged(txn), OK);
    txn_forgive(txn, 7);
    cr_expect_eq(txn_damage(txn), 0, "it is everybody's, and takes no notes");
    cr_expect_eq(txn_fail(txn, ERR_DAMAGED), ERR_NOMEM);
    cr_expect_eq(txn_commit(&txn), ERR_NOMEM);
    txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_expect_eq(txn_commit(&txn), OK);
}

Test(refused_table, an_append_that_fails_sticks)
{
    struct txn *txn = txn_begin_write(store);
    refuse("mdb_put", 1, MDB_MAP_FULL);
    table_append(txn, TABLE_NAME, bytes_of_text("key"), bytes_of_text("value"));
    cr_assert(refuse_end());
    cr_expect_eq(txn_commit(&txn), ERR_FULL);
}

static bool visit(const struct community *community, void *arg)
{
    (void)community;
    (void)arg;
    return true;
}

Test(refused_table, no_communities_are_none_only_in_a_store_that_says_what_it_is)
{
    struct txn *txn = txn_begin_write(store);
    community_each(txn, visit, NULL);
    cr_expect_eq(txn_error(txn), OK);
    table_delete(txn, TABLE_META, bytes_of_text("format"));
    community_each(txn, visit, NULL);
    cr_expect_eq(txn_commit(&txn), ERR_DAMAGED);
}
