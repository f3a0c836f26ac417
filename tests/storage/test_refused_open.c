// Opening and making a store where something is refused: the caller is told and has none, nothing
// is lost or left lying about, and the next opening goes well.

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/create.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/chores.h"
#include "tests/storage/refuse.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;

static void set_up(void)
{
    // Hundreds of stores are made: where there is no disk to wait for.
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    scratch_init(&scratch);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(refused_open, .init = set_up, .fini = tear_down);

static void begin_anew(void)
{
    scratch_done(&scratch);
    cr_assert_eq(mkdir(scratch.folder, 0700), 0);
}

static enum err try_open(bool read_only, struct store **store, struct fault *fault)
{
    struct store_options options = {
        .map_size = 16 << 20, .keeps_orders = true, .read_only = read_only};
    return store_open(scratch.path, &options, store, fault);
}

// What is there in a store of this moment; closes it.
static void print_and_close(struct store *store, uint8_t print[HASH_SIZE])
{
    struct txn *txn = txn_begin_read(store);
    chores_print(txn, print);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
}

struct way {
    const char *kind;
    int with;
    enum err told;
};

static const struct way ways[] = {
    {REFUSE_MEMORY, ENOMEM, ERR_NOMEM}, {REFUSE_LMDB, EIO, ERR_IO},
    {REFUSE_LMDB, ENOMEM, ERR_NOMEM},   {REFUSE_LMDB, MDB_CORRUPTED, ERR_DAMAGED},
    {REFUSE_LMDB, ENOSPC, ERR_FULL},    {REFUSE_FILES, EIO, ERR_IO},
    {REFUSE_FILES, ENOSPC, ERR_FULL},   {REFUSE_FILES, ENOMEM, ERR_NOMEM},
    {REFUSE_FILES, EACCES, ERR_IO},
};

enum { WAYS = sizeof ways / sizeof *ways };

// True: something was refused. The store is open or untouched.
static bool open_refused(const struct way *way, unsigned nth, bool read_only, struct store **store)
{
    struct fault fault = {0};
    *store = NULL;
    refuse(way->kind, nth, way->with);
    enum err err = try_open(read_only, store, &fault);
    bool was_refused = refuse_end();
    cr_assert_eq(err != OK, *store == NULL, "%s %u", way->kind, nth);
    cr_assert_eq(fault.err, err, "%s %u: what is told is what is answered", way->kind, nth);
    if (err)
        cr_assert(was_refused && (err == way->told || err == ERR_IO), "%s %u (%d): %s", way->kind,
                  nth, way->with, fault.text);
    return was_refused;
}

Test(refused_open, of_a_new_place_leaves_nothing_or_a_whole_store)
{
    for (size_t i = 0; i < WAYS; i++) {
        uint8_t empty[HASH_SIZE];
        uint8_t print[HASH_SIZE];
        struct store *store = NULL;
        bool was_refused = true;
        begin_anew();
        cr_assert_eq(try_open(false, &store, NULL), OK);
        print_and_close(store, empty);
        for (unsigned nth = 1; was_refused; nth++) {
            struct fault fault = {0};
            begin_anew();
            was_refused = open_refused(&ways[i], nth, false, &store);
            store_close(&store);
            cr_assert_eq(try_open(false, &store, &fault), OK, "%s %u: %s", ways[i].kind, nth,
                         fault.text);
            print_and_close(store, print);
            cr_assert_arr_eq(print, empty, HASH_SIZE, "%s %u", ways[i].kind, nth);
            cr_assert_not(scratch_has(&scratch, "store.new"), "%s %u", ways[i].kind, nth);
        }
    }
    expect_no_leaks();
}

static void fill(uint8_t print[HASH_SIZE])
{
    struct store *store = NULL;
    begin_anew();
    cr_assert_eq(try_open(false, &store, NULL), OK);
    struct txn *txn = txn_begin_write(store);
    chores_prepare(txn);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_write(store);
    for (size_t i = 0; i < chores_writing_n; i++)
        (void)chores_writing[i].run(txn);
    txn_abort(&txn);
    print_and_close(store, print);
}

Test(refused_open, of_a_store_that_is_there_loses_nothing)
{
    uint8_t print[HASH_SIZE];
    uint8_t now[HASH_SIZE];
    struct store *store;
    fill(print);
    for (size_t i = 0; i < (size_t)2 * WAYS; i++) {
        const struct way *way = &ways[i / 2];
        for (unsigned nth = 1; open_refused(way, nth, i % 2, &store); nth++) {
            struct fault fault = {0};
            store_close(&store);
            cr_assert_eq(try_open(false, &store, &fault), OK, "%s", fault.text);
            print_and_close(store, now);
            cr_assert_arr_eq(now, print, HASH_SIZE, "%s %u", way->kind, nth);
        }
        store_close(&store);
    }
    expect_no_leaks();
}

Test(refused_open, of_one_store_says_so_while_others_are_open)
{
    struct store *store = NULL;
    struct store *other = NULL;
    struct store *third = NULL;
    char path[2][SCRATCH_MAX + 16];
    (void)snprintf(path[0], sizeof path[0], "%s/other", scratch.folder);
    (void)snprintf(path[1], sizeof path[1], "%s/third", scratch.folder);
    cr_assert_eq(try_open(false, &store, NULL), OK);
    cr_assert_eq(store_open(path[0], NULL, &other, NULL), OK);
    cr_assert_eq(store_open(path[1], NULL, &third, NULL), OK);
    store_close(&other);
    cr_assert_eq(store_open(path[1], NULL, &other, NULL), ERR_WRONG_STATE);
    cr_assert_eq(try_open(false, &other, NULL), ERR_WRONG_STATE);
    store_close(&third);
    cr_assert_eq(store_open(path[1], NULL, &third, NULL), OK);
    store_close(&third);
    store_close(&store);
    expect_no_leaks();
}

Test(refused_open, says_what_could_not_be_done_and_where)
{
    static const struct {
        const char *call;
        const char *said;
    } rows[] = {
        {"mkdir", "cannot create"},         {"rename", "cannot create"},
        {"mdb_env_create", "set up"},       {"mdb_env_set_maxdbs", "set up"},
        {"mdb_env_open", "cannot open"},    {"mdb_dbi_open", "cannot write"},
        {"mdb_txn_commit", "cannot write"}, {"fsync", "cannot sync"},
        {"flock", "cannot open"},           {"stat", "cannot open"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct way way = {rows[i].call, EIO, ERR_IO};
        struct store *store = NULL;
        struct fault fault = {0};
        begin_anew();
        refuse(way.kind, 1, way.with);
        cr_assert_eq(try_open(false, &store, &fault), ERR_IO, "%s", rows[i].call);
        cr_assert(refuse_end());
        cr_assert(strstr(fault.text, rows[i].said), "%s: %s", rows[i].call, fault.text);
        cr_assert(strstr(fault.text, "nput/output error") || strstr(fault.text, "input or output"),
                  "%s: %s", rows[i].call, fault.text);
        cr_assert_null(store);
    }
    expect_no_leaks();
}

Test(refused_open, of_what_is_no_sound_database_says_that_it_is_damaged)
{
    static const struct {
        const char *call;
        unsigned nth;
        int with;
        const char *said;
    } rows[] = {
        {"mdb_env_open", 1, MDB_INVALID, "not a database of Folkmoot"},
        {"mdb_env_open", 1, MDB_VERSION_MISMATCH, "not a database of Folkmoot"},
        {"mdb_dbi_open", 1, MDB_NOTFOUND, "does not say its format"},
        {"mdb_dbi_open", 4, MDB_NOTFOUND, "no sound table entry"},
        {"mdb_dbi_open", 4, MDB_INCOMPATIBLE, "no sound table entry"},
    };
    uint8_t print[HASH_SIZE];
    struct store *store = NULL;
    fill(print);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        refuse(rows[i].call, rows[i].nth, rows[i].with);
        cr_assert_eq(try_open(false, &store, &fault), ERR_DAMAGED, "%zu: %s", i, fault.text);
        cr_assert(refuse_end());
        cr_assert(strstr(fault.text, rows[i].said), "%s", fault.text);
    }
    expect_no_leaks();
}

// Somebody else wrote a row, and did not note that commit.
static void write_behind_its_back(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {3, (void *)"key"};
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, TABLE_COUNT), 0);
    cr_assert_eq(mdb_env_open(env, scratch.path, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, "name", 0, &dbi), 0);
    cr_assert_eq(mdb_put(txn, dbi, &key, &key, 0), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

Test(refused_open, of_a_store_whose_last_commit_is_not_its_own)
{
    uint8_t print[HASH_SIZE];
    struct store *store = NULL;
    struct fault fault = {0};
    fill(print);
    write_behind_its_back();
    cr_assert_eq(try_open(false, &store, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "not at its last commit"), "%s", fault.text);
    expect_no_leaks();
}

Test(refused_open, of_a_store_whose_format_is_of_another_length)
{
    static const uint8_t format[5] = {0, 0, 0, 3, 0};
    uint8_t print[HASH_SIZE];
    struct store *store = NULL;
    struct fault fault = {0};
    fill(print);
    cr_assert_eq(try_open(false, &store, NULL), OK);
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_META, bytes_of_text("format"), BYTES(format));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_eq(try_open(false, &store, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "does not say its format"), "%s", fault.text);
}

