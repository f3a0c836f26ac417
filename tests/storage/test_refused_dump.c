// Streams that are written and read where something is refused, or words are erased meanwhile.

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/community.h"
#include "storage/dump.h"
#include "storage/log.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/chores.h"
#include "tests/storage/refuse.h"
#include "tests/storage/scratch.h"

enum { VALUE_MAX = 1 << 20 };

static struct scratch scratch;
static struct scratch other; // where it is loaded
static struct store *store;
static unsigned told;
static void (*meanwhile)(void); // done when a row is told

static void tell(void *arg, const struct row *row, enum row_fault what)
{
    (void)arg;
    (void)row;
    cr_assert_eq(what, ROW_DAMAGED);
    told++;
    if (meanwhile)
        meanwhile();
}

static void read_on(void *arg, uint64_t rows)
{
    *(uint64_t *)arg += rows;
}

static uint64_t rows_read;
static const struct scrub scrub = {tell, read_on, &rows_read};

static void draw_same(void *arg, void *out, size_t n)
{
    (void)arg;
    memset(out, 0x55, n);
}

static struct store *open_at(const struct scratch *where)
{
    struct store_options options = {.map_size = 64 << 20, .random = draw_same};
    struct store *opened = NULL;
    cr_assert_eq(store_open(where->path, &options, &opened, NULL), OK);
    return opened;
}

static void set_up(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    scratch_init(&scratch);
    scratch_init(&other);
    store = open_at(&scratch);
    struct txn *txn = txn_begin_write(store);
    chores_prepare(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
    scratch_done(&other);
}

TestSuite(refused_dump, .init = set_up, .fini = tear_down);

static int open_stream(void)
{
    char path[SCRATCH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/stream", scratch.folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    return fd;
}

// What is in the stream, into a store that is made anew; print: what is there then.
static enum err load(struct fault *fault, struct dump *dump, uint8_t print[HASH_SIZE])
{
    int fd = open_stream();
    scratch_done(&other);
    cr_assert_eq(mkdir(other.folder, 0700), 0);
    struct store *loaded = open_at(&other);
    *fault = (struct fault){0};
    enum err err = dump_read(loaded, fd, DUMP_ALL, dump, fault);
    (void)refuse_end();
    cr_assert_eq(fault->err, err);
    cr_assert_eq(fault->text[0] != 0, err != OK);
    if (!err && print) {
        struct txn *txn = txn_begin_read(loaded);
        chores_print(txn, print);
        cr_assert_eq(txn_commit(&txn), OK);
    }
    store_close(&loaded);
    (void)close(fd);
    return err;
}

Test(refused_dump, many_rows_and_long_ones_come_back)
{
    enum { ROWS = 10000, LONG = 12 };
    static uint8_t words[VALUE_MAX];
    uint8_t before[HASH_SIZE];
    uint8_t after[HASH_SIZE];
    struct fault fault;
    struct dump dump;
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 0; i < ROWS + LONG; i++) {
        struct key key = {0};
        key_u32(&key, i);
        table_put(txn, TABLE_NAME, key_of(&key), bytes_of(words, i < ROWS ? 8 : sizeof words));
    }
    chores_print(txn, before);
    cr_assert_eq(txn_commit(&txn), OK);
    int fd = open_stream();
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), OK);
    (void)close(fd);
    cr_assert_geq(rows_read, 8192, "it is told now and then");
    cr_assert_eq(load(&fault, &dump, after), OK, "%s", fault.text);
    cr_expect_arr_eq(after, before, HASH_SIZE);
}

// --- where something is refused ---

static const struct {
    const char *kind;
    int with;
    bool is_no_matter;
} ways[] = {
    {REFUSE_MEMORY, ENOMEM, false},
    {REFUSE_LMDB, EIO, false},
    {REFUSE_LMDB, MDB_CORRUPTED, false},
    {REFUSE_FILES, EIO, false},
    {REFUSE_FILES, ENOSPC, false},
    {REFUSE_FILES, EDQUOT, false},
    {"write", EINTR, true},
    {"write", REFUSE_SHORT, true},
    {"read", EINTR, true},
    {"read", REFUSE_SHORT, true},
};

enum { WAYS = sizeof ways / sizeof *ways };

static bool write_refused(size_t way, unsigned nth, const uint8_t print[HASH_SIZE])
{
    struct fault fault = {0};
    struct dump dump;
    uint8_t after[HASH_SIZE];
    int fd = open_stream();
    store_close(&store);
    store = open_at(&scratch);
    told = 0;
    refuse(ways[way].kind, nth, ways[way].with);
    enum err err = dump_write(store, fd, 0, &scrub, &dump, &fault);
    bool was_refused = refuse_end();
    (void)close(fd);
    cr_assert_eq(fault.err, err);
    cr_assert(!err || (was_refused && !ways[way].is_no_matter), "%s %u: %s", ways[way].kind, nth,
              fault.text);
    if (err || told)
        return was_refused;
    cr_assert_eq(load(&fault, &dump, after), OK, "%s", fault.text);
    cr_assert_arr_eq(after, print, HASH_SIZE, "%s %u: not whole, and not told", ways[way].kind,
                     nth);
    return was_refused;
}

