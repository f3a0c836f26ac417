#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/community.h"
#include "storage/device.h"
#include "storage/dump.h"
#include "storage/log.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

enum { CHANGES = 40, STREAM_MAX = 1 << 20 };

static struct scratch scratch;
static struct scratch other; // where it is loaded
static struct store *store;
static struct dump dump;
static struct fault fault;
static unsigned told;
static uint8_t stream[STREAM_MAX];
static size_t stream_n;

static void tell(void *arg, const struct row *row, enum row_fault what)
{
    (void)arg;
    cr_assert_eq(what, ROW_DAMAGED);
    cr_assert(row->table[0]);
    told++;
}

static void read_on(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static const struct scrub scrub = {tell, read_on, NULL};

static struct community community;

static void put_change(struct txn *txn, uint32_t seq)
{
    char words[64];
    struct log_entry entry = {.form = LOG_WHOLE, .seq = seq, .envelope = bytes_of_text("envelope")};
    struct log_body body = {.fields = bytes_of(words, 0)};
    int n = snprintf(words, sizeof words, "the words of change %u", seq);
    body.fields.n = (size_t)n;
    memset(entry.device, 'd', sizeof entry.device);
    memset(entry.leaf, (int)seq, sizeof entry.leaf);
    memset(body.salt, (int)seq + 1, sizeof body.salt);
    log_put(txn, community.number, seq, &entry, &body);
}

static void set_up(void)
{
    uint8_t hash[HASH_SIZE] = {1};
    uint8_t handle[HANDLE_SIZE] = {2};
    scratch_init(&scratch);
    scratch_init(&other);
    store = scratch_open(&scratch);
    told = 0;
    community = (struct community){.id = {7}, .is_hub = true, .size = CHANGES};
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &community);
    token_put(txn, hash, community.number, handle, 1);
    for (uint32_t seq = 1; seq <= CHANGES; seq++)
        put_change(txn, seq);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
    scratch_done(&other);
}

TestSuite(dump, .init = set_up, .fini = tear_down);

static int open_file(void)
{
    char path[SCRATCH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/stream", scratch.folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    return fd;
}

static void write_stream(void)
{
    int fd = open_file();
    cr_assert_eq(dump_write(store, fd, 0, &scrub, &dump, &fault), OK, "%s", fault.text);
    ssize_t n = pread(fd, stream, sizeof stream, 0);
    cr_assert(n > 0 && (size_t)n < sizeof stream);
    stream_n = (size_t)n;
    (void)close(fd);
}

// As it is now, into a store that is made anew.
static enum err load(bool is_copy)
{
    int fd = open_file();
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_assert_eq(pwrite(fd, stream, stream_n, 0), (ssize_t)stream_n);
    scratch_done(&other);
    scratch_init(&other);
    struct store *loaded = scratch_open(&other);
    fault.text[0] = '\0';
    enum err err = dump_read(loaded, fd, is_copy ? DUMP_OLDER : DUMP_ALL, &dump, &fault);
    store_close(&loaded);
    (void)close(fd);
    return err;
}

static void expect_all_changes(struct store *in)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(in);
    struct community found;
    cr_assert_eq(community_get_number(txn, community.number, &found), OK);
    cr_assert_eq(found.size, CHANGES);
    for (uint32_t seq = 1; seq <= CHANGES; seq++) {
        struct log_entry entry;
        struct log_body body;
        char words[64];
        (void)snprintf(words, sizeof words, "the words of change %u", seq);
        cr_assert_eq(log_get(txn, community.number, seq, &entry), OK);
        cr_assert_eq(log_get_body(txn, community.number, seq, &body), OK);
        cr_assert_eq(body.salt[0], seq + 1);
        cr_assert(bytes_equal(body.fields, bytes_of_text(words)));
    }
}

Test(dump, gives_everything_again_but_the_room_and_the_seals)
{
    write_stream();
    cr_expect_eq(dump.changes, CHANGES);
    cr_expect_eq(dump.communities, 1);
    uint64_t rows = dump.rows;
    cr_assert_eq(load(false), OK, "%s", fault.text);
    cr_expect_eq(dump.rows, rows);
    struct store *loaded = scratch_open(&other);
    expect_all_changes(loaded);
    struct token token;
    uint8_t hash[HASH_SIZE] = {1};
    struct txn *txn = txn_begin_read(loaded);
    cr_expect_eq(token_get(txn, hash, &token), OK);
    txn_abort(&txn);
    store_close(&loaded);
    expect_no_leaks();
}

Test(dump, leaves_out_the_tokens_of_an_older_copy)
{
    struct token token;
    uint8_t hash[HASH_SIZE] = {1};
    write_stream();
    cr_assert_eq(load(true), OK, "%s", fault.text);
    struct store *loaded = scratch_open(&other);
    expect_all_changes(loaded);
    struct txn *txn = txn_begin_read(loaded);
    cr_expect_eq(token_get(txn, hash, &token), ERR_NOT_FOUND);
    txn_abort(&txn);
    store_close(&loaded);
}

Test(dump, tells_damaged_rows_and_gives_the_others)
{
    struct log_entry entry;
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("envelope"), 3), CHANGES);
    store = scratch_open(&scratch);
    write_stream();
    cr_expect_eq(told, CHANGES, "entries and not the words");
    cr_assert_eq(load(false), OK, "%s", fault.text);
    struct store *loaded = scratch_open(&other);
    struct txn *txn = txn_begin_read(loaded);
    cr_expect_eq(log_get(txn, community.number, 1, &entry), ERR_NOT_FOUND);
    txn_abort(&txn);
    store_close(&loaded);
}

// Whatever is cut off or altered, nobody is told that it is whole.
Test(dump, takes_no_stream_that_was_cut_anywhere)
{
    write_stream();
    size_t whole = stream_n;
    for (stream_n = 0; stream_n < whole; stream_n += 1 + whole / 100) {
        enum err err = load(false);
        cr_assert(err == ERR_CUT || err == ERR_DAMAGED || err == ERR_MALFORMED, "%zu of %zu: %d",
                  stream_n, whole, (int)err);
        cr_assert(fault.text[0]);
    }
    stream_n = whole - 1;
    cr_assert_eq(load(false), ERR_CUT, "the checksum's last byte");
}

// A bit that means nothing to the decompressor alters nothing.
static void expect_the_same(uint64_t rows)
{
    struct store *loaded = scratch_open(&other);
    cr_assert_eq(dump.rows, rows);
    expect_all_changes(loaded);
    store_close(&loaded);
}

Test(dump, takes_no_stream_that_was_altered_anywhere)
{
    unsigned harmless = 0;
    write_stream();
    uint64_t rows = dump.rows;
    for (size_t at = 0; at < stream_n; at += 1 + stream_n / 150) {
        stream[at] ^= 0x10;
        enum err err = load(false);
        if (err)
            cr_assert(fault.text[0], "byte %zu", at);
        else
            expect_the_same(rows);
        harmless += !err;
        stream[at] ^= 0x10;
    }
    cr_expect_lt(harmless, 5);
    cr_assert_eq(load(false), OK);
}

Test(dump, says_of_another_file_that_it_is_none)
{
    stream_n = (size_t)snprintf((char *)stream, sizeof stream, "root:x:0:0:root:/root:/bin/sh\n");
    cr_assert_eq(load(false), ERR_MALFORMED);
    cr_expect(strstr(fault.text, "no backup"));
    stream_n = 0;
    cr_assert_eq(load(false), ERR_CUT);
}
