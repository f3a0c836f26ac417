// What can be seen to be wrong with the file as a whole, and with the place of a value.

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/pages.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

// Where the size of a page stands in a meta page of a 64-bit machine, and the flags and the count
// of pages in a page's header.
enum { PAGE = 4096, PAGE_SIZE_AT = 40, HEADER = 16, FLAGS_AT = 10, PAGES_AT = 12, OVERFLOW = 4 };

static struct scratch scratch;

static void set_up(void)
{
    scratch_init(&scratch);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(pages, .init = set_up, .fini = tear_down);

static bool is_usual_machine(void)
{
    return sizeof(size_t) == 8 && sysconf(_SC_PAGESIZE) == PAGE;
}

static void write_at(off_t at, const void *p, size_t n)
{
    char path[SCRATCH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/data.mdb", scratch.path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, p, n, at), (ssize_t)n);
    cr_assert_eq(close(fd), 0);
}

Test(pages, of_another_size_than_any_are_damage)
{
    static const uint32_t sizes[] = {0, 1, 0x10001, UINT32_MAX, 8192};
    static const uint32_t right = PAGE;
    struct store *store = scratch_open(&scratch);
    store_close(&store);
    if (!is_usual_machine())
        return;
    cr_assert_eq(pages_check(scratch.path, NULL), OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int meta = 0; meta < 2; meta++) {
            struct fault fault = {0};
            off_t at = (off_t)meta * PAGE + PAGE_SIZE_AT;
            write_at(at, &sizes[i], sizeof sizes[i]);
            cr_expect_eq(pages_check(scratch.path, &fault), ERR_DAMAGED, "%u in %d", sizes[i],
                         meta);
            cr_expect(strstr(fault.text, "restore a backup"));
            write_at(at, &right, sizeof right);
        }
    }
    cr_assert_eq(pages_check(scratch.path, NULL), OK);
    expect_no_leaks();
}

Test(pages, of_no_file_are_no_damage)
{
    struct fault fault = {0};
    cr_assert_eq(pages_check(scratch.path, &fault), ERR_IO);
    cr_assert(strstr(fault.text, "No such file"), "%s", fault.text);
}

// --- where a value is ---

static uint8_t *page_of_value(uint16_t flags, uint32_t count)
{
    static _Alignas(PAGE) uint8_t pages[3 * PAGE];
    memcpy(pages + FLAGS_AT, &flags, sizeof flags);
    memcpy(pages + PAGES_AT, &count, sizeof count);
    return pages + HEADER;
}

Test(pages, hold_a_short_value_that_ends_within_its_page)
{
    uint8_t *value = page_of_value(0, 0);
    uint8_t *end = value - HEADER + PAGE;
    cr_expect(pages_hold(end - 100, 100, PAGE, true));
    cr_expect_not(pages_hold(end - 100, 101, PAGE, true));
    cr_expect(pages_hold(end - 100, 101, PAGE, false), "a copy lies anywhere");
    cr_expect(pages_hold(value, PAGE / 2, PAGE, true));
}

Test(pages, hold_a_long_value_that_begins_behind_a_header_that_counts_enough)
{
    if (!is_usual_machine())
        return;
    static const struct {
        uint16_t flags;
        uint32_t count;
        size_t n;
        bool hold;
    } rows[] = {
        {OVERFLOW, 1, PAGE - HEADER, true},
        {OVERFLOW, 1, PAGE - HEADER + 1, false},
        {OVERFLOW, 2, PAGE - HEADER + 1, true},
        {OVERFLOW, 2, (size_t)2 * PAGE - HEADER, true},
        {OVERFLOW, 2, (size_t)2 * PAGE, false},
        {OVERFLOW, 0, PAGE / 2 + 1, false},
        {OVERFLOW, 0, PAGE, false},
        {0, 2, PAGE, false},
        {2, 2, PAGE, false},
        {OVERFLOW, UINT32_MAX, PAGE, true},
        {OVERFLOW, UINT32_MAX, SIZE_MAX, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *value = page_of_value(rows[i].flags, rows[i].count);
        cr_expect_eq(pages_hold(value, rows[i].n, PAGE, true), rows[i].hold, "row %zu", i);
        cr_expect_eq(pages_hold(value, rows[i].n, PAGE, false), rows[i].hold, "row %zu", i);
    }
    cr_expect_not(pages_hold(page_of_value(OVERFLOW, 2) + 8, PAGE, PAGE, true), "not behind one");
}

// --- in a file ---

static void put_and_close(const char *key, size_t n)
{
    static uint8_t value[PAGE];
    memset(value, 'v', sizeof value);
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_NAME, bytes_of_text(key), bytes_of(value, n));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
}

// The row as LMDB has it: length, flags, length of the key, key.
static void alter_row(const char *key, size_t n, size_t at)
{
    struct buf row = {0};
    size_t stored = n + 4;
    size_t key_n = strlen(key);
    uint8_t head[8] = {(uint8_t)stored, (uint8_t)(stored >> 8), 0, 0, 0, 0, (uint8_t)key_n, 0};
    buf_put(&row, BYTES(head));
    buf_put_text(&row, key);
    cr_assert_geq(scratch_flip(&scratch, buf_bytes(&row), at), 1);
    buf_done(&row);
}

// Each way in which the row may be asked for.
static void expect_damage(const char *key)
{
    struct store *store = scratch_open(&scratch);
    struct bytes value;
    struct key found;
    struct walk walk;
    bool told = false;
    struct txn *txn = txn_begin_read(store);
    cr_expect_eq(table_get(txn, TABLE_NAME, bytes_of_text(key), &value), ERR_DAMAGED);
    txn_abort(&txn);
    txn = txn_begin_read(store);
    walk_begin(&walk, txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk))
        told |= walk.err == ERR_DAMAGED && !walk.value.p;
    walk_end(&walk);
    cr_expect(told || txn_error(txn) == ERR_DAMAGED);
    txn_abort(&txn);
    txn = txn_begin_read(store);
    bool given = table_last(txn, TABLE_NAME, bytes_of(NULL, 0), bytes_of_text("z"), &found, &value);
    cr_expect(given ? value.p == NULL : txn_error(txn) == ERR_DAMAGED);
    txn_abort(&txn);
    store_close(&store);
}

Test(pages, do_not_hold_a_value_whose_length_was_altered)
{
    if (!is_usual_machine())
        return;
    for (size_t at = 0; at < 4; at++) {
        put_and_close("key", 600);
        alter_row("key", 600, at);
        expect_damage("key");
        scratch_done(&scratch);
        scratch_init(&scratch);
    }
    expect_no_leaks();
}

Test(pages, do_not_hold_a_key_whose_length_was_altered)
{
    if (!is_usual_machine())
        return;
    put_and_close("key", 600);
    alter_row("key", 600, 7);
    expect_damage("key");
    expect_no_leaks();
}
