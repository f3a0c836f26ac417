// Tokens that are changed for others, with answers that are lost.

#include <criterion/criterion.h>

#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"

enum { DEVICE = 1, SPAN_MS = 1000 };

static const struct hub_policy policy = {.token_ms = SPAN_MS};
static const uint8_t first[TOKEN_SIZE] = {1}, second[TOKEN_SIZE] = {2}, third[TOKEN_SIZE] = {3};

static struct world world;
static const uint8_t *old;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 5);
    old = world.devices[DEVICE].token;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    struct hub_caller caller = world_caller(&world, DEVICE);
    uint8_t hash[HASH_SIZE];
    digest_token(old, hash);
    token_put(txn, hash, world.community, caller.device.handle, world.now);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(token, .init = set_up, .fini = tear_down);

// A sync with this token, which the hub would change for `next`.
static enum err sync_with(const uint8_t token[TOKEN_SIZE], const uint8_t next[TOKEN_SIZE],
                          bool *renewed)
{
    struct hub_caller caller;
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    *renewed = false;
    enum err err = hub_authenticate(txn, token, CALL_SYNC, &policy, world.now, &caller, &fault);
    if (err)
        return err;
    hub_turn_token(txn, &caller, next, renewed);
    return txn_commit(&txn);
}

Test(token, that_is_young_is_kept)
{
    bool renewed;
    world.now += SPAN_MS - 1;
    cr_assert_eq(sync_with(old, first, &renewed), OK);
    cr_assert_not(renewed);
    cr_assert_eq(sync_with(first, second, &renewed), ERR_UNAUTHENTICATED);
    expect_no_leaks();
}

Test(token, whose_successor_was_lost_with_the_answer_goes_on_holding)
{
    bool renewed;
    world.now += SPAN_MS;
    cr_assert_eq(sync_with(old, first, &renewed), OK);
    cr_assert(renewed);
    // The answer was lost: the device comes with the old one, and is given another.
    cr_assert_eq(sync_with(old, second, &renewed), OK);
    cr_assert(renewed);
    cr_assert_eq(sync_with(first, third, &renewed), ERR_UNAUTHENTICATED,
                 "never more than two hold");
    // That one arrives. Its first use voids the old one.
    cr_assert_eq(sync_with(second, third, &renewed), OK);
    cr_assert_not(renewed);
    cr_assert_eq(sync_with(old, third, &renewed), ERR_UNAUTHENTICATED);
    cr_assert_eq(sync_with(second, third, &renewed), OK);
    expect_no_leaks();
}

Test(token, that_nobody_used_for_long_is_void)
{
    bool renewed;
    world.now += (int64_t)3 * SPAN_MS;
    cr_assert_eq(sync_with(old, first, &renewed), ERR_UNAUTHENTICATED);
    expect_no_leaks();
}

Test(token, neither_of_a_voided_device_holds)
{
    bool renewed;
    world.now += SPAN_MS;
    cr_assert_eq(sync_with(old, first, &renewed), OK);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    struct hub_caller caller = world_caller(&world, DEVICE);
    token_void(txn, world.community, caller.device.handle);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert_eq(sync_with(old, second, &renewed), ERR_UNAUTHENTICATED);
    cr_assert_eq(sync_with(first, second, &renewed), ERR_UNAUTHENTICATED);
    expect_no_leaks();
}
