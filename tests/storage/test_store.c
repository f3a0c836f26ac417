#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;

static void set_up(void)
{
    scratch_init(&scratch);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(store, .init = set_up, .fini = tear_down);

static void put(struct txn *txn, const char *key, const char *value)
{
    table_put(txn, TABLE_NAME, bytes_of_text(key), bytes_of_text(value));
}

static bool has(struct txn *txn, const char *key, const char *value)
{
    struct bytes found;
    return table_get(txn, TABLE_NAME, bytes_of_text(key), &found) == OK &&
           bytes_equal(found, bytes_of_text(value));
}

static enum err try_open(const struct store_options *options, struct fault *fault)
{
    struct store *store = NULL;
    enum err err = store_open(scratch.path, options, &store, fault);
    if (err)
        cr_assert_null(store, "untouched when it fails");
    store_close(&store);
    return err;
}

Test(store, keeps_what_was_committed_over_a_reopening)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert_null(txn);
    store_close(&store);
    cr_assert_null(store);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    cr_assert(has(txn, "key", "value"));
    txn_abort(&txn);
    store_close(&store);
    expect_no_leaks();
}

Test(store, forgets_what_was_aborted)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_assert(has(txn, "key", "value"));
    txn_abort(&txn);
    cr_assert_null(txn);
    txn = txn_begin_read(store);
    cr_assert_not(has(txn, "key", "value"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
}

Test(store, is_readable_by_its_owner_only)
{
    struct store *store = scratch_open(&scratch);
    store_close(&store);
    char file[sizeof scratch.path + 16];
    snprintf(file, sizeof file, "%s/data.mdb", scratch.path);
    struct stat st;
    cr_assert_eq(stat(scratch.path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(stat(file, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(store, keeps_the_first_error_of_a_transaction)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    put(txn, "before", "1");
    cr_assert_eq(txn_fail(txn, OK), OK);
    cr_assert_eq(txn_fail(txn, ERR_FORBIDDEN), ERR_FORBIDDEN);
    cr_assert_eq(txn_fail(txn, ERR_LIMIT), ERR_FORBIDDEN);
    put(txn, "after", "2");
    struct bytes value;
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("before"), &value), ERR_FORBIDDEN);
    cr_assert_eq(txn_error(txn), ERR_FORBIDDEN);
    struct walk walk;
    walk_begin(&walk, txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of(NULL, 0));
    cr_assert_not(walk_next(&walk));
    walk_end(&walk);
    cr_assert_eq(txn_commit(&txn), ERR_FORBIDDEN);
    txn = txn_begin_read(store);
    cr_assert_not(has(txn, "before", "1"));
    txn_abort(&txn);
    store_close(&store);
    expect_no_leaks();
}

Test(store, opened_to_be_read_gives_all_and_takes_nothing)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);

    struct store_options options = {.read_only = true};
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
    txn = txn_begin_read(store);
    cr_assert(has(txn, "key", "value"));
    txn_abort(&txn);
    txn = txn_begin_write(store);
    cr_assert_eq(txn_error(txn), ERR_WRONG_STATE);
    put(txn, "key", "other");
    cr_assert_eq(txn_commit(&txn), ERR_WRONG_STATE);
    store_close(&store);
    expect_no_leaks();
}

Test(store, opened_to_be_read_is_not_created)
{
    struct store_options options = {.read_only = true};
    struct fault fault = {0};
    cr_assert_eq(try_open(&options, &fault), ERR_NOT_FOUND);
    cr_assert_eq(fault.err, ERR_NOT_FOUND);
    cr_assert(strstr(fault.text, scratch.path));
    cr_assert_not(scratch_has(&scratch, "store"));
}

Test(store, refuses_a_format_that_was_never_released)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    static const uint8_t older[4] = {0, 0, 0, 1};
    table_put(txn, TABLE_META, bytes_of_text("format"), BYTES(older));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    struct store_options options = {.read_only = true};
    struct fault fault = {0};
    cr_assert_eq(try_open(&options, &fault), ERR_VERSION);
    cr_assert(strstr(fault.text, "no released version"), "%s", fault.text);
    expect_no_leaks();
}

Test(store, refuses_a_newer_format_and_leaves_it_as_it_is)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    static const uint8_t newer[4] = {0, 0, 0, 5};
    table_put(txn, TABLE_META, bytes_of_text("format"), BYTES(newer));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    for (int round = 0; round < 2; round++) {
        struct store_options options = {.read_only = round == 1};
        struct fault fault = {0};
        cr_assert_eq(try_open(&options, &fault), ERR_VERSION);
        cr_assert(strstr(fault.text, "format 5"));
        cr_assert(strstr(fault.text, "install the newer version"));
    }
    expect_no_leaks();
}

