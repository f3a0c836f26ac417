// How much one device may push in a day.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static struct world world;
static struct arena arena;
static struct hub_policy policy;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 8);
    arena_init(&arena, 64 << 20);
    policy = (struct hub_policy){.changes_a_day = 10, .bytes_a_day = 100000};
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(quota, .init = set_up, .fini = tear_down);

// Pushes n needs with a title of so many bytes as this device.
static enum err push(size_t device, size_t n, size_t bytes)
{
    static const uint8_t random[32];
    static char title[40000];
    struct handmade made;
    struct sync_request request;
    struct hub_push_plan *plan = NULL;
    struct hub_effects effects;
    struct list receipts;
    memset(title, 'a', bytes);
    title[bytes] = 0;
    struct hub_caller caller = world_caller(&world, device);
    caller.policy = policy;
    caller.now = world.now;
    handmade_init(&made, &world, device, n, &arena);
    for (size_t i = 0; i < n; i++)
        handmade_need(&made, title, NULL);
    handmade_close(&made, &request);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    enum err err = hub_check_push(txn, &caller, &request, &arena, &plan, &fault);
    if (!err)
        err = hub_push(txn, &caller, world.now, random, plan, &arena, &receipts, &effects, &fault);
    handmade_done(&made);
    return err ? err : txn_commit(&txn);
}

Test(quota, of_changes_is_for_each_device_and_each_day)
{
    cr_expect_eq(push(1, 6, 10), OK);
    cr_expect_eq(push(1, 5, 10), ERR_QUOTA);
    cr_expect_neq(strstr(fault.text, "tomorrow"), NULL, "%s", fault.text);
    cr_expect_eq(push(1, 4, 10), OK, "what still fits is taken");
    cr_expect_eq(push(1, 1, 10), ERR_QUOTA);
    cr_expect_eq(push(0, 10, 10), OK, "another device's is its own");
    world.now += DAY_MS;
    cr_expect_eq(push(1, 10, 10), OK, "another day");
    expect_no_leaks();
}

Test(quota, of_bytes_never_refuses_what_is_small)
{
    cr_expect_eq(push(1, 3, 30000), OK);
    cr_expect_eq(push(1, 1, 30000), ERR_QUOTA);
    cr_expect_eq(push(1, 1, 10000), OK, "small");
    cr_expect_eq(push(1, 1, 10000), OK, "small again");
    cr_expect_eq(push(1, 2, 10000), ERR_QUOTA, "two at once are not");
    cr_expect_eq(push(0, 3, 30000), OK, "another device");
}

Test(quota, of_nothing_is_none)
{
    policy = (struct hub_policy){0};
    cr_expect_eq(push(1, 100, 1000), OK);
}
