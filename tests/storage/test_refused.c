// Whatever a transaction does, each of its calls to LMDB and for memory is refused in its turn:
// that is told and sticks, nothing of it stays, and asked again it works.

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>

#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/chores.h"
#include "tests/storage/refuse.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;

static void set_up(void)
{
    struct store_options options = {.map_size = 16 << 20, .keeps_orders = true};
    scratch_init(&scratch);
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
    struct txn *txn = txn_begin_write(store);
    chores_prepare(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(refused, .init = set_up, .fini = tear_down);

struct prints {
    uint8_t before[HASH_SIZE];
    uint8_t after[HASH_SIZE];
};

static struct txn *begin(const struct chore *chore)
{
    return chore->writes ? txn_begin_write(store) : txn_begin_read(store);
}

// As it is where nothing is refused. Nothing is committed, so that it can be done again.
static void do_well(const struct chore *chore, struct prints *prints)
{
    struct txn *txn = begin(chore);
    chores_print(txn, prints->before);
    enum err err = chore->run(txn);
    cr_assert_eq(err, OK, "%s: %s", chore->name, err_text(err));
    cr_assert_eq(txn_error(txn), OK, "%s", chore->name);
    chores_print(txn, prints->after);
    cr_assert_eq(memcmp(prints->before, prints->after, HASH_SIZE) != 0, chore->writes, "%s",
                 chore->name);
    txn_abort(&txn);
}

static void expect_after(struct txn *txn, const struct prints *prints, const char *name,
                         unsigned nth)
{
    uint8_t print[HASH_SIZE];
    chores_print(txn, print);
    cr_assert_arr_eq(print, prints->after, HASH_SIZE, "%s, %u", name, nth);
}

static void expect_told(const struct chore *chore, struct txn *txn, enum err err, unsigned nth,
                        enum err expected)
{
    enum err sticks = txn_error(txn);
    enum err told = err ? err : sticks;
    if (told)
        cr_assert(told == expected || told == ERR_DAMAGED, "%s, %u: told %s", chore->name, nth,
                  err_text(told));
    if (sticks)
        cr_assert(chore->run(txn) == sticks || txn_error(txn) == sticks, "%s, %u", chore->name,
                  nth);
    cr_assert_eq(txn_commit(&txn), sticks, "%s, %u", chore->name, nth);
}

// False: it makes fewer calls.
static bool refuse_once(const struct chore *chore, const char *kind, unsigned nth, int with,
                        enum err expected, const struct prints *prints)
{
    struct txn *txn = begin(chore);
    refuse(kind, nth, with);
    enum err err = chore->run(txn);
    bool was_refused = refuse_end();
    if (!was_refused) {
        cr_assert_eq(err, OK, "%s", chore->name);
        expect_after(txn, prints, chore->name, nth);
        txn_abort(&txn);
        return false;
    }
    if (chore->writes && !txn_error(txn)) {
        // It was of no consequence.
        expect_after(txn, prints, chore->name, nth);
        txn_abort(&txn);
    } else {
        expect_told(chore, txn, err, nth, expected);
    }
    struct prints now;
    do_well(chore, &now);
    cr_assert_arr_eq(now.before, prints->before, HASH_SIZE, "%s, %u: half done", chore->name, nth);
    cr_assert_arr_eq(now.after, prints->after, HASH_SIZE, "%s, %u", chore->name, nth);
    return true;
}

static unsigned refuse_each(const char *kind, int with, enum err expected)
{
    unsigned all = 0;
    for (size_t i = 0; i < chores_writing_n + chores_reading_n; i++) {
        bool writes = i < chores_writing_n;
        const struct chore *chore =
            writes ? &chores_writing[i] : &chores_reading[i - chores_writing_n];
        struct prints prints;
        unsigned nth = 1;
        do_well(chore, &prints);
        while (refuse_once(chore, kind, nth, with, expected, &prints))
            nth++;
        all += nth - 1;
    }
    return all;
}

Test(refused, memory_is_told_and_leaves_nothing_half_done)
{
    cr_assert_gt(refuse_each(REFUSE_MEMORY, ENOMEM, ERR_NOMEM), 20);
    expect_no_leaks();
}

Test(refused, reading_and_writing_is_told_and_leaves_nothing_half_done)
{
    static const struct {
        int with;
        enum err told;
    } rows[] = {
        {EIO, ERR_IO},
        {ENOMEM, ERR_NOMEM},
        {MDB_CORRUPTED, ERR_DAMAGED},
        {MDB_MAP_FULL, ERR_FULL},
        {MDB_TXN_FULL, ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_gt(refuse_each(REFUSE_LMDB, rows[i].with, rows[i].told), 100);
    expect_no_leaks();
}