Test(store, is_damaged_without_a_sound_format)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    table_delete(txn, TABLE_META, bytes_of_text("format"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    struct fault fault = {0};
    cr_assert_eq(try_open(NULL, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "does not say its format"));
}

Test(store, is_not_opened_twice_in_a_process)
{
    struct store *store = scratch_open(&scratch);
    struct fault fault = {0};
    cr_assert_eq(try_open(NULL, &fault), ERR_WRONG_STATE);
    cr_assert(strstr(fault.text, "open already"));
    struct txn *txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_assert_eq(txn_commit(&txn), OK, "the first one goes on");
    store_close(&store);
    cr_assert_eq(try_open(NULL, NULL), OK);
}

// Writes n bytes at a place of data.mdb, or cuts it there (n 0).
static void change_file(off_t at, const void *p, size_t n)
{
    char path[SCRATCH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/data.mdb", scratch.path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    if (n)
        cr_assert_eq(pwrite(fd, p, n, at), (ssize_t)n);
    else
        cr_assert_eq(ftruncate(fd, at), 0);
    cr_assert_eq(close(fd), 0);
}

static void put_three_and_close(void)
{
    struct store *store = scratch_open(&scratch);
    for (int i = 0; i < 3; i++) {
        struct txn *txn = txn_begin_write(store);
        put(txn, "key", i == 2 ? "value" : "before");
        cr_assert_eq(txn_commit(&txn), OK);
    }
    store_close(&store);
}

Test(store, refuses_a_file_that_is_cut_short)
{
    struct fault fault = {0};
    put_three_and_close();
    char path[SCRATCH_MAX + 32];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/data.mdb", scratch.path);
    cr_assert_eq(stat(path, &st), 0);
    change_file(st.st_size - 1, NULL, 0);
    cr_assert_eq(try_open(NULL, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "cut short"));
}

// Where the number of the commit stands in a meta page of a 64-bit machine (storage/pages.c). There
// were four: of the creation and of the three puts.
enum { COMMIT_AT = 144, PAGE = 4096 };

Test(store, never_goes_back_to_the_commit_before_the_last)
{
    if (sizeof(size_t) != 8 || sysconf(_SC_PAGESIZE) != PAGE)
        return;
    static const uint64_t last = 4;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct fault fault = {0};
        uint64_t altered[2] = {last ^ (uint64_t)1 << bit, (last - 1) ^ (uint64_t)1 << bit};
        put_three_and_close();
        change_file(COMMIT_AT, &altered[0], sizeof altered[0]);
        cr_expect_eq(try_open(NULL, &fault), ERR_DAMAGED, "the last, bit %u", bit);
        change_file(COMMIT_AT, &last, sizeof last);
        change_file(PAGE + COMMIT_AT, &altered[1], sizeof altered[1]);
        cr_expect_eq(try_open(NULL, &fault), ERR_DAMAGED, "the one before, bit %u", bit);
        scratch_done(&scratch);
        scratch_init(&scratch);
    }
}

Test(store, refuses_a_file_that_is_none)
{
    struct fault fault = {0};
    scratch_write(&scratch, "store", "data.mdb",
                  "These are words and no database, whatever the name.");
    cr_assert_eq(try_open(NULL, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "not a database"));
    scratch_write(&scratch, "store", "data.mdb", "");
    cr_assert_eq(try_open(NULL, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "empty"));
}

// --- A full map ---

enum { SMALL_MAP = 1 << 20, WORDS = 4000 };

static struct store *open_small(void)
{
    struct store_options options = {.map_size = SMALL_MAP};
    struct store *store = NULL;
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
    return store;
}

// Puts values, each in a transaction of its own, until one fails; returns how many went well.
static uint32_t fill(struct store *store, enum err *err)
{
    static uint8_t words[WORDS];
    for (uint32_t i = 0; i < 10000; i++) {
        struct txn *txn = txn_begin_write(store);
        struct key key = {0};
        key_u32(&key, i);
        table_put(txn, TABLE_BODY, key_of(&key), BYTES(words));
        *err = txn_commit(&txn);
        if (*err)
            return i;
    }
    return 10000;
}

static uint32_t count(struct store *store)
{
    uint32_t n = 0;
    struct txn *txn = txn_begin_read(store);
    struct walk walk;
    walk_begin(&walk, txn, TABLE_BODY, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk))
        n += walk.err == OK && walk.value.n == WORDS;
    walk_end(&walk);
    txn_abort(&txn);
    return n;
}

