// Streams that somebody made: what cannot be is refused, whatever they say.

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "storage/dump.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

enum { VALUE_MAX = 1 << 20, FORMAT = 4 };

static struct scratch scratch;

static void set_up(void)
{
    scratch_init(&scratch);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(stream, .init = set_up, .fini = tear_down);

static int open_stream(void)
{
    char path[SCRATCH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/stream", scratch.folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    return fd;
}

// What is in the stream, into a store that is made anew.
static enum err load(int fd, struct fault *fault)
{
    struct dump dump;
    struct store *loaded = scratch_open(&scratch);
    enum err err = dump_read(loaded, fd, DUMP_ALL, &dump, fault);
    cr_assert_eq(fault->err, err);
    cr_assert_eq(fault->text[0] != 0, err != OK);
    store_close(&loaded);
    return err;
}

struct made {
    struct buf raw;
    uint64_t rows;
};

static void begin(struct made *made, uint32_t version, uint32_t format)
{
    *made = (struct made){.rows = 0};
    buf_put_text(&made->raw, "folkmoot backup\n");
    buf_put_be32(&made->raw, version);
    buf_put_be32(&made->raw, format);
}

static void put_table(struct made *made, const char *name)
{
    buf_put_u8(&made->raw, (uint8_t)strlen(name));
    buf_put_text(&made->raw, name);
}

static void put_row(struct made *made, size_t key_n, size_t value_n)
{
    uint8_t *zeros = calloc(1, key_n + value_n + 1);
    cr_assert(zeros);
    memset(zeros, 1, key_n);
    buf_put_u8(&made->raw, (uint8_t)(key_n >> 8));
    buf_put_u8(&made->raw, (uint8_t)key_n);
    buf_put(&made->raw, bytes_of(zeros, key_n));
    buf_put_be32(&made->raw, (uint32_t)value_n);
    buf_put(&made->raw, bytes_of(zeros + key_n, value_n));
    free(zeros);
    made->rows++;
}

static void put_named(struct made *made, const char *key, struct bytes value)
{
    buf_put_u8(&made->raw, 0);
    buf_put_u8(&made->raw, (uint8_t)strlen(key));
    buf_put_text(&made->raw, key);
    buf_put_be32(&made->raw, (uint32_t)value.n);
    buf_put(&made->raw, value);
    made->rows++;
}

static void end_table(struct made *made)
{
    buf_put_u8(&made->raw, 0);
    buf_put_u8(&made->raw, 0);
}

static void end(struct made *made)
{
    buf_put_u8(&made->raw, 0);
    buf_put_be64(&made->raw, made->rows);
}

// As the one frame of the stream.
static void write_made(int fd, struct made *made)
{
    size_t max = ZSTD_compressBound(made->raw.n);
    uint8_t *packed = malloc(max);
    cr_assert(packed && !made->raw.err);
    size_t n = ZSTD_compress(packed, max, made->raw.p, made->raw.n, 1);
    cr_assert_not(ZSTD_isError(n));
    cr_assert_eq(pwrite(fd, packed, n, 0), (ssize_t)n);
    free(packed);
    buf_done(&made->raw);
}

static void expect_refused(struct made *made, enum err expected, const char *what)
{
    struct fault fault = {0};
    scratch_done(&scratch);
    cr_assert_eq(mkdir(scratch.folder, 0700), 0);
    int fd = open_stream();
    write_made(fd, made);
    cr_expect_eq(load(fd, &fault), expected, "%s: %s", what, fault.text);
    (void)close(fd);
}

Test(stream, a_row_that_cannot_be_is_damage)
{
    static const struct {
        const char *table;
        size_t key_n;
        size_t value_n;
        enum err told;
    } rows[] = {
        {"body", 12, VALUE_MAX, ERR_DAMAGED}, {"body", 12, VALUE_MAX - 3, ERR_DAMAGED},
        {"body", 12, VALUE_MAX - 4, OK},      {"body", 12, SALT_SIZE - 1, ERR_DAMAGED},
        {"body", 12, SALT_SIZE, OK},          {"body", 11, SALT_SIZE, ERR_DAMAGED},
        {"body", 13, SALT_SIZE, ERR_DAMAGED}, {"live", 128, VALUE_MAX, OK},
        {"live", 129, 0, ERR_DAMAGED},        {"live", 10, VALUE_MAX + 1, ERR_DAMAGED},
        {"nothing", 10, 10, ERR_VERSION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct made made;
        begin(&made, 1, FORMAT);
        put_table(&made, rows[i].table);
        put_row(&made, rows[i].key_n, rows[i].value_n);
        end_table(&made);
        end(&made);
        expect_refused(&made, rows[i].told, rows[i].table);
    }
    expect_no_leaks();
}

Test(stream, a_stream_of_another_version_or_format_is_named)
{
    static const uint32_t versions[][2] = {
        {2, FORMAT}, {0, FORMAT}, {1, FORMAT + 1}, {1, 2}, {1, 1}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct made made;
        begin(&made, versions[i][0], versions[i][1]);
        end(&made);
        expect_refused(&made, ERR_VERSION, "version");
    }
}

Test(stream, a_stream_that_ends_otherwise_than_it_says_is_damage)
{
    struct made made;
    begin(&made, 1, FORMAT);
    made.rows = 1;
    end(&made);
    expect_refused(&made, ERR_DAMAGED, "a row more than there are");
    begin(&made, 1, FORMAT);
    end(&made);
    buf_put_text(&made.raw, "more");
    expect_refused(&made, ERR_DAMAGED, "something behind its end");
    begin(&made, 1, FORMAT);
    put_table(&made, "live");
    put_row(&made, 10, 10);
    expect_refused(&made, ERR_CUT, "no end");
    begin(&made, 1, FORMAT);
    end(&made);
    expect_refused(&made, OK, "nothing at all");
}

// But how many orders it knows of goes along: those that came later are not known.
Test(stream, what_a_store_says_of_its_file_is_its_own)
{
    static const uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 9};
    struct made made;
    begin(&made, 1, FORMAT);
    put_table(&made, "meta");
    put_named(&made, "format", bytes_of(number, 4));
    put_named(&made, "commit", BYTES(number));
    put_named(&made, "orders", BYTES(number));
    end_table(&made);
    end(&made);
    expect_refused(&made, OK, "meta");
    struct store *loaded = scratch_open(&scratch);
    struct bytes value;
    struct txn *txn = txn_begin_read(loaded);
    cr_assert_eq(table_get(txn, TABLE_META, bytes_of_text("orders"), &value), OK);
    cr_expect(bytes_equal(value, BYTES(number)));
    cr_assert_eq(table_get(txn, TABLE_META, bytes_of_text("commit"), &value), OK);
    cr_expect_not(bytes_equal(value, BYTES(number)));
    txn_abort(&txn);
    store_close(&loaded);
}

static struct bytes place_of(uint8_t key[12], uint64_t position)
{
    be32_put(key, 1);
    be64_put(key + 4, position);
    return bytes_of(key, 12);
}

static void put_place(struct made *made, uint64_t position, struct bytes value)
{
    uint8_t key[12];
    struct bytes place = place_of(key, position);
    buf_put_u8(&made->raw, 0);
    buf_put_u8(&made->raw, (uint8_t)place.n);
    buf_put(&made->raw, place);
    buf_put_be32(&made->raw, (uint32_t)value.n);
    buf_put(&made->raw, value);
    made->rows++;
}

// Each file of keys is 128 KiB: a few bytes could fill the disk.
Test(stream, words_that_lie_far_apart_are_not_taken)
{
    uint8_t entry[1 + HANDLE_SIZE + 4 + HASH_SIZE + 2] = {1};
    uint8_t words[SALT_SIZE + 2] = {1};
    struct made made;
    memset(entry + 1, 7, sizeof entry - 1);
    begin(&made, 1, FORMAT);
    put_table(&made, "entry");
    for (uint64_t i = 0; i < 100; i++)
        put_place(&made, 1 + i * 4096, BYTES(entry));
    end_table(&made);
    put_table(&made, "body");
    for (uint64_t i = 0; i < 100; i++)
        put_place(&made, 1 + i * 4096, BYTES(words));
    end_table(&made);
    end(&made);
    expect_refused(&made, ERR_LIMIT, "far apart");
}
