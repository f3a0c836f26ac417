// Words and their keys where files refuse: a change is whole or not there, what was promised to be
// destroyed is destroyed, and what was refused once goes well the next time.

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/seal.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/chores.h"
#include "tests/storage/refuse.h"
#include "tests/storage/scratch.h"

enum { OURS = CHORES_COMMUNITY, FAR_AT = 3 * SEAL_BLOCK };

static struct scratch scratch;
static struct store *store;

static void draw_same(void *arg, void *out, size_t n)
{
    (void)arg;
    memset(out, 0x55, n);
}

static struct store *open_store(void)
{
    struct store_options options = {
        .map_size = 16 << 20, .keeps_orders = true, .random = draw_same};
    struct store *opened = NULL;
    struct fault fault = {0};
    enum err err = store_open(scratch.path, &options, &opened, &fault);
    cr_assert_eq(err, OK, "%s", fault.text);
    return opened;
}

static void begin_anew(void)
{
    store_close(&store);
    scratch_done(&scratch);
    cr_assert_eq(mkdir(scratch.folder, 0700), 0);
    store = open_store();
    struct txn *txn = txn_begin_write(store);
    chores_prepare(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void set_up(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    scratch_init(&scratch);
    begin_anew();
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(refused_seal, .init = set_up, .fini = tear_down);

static void print_now(uint8_t print[HASH_SIZE])
{
    struct txn *txn = txn_begin_read(store);
    chores_print(txn, print);
    cr_assert_eq(txn_commit(&txn), OK);
}

static bool is_key_destroyed(uint64_t position)
{
    static const uint8_t zeros[SEAL_KEY_SIZE];
    uint8_t key[SEAL_KEY_SIZE];
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/keys/%08x-0000000000000000", scratch.path, OURS);
    FILE *file = fopen(path, "rbe");
    cr_assert(file && fseek(file, (long)(position * sizeof key), SEEK_SET) == 0);
    cr_assert_eq(fread(key, 1, sizeof key, file), sizeof key);
    (void)fclose(file);
    return memcmp(key, zeros, sizeof key) == 0;
}

static void put_words(struct txn *txn, uint64_t position)
{
    struct log_entry entry = {.form = LOG_WHOLE, .seq = (uint32_t)position, .leaf = {1}};
    struct log_body body = {.fields = bytes_of_text("words far off")};
    log_put(txn, OURS, position, &entry, &body);
}

// One change's words go, with an order; another's come, for which a file of keys is made.
static enum err exchange(void)
{
    static const uint8_t handle[HANDLE_SIZE] = "the handle..";
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, OURS, handle, CHORES_WHOLE, CHORES_TAG, NULL);
    log_erase(txn, OURS, CHORES_WHOLE, NULL);
    put_words(txn, FAR_AT);
    return txn_commit(&txn);
}

static bool visit_order(const struct store_order *order, void *arg)
{
    *(unsigned *)arg += order->what == ORDER_ERASURE && order->seq == CHORES_WHOLE;
    return true;
}

static void expect_exchanged(const uint8_t after[HASH_SIZE], const char *what)
{
    uint8_t print[HASH_SIZE];
    unsigned erasures = 0;
    struct log_body body;
    print_now(print);
    cr_assert_arr_eq(print, after, HASH_SIZE, "%s", what);
    cr_assert(is_key_destroyed(CHORES_WHOLE), "%s", what);
    cr_assert_eq(store_orders_each(store, visit_order, &erasures), OK, "%s", what);
    cr_assert_geq(erasures, 1, "%s", what);
    struct txn *txn = txn_begin_read(store);
    cr_assert_eq(log_get_body(txn, OURS, FAR_AT, &body), OK, "%s", what);
    txn_abort(&txn);
}

// False: it makes fewer calls.
static bool exchange_refused(const char *kind, unsigned nth, int with,
                             const uint8_t before[HASH_SIZE], const uint8_t after[HASH_SIZE])
{
    char what[64];
    uint8_t print[HASH_SIZE];
    (void)snprintf(what, sizeof what, "%s %u (%d)", kind, nth, with);
    begin_anew();
    refuse(kind, nth, with);
    enum err err = exchange();
    bool was_refused = refuse_end();
    cr_assert(!err || was_refused, "%s: %s", what, err_text(err));
    // A search that fails beside a gap is taken for one that went astray.
    bool may_seem_damaged = strcmp(kind, REFUSE_LMDB) == 0;
    cr_assert(err != ERR_DAMAGED || may_seem_damaged, "%s: nothing is damaged", what);
    store_close(&store);
    store = open_store();
    print_now(print);
    bool is_after = memcmp(print, after, HASH_SIZE) == 0;
    cr_assert(is_after || memcmp(print, before, HASH_SIZE) == 0, "%s: half done", what);
    cr_assert(is_after || err, "%s: what was promised is lost", what);
    if (!is_after)
        cr_assert_eq(exchange(), OK, "%s: not again", what);
    expect_exchanged(after, what);
    return was_refused;
}

Test(refused_seal, an_exchange_of_words_is_whole_or_not_there_and_goes_well_again)
{
    static const struct {
        const char *kind;
        int with;
    } rows[] = {
        {REFUSE_FILES, EIO},         {REFUSE_FILES, ENOSPC},     {REFUSE_FILES, EDQUOT},
        {REFUSE_FILES, ENOMEM},      {REFUSE_MEMORY, ENOMEM},    {REFUSE_LMDB, EIO},
        {REFUSE_LMDB, MDB_MAP_FULL}, {"mdb_txn_commit", ENOSPC}, {"pwrite", EINTR},
        {"pwrite", REFUSE_SHORT},
    };
    uint8_t before[HASH_SIZE];
    uint8_t after[HASH_SIZE];
    print_now(before);
    cr_assert_eq(exchange(), OK);
    print_now(after);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned nth = 1;
        while (exchange_refused(rows[i].kind, nth, rows[i].with, before, after))
            nth++;
        cr_assert_gt(nth, 1, "%s", rows[i].kind);
    }
    expect_no_leaks();
}

Test(refused_seal, what_is_written_in_parts_or_interrupted_is_written)
{
    static const int ways[] = {EINTR, REFUSE_SHORT};
    for (unsigned i = 0; i < 6; i++) {
        begin_anew();
        refuse("pwrite", 1 + i / 2, ways[i % 2]);
        cr_assert_eq(exchange(), OK);
        cr_assert(refuse_end(), "%u", i);
        cr_assert(is_key_destroyed(CHORES_WHOLE));
    }
}

// The file of keys is there after the first failure; but it is not known to be there after a power
// cut until the directory was synced.
Test(refused_seal, no_key_is_used_whose_file_may_vanish)
{
    for (unsigned i = 0; i < 2; i++) {
        struct txn *txn = txn_begin_write(store);
        refuse("fsync", i == 0 ? 3 : 1, EIO);
        put_words(txn, FAR_AT);
        cr_assert(refuse_end(), "%u", i);
        cr_assert_eq(txn_commit(&txn), ERR_IO, "%u", i);
    }
    store_close(&store);
    store = open_store();
    struct txn *txn = txn_begin_write(store);
    refuse("fsync", 1, EIO);
    put_words(txn, FAR_AT);
    cr_assert(refuse_end(), "a start that was cut off may have made it");
    cr_assert_eq(txn_commit(&txn), ERR_IO);
    txn = txn_begin_write(store);
    put_words(txn, FAR_AT);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_write(store);
    refuse("fsync", 1, EIO);
    put_words(txn, FAR_AT + 1);
    cr_assert_not(refuse_end(), "once is enough");
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(refused_seal, no_order_is_in_a_file_that_may_vanish)
{
    char path[SCRATCH_MAX + 64];
    struct record_key record = {KIND_NEED, {99}};
    (void)snprintf(path, sizeof path, "%s/orders", scratch.path);
    cr_assert_eq(remove(path), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct txn *txn = txn_begin_write(store);
        closed_put(txn, OURS, &record, CLOSED_ALONE);
        refuse("fsync", 1, EIO);
        cr_assert_eq(txn_commit(&txn), ERR_IO);
        cr_assert(refuse_end(), "%u: the directory is synced", i);
    }
}

Test(refused_seal, without_randomness_nothing_is_sealed)
{
    struct store_options options = {.map_size = 16 << 20};
    store_close(&store);
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
    struct txn *txn = txn_begin_write(store);
    refuse("cipher_random", 1, EIO);
    put_words(txn, FAR_AT);
    cr_assert(refuse_end());
    cr_assert_eq(txn_commit(&txn), ERR_IO);
    // Where a key was destroyed one is drawn anew, too.
    txn = txn_begin_write(store);
    log_erase(txn, OURS, CHORES_WHOLE, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_write(store);
    refuse("cipher_random", 1, EIO);
    put_words(txn, CHORES_WHOLE);
    cr_assert(refuse_end());
    cr_assert_eq(txn_commit(&txn), ERR_IO);
    cr_assert(is_key_destroyed(CHORES_WHOLE));
    txn = txn_begin_write(store);
    put_words(txn, CHORES_WHOLE);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert_not(is_key_destroyed(CHORES_WHOLE));
}

Test(refused_seal, words_cannot_be_read_while_their_keys_cannot)
{
    static const struct {
        const char *call;
        int with;
    } rows[] = {{"open", EIO},    {"open", ENOMEM}, {"open", ENOSPC},   {"malloc", ENOMEM},
                {"mmap", ENOMEM}, {"fstat", EIO},   {"realloc", ENOMEM}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log_body body;
        store_close(&store);
        store = open_store();
        struct txn *txn = txn_begin_read(store);
        // Of reallocations the first is the room for the words, the second that for the files.
        refuse(rows[i].call, strcmp(rows[i].call, "realloc") == 0 ? 2 : 1, rows[i].with);
        enum err err = log_get_body(txn, OURS, CHORES_WHOLE, &body);
        if (refuse_end())
            cr_expect_neq(err, OK, "%s", rows[i].call);
        txn_abort(&txn);
        txn = txn_begin_read(store);
        cr_expect_eq(log_get_body(txn, OURS, CHORES_WHOLE, &body), OK, "%s", rows[i].call);
        txn_abort(&txn);
    }
    expect_no_leaks();
}

// --- the orders ---

// The first look is whether it is the file that the database knows; they are given all the same.
Test(refused_seal, orders_that_cannot_be_read_are_not_called_none)
{
    static const struct {
        const char *call;
        unsigned nth;
        int with;
        enum err told;
        unsigned given;
    } rows[] = {{"open", 1, EACCES, ERR_IO, 1},
                {"open", 2, EACCES, ERR_IO, 0},
                {"malloc", 1, ENOMEM, ERR_IO, 1},
                {"malloc", 2, ENOMEM, ERR_IO, 0},
                {"pread", 1, EIO, ERR_IO, 1},
                {"pread", 2, EIO, ERR_IO, 0},
                {"pread", 1, EINTR, OK, 1},
                {"pread", 2, EINTR, OK, 1},
                {"pread", 1, REFUSE_SHORT, OK, 1},
                {"pread", 2, REFUSE_SHORT, OK, 1},
                {"mdb_get", 1, EIO, ERR_IO, 1},
                {"mdb_txn_begin", 1, EIO, ERR_IO, 1},
                {"mdb_get", 1, MDB_CORRUPTED, ERR_DAMAGED, 1}};
    cr_assert_eq(exchange(), OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned erasures = 0;
        refuse(rows[i].call, rows[i].nth, rows[i].with);
        cr_expect_eq(store_orders_each(store, visit_order, &erasures), rows[i].told, "%s %u",
                     rows[i].call, rows[i].nth);
        cr_expect(refuse_end(), "%s", rows[i].call);
        cr_expect_eq(erasures, rows[i].given, "%s %u", rows[i].call, rows[i].nth);
    }
}