Test(refused_open, of_a_map_greater_than_any_is_told_and_leaves_nothing)
{
    struct store_options options = {.map_size = SIZE_MAX};
    struct store *store = NULL;
    struct fault fault = {0};
    cr_assert_neq(store_open(scratch.path, &options, &store, &fault), OK);
    cr_assert_null(store);
    cr_assert(strstr(fault.text, "cannot"), "%s", fault.text);
    cr_assert_not(scratch_has(&scratch, "store.new"));
    cr_assert_not(scratch_has(&scratch, "store"));
    cr_assert_eq(try_open(false, &store, NULL), OK);
    store_close(&store);
    expect_no_leaks();
}

Test(refused_open, of_a_directory_in_the_place_of_the_file)
{
    struct store *store = NULL;
    struct fault fault = {0};
    char path[sizeof scratch.path + 16];
    (void)snprintf(path, sizeof path, "%s/data.mdb", scratch.path);
    cr_assert_eq(mkdir(scratch.path, 0700), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(try_open(false, &store, &fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "no file"), "%s", fault.text);
}

Test(refused_open, waits_for_the_lock_though_a_signal_comes)
{
    refuse("flock", 1, EINTR);
    cr_assert_eq(create_store(scratch.path, 16 << 20, NULL), OK);
    cr_assert(refuse_end());
    cr_assert(scratch_has(&scratch, "store/data.mdb"));
}

Test(refused_open, says_why_what_a_creation_left_cannot_be_taken_away)
{
    struct fault fault = {0};
    scratch_write(&scratch, "store.new", "data.mdb", "half a page");
    refuse("unlink", 1, EBUSY);
    cr_assert_eq(create_store(scratch.path, 16 << 20, &fault), ERR_IO);
    cr_assert(refuse_end());
    cr_assert(strstr(fault.text, "store.new/data.mdb"), "%s", fault.text);
    cr_assert_eq(create_store(scratch.path, 16 << 20, &fault), OK);
    cr_assert_not(scratch_has(&scratch, "store.new"));
}

Test(refused_open, takes_no_file_away_that_stands_where_a_store_is_made)
{
    struct fault fault = {0};
    scratch_write(&scratch, ".", "store.new", "a letter");
    cr_assert_eq(create_store(scratch.path, 16 << 20, &fault), ERR_IO);
    cr_assert(strstr(fault.text, "store.new"), "%s", fault.text);
    cr_assert(scratch_has(&scratch, "store.new"));
    cr_assert_not(scratch_has(&scratch, "store"));
}

Test(refused_open, says_that_a_place_is_taken_however_the_system_names_it)
{
    static const int names[] = {EEXIST, ENOTEMPTY, ENOTDIR};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fault fault = {0};
        refuse("rename", 1, names[i]);
        cr_assert_eq(create_store(scratch.path, 16 << 20, &fault), ERR_DAMAGED);
        cr_assert(refuse_end());
        cr_assert(strstr(fault.text, "choose another place"), "%s", fault.text);
        cr_assert_not(scratch_has(&scratch, "store.new"));
    }
}

Test(refused_open, of_a_parent_that_may_not_be_read_is_no_matter)
{
    uint8_t print[HASH_SIZE];
    struct store *store = NULL;
    fill(print);
    refuse("access", 1, EACCES);
    cr_assert_eq(try_open(false, &store, NULL), OK);
    cr_assert(refuse_end());
    store_close(&store);
}

Test(refused_open, tells_the_greatest_size_even_where_the_free_pages_cannot_be_counted)
{
    static const char *const calls[] = {"mdb_txn_begin", "mdb_cursor_open", "calloc"};
    uint8_t print[HASH_SIZE];
    struct store *store = NULL;
    fill(print);
    cr_assert_eq(try_open(false, &store, NULL), OK);
    uint64_t used;
    uint64_t max;
    store_size(store, &used, &max);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        uint64_t told;
        refuse(calls[i], 1, ENOMEM);
        store_size(store, &told, &max);
        cr_assert(refuse_end());
        cr_expect_eq(max, 16 << 20);
        cr_expect_geq(told, used, "never less than there is: %s", calls[i]);
    }
    store_close(&store);
}
