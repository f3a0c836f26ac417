// The file of orders by itself.

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "storage/orders.h"
#include "tests/leaks.h"
#include "tests/storage/refuse.h"
#include "tests/storage/scratch.h"

enum { RECORD = 77, CHECKED = RECORD - 4 };

static struct scratch scratch;

static void set_up(void)
{
    scratch_init(&scratch);
    cr_assert_eq(mkdir(scratch.path, 0700), 0);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(orders, .init = set_up, .fini = tear_down);

static void begin_anew(void)
{
    scratch_done(&scratch);
    cr_assert_eq(mkdir(scratch.folder, 0700), 0);
    cr_assert_eq(mkdir(scratch.path, 0700), 0);
}

struct found {
    struct store_order all[16];
    size_t n;
    size_t max;
};

static bool take(const struct store_order *order, void *arg)
{
    struct found *found = arg;
    found->all[found->n++] = *order;
    return found->n < found->max;
}

static void append(const struct buf *orders, uint64_t expected)
{
    uint64_t n = 0;
    cr_assert_eq(orders_append(scratch.path, buf_bytes(orders), &n), OK);
    cr_assert_eq(n, expected);
}

static const struct store_order kinds[] = {
    {.community = {1}, .handle = {2}, .seq = 3, .tag = 4, .body_hash = {5}},
    {.community = {1}, .what = ORDER_CLOSING, .kind = 6, .id = {7}},
    {.community = {1}, .what = ORDER_CLOSING_ALONE, .kind = 8, .id = {9}},
    {.community = {1}, .what = ORDER_ROLE, .handle = {10}, .seq = 11, .role = 3},
    {.community = {1}, .what = ORDER_REVOCATION, .handle = {12}, .seq = 13, .role = 1},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void expect_same(const struct store_order *found, const struct store_order *put)
{
    cr_expect_arr_eq(found->community, put->community, COMMUNITY_SIZE);
    cr_expect_arr_eq(found->handle, put->handle, HANDLE_SIZE);
    cr_expect_arr_eq(found->body_hash, put->body_hash, HASH_SIZE);
    cr_expect_arr_eq(found->id, put->id, ID_SIZE);
    cr_expect_eq(found->what, put->what);
    cr_expect_eq(found->role, put->role);
    cr_expect_eq(found->kind, put->kind);
    cr_expect_eq(found->seq, put->seq);
    cr_expect_eq(found->tag, put->tag);
}

Test(orders, come_back_as_they_were_put_until_there_were_enough)
{
    struct buf orders = {0};
    struct found found = {.max = (size_t)2 * KINDS};
    for (size_t i = 0; i < KINDS; i++)
        orders_put(&orders, &kinds[i]);
    cr_assert_eq(orders.n, (size_t)KINDS * RECORD);
    append(&orders, KINDS);
    append(&orders, (size_t)2 * KINDS);
    cr_assert_eq(orders_each(scratch.path, (size_t)2 * KINDS, take, &found), OK);
    cr_assert_eq(found.n, (size_t)2 * KINDS);
    for (size_t i = 0; i < found.n; i++)
        expect_same(&found.all[i], &kinds[i % KINDS]);
    found = (struct found){.max = 2};
    cr_assert_eq(orders_each(scratch.path, (size_t)2 * KINDS, take, &found), OK,
                 "the others are not missing");
    cr_assert_eq(found.n, 2);
    buf_done(&orders);
    expect_no_leaks();
}

Test(orders, of_an_unknown_type_are_damage_though_their_check_is_right)
{
    static const uint8_t types[] = {0, 6, 255};
    struct buf orders = {0};
    struct found found = {.max = 8};
    for (size_t i = 0; i < sizeof types; i++) {
        orders_put(&orders, &kinds[i]);
        uint8_t *record = orders.p + orders.n - RECORD;
        record[0] = types[i];
        be32_put(record + CHECKED, (uint32_t)XXH3_64bits(record, CHECKED));
    }
    orders_put(&orders, &kinds[0]);
    append(&orders, 4);
    cr_assert_eq(orders_each(scratch.path, 4, take, &found), ERR_DAMAGED);
    cr_assert_eq(found.n, 1, "the sound one is given");
    buf_done(&orders);
}

Test(orders, are_none_where_none_were_given)
{
    struct found found = {.max = 8};
    cr_assert_eq(orders_each(scratch.path, 0, take, &found), OK);
    cr_assert_eq(orders_each(scratch.path, 1, take, &found), ERR_DAMAGED);
    cr_assert_eq(found.n, 0);
}

Test(orders, that_memory_refused_are_not_written)
{
    struct buf orders = {0};
    refuse(REFUSE_MEMORY, 1, ENOMEM);
    orders_put(&orders, &kinds[0]);
    cr_assert(refuse_end());
    cr_assert_eq(orders.err, ERR_NOMEM);
    cr_assert_eq(orders.n, 0);
    buf_done(&orders);
}

// Each call in turn: it is told, and the next time what was half written is overwritten.
Test(orders, that_the_disk_refused_are_told_and_leave_the_file_as_it_was)
{
    static const int errors[] = {EIO, ENOSPC};
    struct buf orders = {0};
    orders_put(&orders, &kinds[0]);
    for (size_t i = 0; i < 2; i++) {
        bool was_refused = true;
        for (unsigned nth = 1; was_refused; nth++) {
            struct found found = {.max = 8};
            uint64_t n = 99;
            refuse(REFUSE_FILES, nth, errors[i]);
            enum err err = orders_append(scratch.path, buf_bytes(&orders), &n);
            was_refused = refuse_end();
            cr_assert(was_refused || !err);
            cr_assert_eq(n, err ? 99 : 1, "untouched when it fails");
            cr_assert(!err || err == ERR_IO || err == ERR_FULL);
            cr_assert_eq(orders_each(scratch.path, 0, take, &found), OK);
            cr_assert_leq(found.n, 1);
            begin_anew();
        }
    }
    buf_done(&orders);
    expect_no_leaks();
}