Test(store, says_that_it_is_full_and_goes_on_when_opened_anew_with_more_room)
{
    struct store *store = open_small();
    enum err err = OK;
    uint32_t went_well = fill(store, &err);
    cr_assert_eq(err, ERR_FULL);
    cr_assert_gt(went_well, 100);
    cr_assert_eq(count(store), went_well, "what was committed can still be read");
    store_close(&store);

    store = open_small();
    cr_assert_eq(count(store), went_well);
    cr_assert_eq(fill(store, &err), 0, "full as before");
    store_close(&store);

    store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    put(txn, "key", "value");
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert_eq(count(store), went_well);
    store_close(&store);
    expect_no_leaks();
}

// The disk refuses to let the file grow, in the middle of a commit.
static void allow_file_size(rlim_t size)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(store, begins_nothing_after_a_commit_of_unknown_outcome_until_it_is_opened_anew)
{
    signal(SIGXFSZ, SIG_IGN);
    struct store *store = scratch_open(&scratch);
    static uint8_t words[100000];
    struct txn *txn = txn_begin_write(store);
    put(txn, "before", "is kept");
    cr_assert_eq(txn_commit(&txn), OK);
    struct stat st;
    char file[sizeof scratch.path + 16];
    snprintf(file, sizeof file, "%s/data.mdb", scratch.path);
    cr_assert_eq(stat(file, &st), 0);

    allow_file_size((rlim_t)st.st_size + 10000);
    txn = txn_begin_write(store);
    put(txn, "key", "value");
    table_put(txn, TABLE_BODY, bytes_of_text("words"), BYTES(words));
    cr_assert_eq(txn_error(txn), OK);
    enum err err = txn_commit(&txn);
    cr_assert(err == ERR_FULL || err == ERR_IO);
    txn = txn_begin_write(store);
    cr_assert_eq(txn_error(txn), ERR_IO);
    cr_assert_eq(txn_commit(&txn), ERR_IO);
    txn = txn_begin_read(store);
    cr_assert_not(has(txn, "before", "is kept"));
    cr_assert_eq(txn_error(txn), ERR_IO);
    txn_abort(&txn);
    uint64_t used;
    uint64_t max;
    store_size(store, &used, &max);
    cr_assert_eq(max, 16 << 20);
    store_close(&store);

    allow_file_size(RLIM_INFINITY);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
    cr_assert(has(txn, "before", "is kept"));
    cr_assert_not(has(txn, "key", "value"));
    put(txn, "key", "value");
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    expect_no_leaks();
}

Test(store, tells_its_size_and_what_deletion_gave_back)
{
    struct store *store = scratch_open(&scratch);
    uint64_t empty;
    uint64_t grown;
    uint64_t emptied;
    uint64_t max;
    store_size(store, &empty, &max);
    cr_assert_eq(max, 16 << 20);
    cr_assert_gt(empty, 0);
    struct txn *txn = txn_begin_write(store);
    static uint8_t words[1 << 20];
    table_put(txn, TABLE_BODY, bytes_of_text("key"), BYTES(words));
    cr_assert_eq(txn_commit(&txn), OK);
    store_size(store, &grown, &max);
    cr_assert_geq(grown, empty + (1 << 20));
    txn = txn_begin_write(store);
    table_delete(txn, TABLE_BODY, bytes_of_text("key"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_size(store, &emptied, &max);
    cr_assert_leq(emptied + (1 << 20), grown);
    store_close(&store);
    expect_no_leaks();
}

Test(store, lets_a_reader_see_its_moment_while_a_writer_goes_on)
{
    struct store *store = scratch_open(&scratch);
    struct txn *writer = txn_begin_write(store);
    put(writer, "key", "old");
    cr_assert_eq(txn_commit(&writer), OK);
    struct txn *reader = txn_begin_read(store);
    writer = txn_begin_write(store);
    put(writer, "key", "new");
    cr_assert_eq(txn_commit(&writer), OK);
    struct txn *later = txn_begin_read(store);
    cr_assert(has(reader, "key", "old"));
    cr_assert(has(later, "key", "new"));
    txn_abort(&reader);
    txn_abort(&later);
    txn_abort(&later);
    store_close(&store);
    store_close(&store);
}

Test(store, is_busy_when_all_reader_slots_are_taken_and_recovers)
{
    enum { MORE_THAN_LMDB_HAS = 127 };
    struct store *store = scratch_open(&scratch);
    static struct txn *txns[MORE_THAN_LMDB_HAS];
    for (int i = 0; i < MORE_THAN_LMDB_HAS; i++)
        txns[i] = txn_begin_read(store);
    cr_assert_eq(txn_error(txns[0]), OK);
    cr_assert_eq(txn_error(txns[MORE_THAN_LMDB_HAS - 1]), ERR_BUSY);
    for (int i = 0; i < MORE_THAN_LMDB_HAS; i++)
        txn_abort(&txns[i]);
    struct txn *txn = txn_begin_read(store);
    cr_assert_eq(txn_error(txn), OK);
    txn_abort(&txn);
    store_close(&store);
    expect_no_leaks();
}