static void print_now(uint8_t print[HASH_SIZE])
{
    struct txn *txn = txn_begin_read(store);
    chores_print(txn, print);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(refused_dump, a_copy_is_whole_or_it_is_told)
{
    uint8_t print[HASH_SIZE];
    print_now(print);
    for (size_t way = 0; way < WAYS; way++) {
        unsigned nth = 1;
        while (write_refused(way, nth, print))
            nth++;
    }
    expect_no_leaks();
}

static bool read_refused(size_t way, unsigned nth, const uint8_t print[HASH_SIZE])
{
    uint8_t after[HASH_SIZE];
    struct fault fault = {0};
    struct dump dump;
    int fd = open_stream();
    scratch_done(&other);
    cr_assert_eq(mkdir(other.folder, 0700), 0);
    struct store *loaded = open_at(&other);
    refuse(ways[way].kind, nth, ways[way].with);
    enum err err = dump_read(loaded, fd, DUMP_ALL, &dump, &fault);
    bool was_refused = refuse_end();
    (void)close(fd);
    cr_assert_eq(fault.err, err);
    cr_assert(!err || (was_refused && !ways[way].is_no_matter), "%s %u: %s", ways[way].kind, nth,
              fault.text);
    if (!err) {
        struct txn *txn = txn_begin_read(loaded);
        chores_print(txn, after);
        cr_assert_eq(txn_commit(&txn), OK);
        cr_assert_arr_eq(after, print, HASH_SIZE, "%s %u", ways[way].kind, nth);
    }
    store_close(&loaded);
    return was_refused;
}

Test(refused_dump, a_copy_is_read_as_a_whole_or_it_is_told)
{
    uint8_t print[HASH_SIZE];
    struct fault fault;
    struct dump dump;
    int fd = open_stream();
    print_now(print);
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), OK);
    (void)close(fd);
    for (size_t way = 0; way < WAYS; way++) {
        unsigned nth = 1;
        while (read_refused(way, nth, print))
            nth++;
    }
    expect_no_leaks();
}

// --- words that are erased meanwhile ---

enum { ERASED_FROM = 100, ERASED_MANY = 12 };

static uint64_t next_erased;

static void erase_one(void)
{
    struct txn *txn = txn_begin_write(store);
    log_erase(txn, CHORES_COMMUNITY, next_erased++, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void erase_first(void)
{
    if (next_erased == ERASED_FROM)
        erase_one();
}

// A damaged row is met, and told, before the words are read: then some are erased.
static void prepare_erasing(void)
{
    struct txn *txn = txn_begin_write(store);
    for (uint64_t at = ERASED_FROM; at < ERASED_FROM + ERASED_MANY; at++) {
        struct log_entry entry = {.form = LOG_WHOLE, .seq = (uint32_t)at, .leaf = {1}};
        struct log_body body = {.fields = bytes_of_text("words")};
        log_put(txn, CHORES_COMMUNITY, at, &entry, &body);
    }
    table_put(txn, TABLE_CHAIN, bytes_of_text("damaged"), bytes_of_text("a row like no other"));
    table_put(txn, TABLE_ENTRY, bytes_of_text("damaged"), bytes_of_text("a row like no other"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("a row like no other"), 3), 1);
    store = open_at(&scratch);
    next_erased = ERASED_FROM;
}

Test(refused_dump, a_copy_begins_anew_when_words_are_erased_meanwhile)
{
    struct fault fault = {0};
    struct dump dump;
    prepare_erasing();
    meanwhile = erase_first;
    int fd = open_stream();
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), OK, "%s", fault.text);
    (void)close(fd);
    cr_assert_eq(next_erased, ERASED_FROM + 1);
    cr_assert_eq(load(&fault, &dump, NULL), OK);
    struct store *loaded = open_at(&other);
    struct log_entry entry;
    struct txn *txn = txn_begin_read(loaded);
    cr_expect_eq(log_get(txn, CHORES_COMMUNITY, ERASED_FROM, &entry), OK);
    cr_expect_eq(entry.form, LOG_HUSK);
    txn_abort(&txn);
    store_close(&loaded);
}

Test(refused_dump, a_copy_is_given_up_when_words_are_erased_again_and_again)
{
    struct fault fault = {0};
    struct dump dump;
    prepare_erasing();
    meanwhile = erase_one;
    int fd = open_stream();
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), ERR_BUSY);
    (void)close(fd);
    cr_assert(strstr(fault.text, "try later"));
}

Test(refused_dump, words_that_are_damaged_are_told_and_left_out)
{
    struct fault fault = {0};
    struct dump dump;
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/keys/%08x-0000000000000000", scratch.path,
                   CHORES_COMMUNITY);
    cr_assert_eq(remove(path), 0);
    store_close(&store);
    store = open_at(&scratch);
    int fd = open_stream();
    told = 0;
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), OK);
    (void)close(fd);
    cr_assert_eq(told, 2);
    cr_assert_eq(load(&fault, &dump, NULL), OK);
}
