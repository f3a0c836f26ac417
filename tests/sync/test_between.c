// What comes between two steps of a Sync: between the check of a push and its taking, between a
// request and its answer.

#include <criterion/criterion.h>

#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { OTHER, PHONE, DEVICES };

static struct world world;
static struct arena arena;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 95);
    arena_init(&arena, 16 << 20);
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(between, .init = set_up, .fini = tear_down);

// --- the check of a push and its taking ---

struct pushing {
    struct hub_caller caller;
    struct hub_push_plan *plan;
};

static struct pushing check(size_t device)
{
    struct pushing pushing = {.caller = world_caller(&world, device)};
    struct buf asked BUF_CLEANUP = {0};
    struct fault fault = {0};
    struct sync_request request = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    network_ask(&world, device, &options, &asked);
    struct bytes kept = arena_copy(&arena, buf_bytes(&asked));
    cr_assert_eq(message_decode(&sync_request_message, kept, &arena, &request, NULL), OK);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_check_push(txn, &pushing.caller, &request, &arena, &pushing.plan, &fault), OK);
    cr_assert(pushing.plan);
    return pushing;
}

static struct receipt take(const struct pushing *pushing)
{
    static const uint8_t random[32] = {1};
    struct list receipts = {NULL, 0};
    struct hub_effects effects = {.first = 0};
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(hub_push(txn, &pushing->caller, world.now, random, pushing->plan, &arena,
                          &receipts, &effects, &fault),
                 OK, "%s", fault.text);
    cr_assert_eq(receipts.n, (size_t)1);
    cr_assert_eq(txn_commit(&txn), OK);
    return *LIST_AT(struct receipt, receipts, 0);
}

Test(between, the_same_push_came_and_is_taken_once)
{
    said_need(&world, PHONE, "a bench", NULL);
    struct pushing first = check(PHONE);
    struct pushing again = first;
    cr_expect_eq(take(&first).standing, STANDING_OK);
    uint64_t size = world_log_size(&world);
    struct receipt receipt = take(&again);
    cr_expect_eq(receipt.standing, STANDING_OK);
    cr_expect_eq(receipt.seq, 2);
    cr_expect_eq(world_log_size(&world), size);
    expect_no_leaks();
}

Test(between, another_branch_came_and_nothing_is_taken_of_this_one)
{
    size_t copy = world_clone(&world, PHONE);
    struct world_change mine = said_need(&world, PHONE, "a bench", NULL);
    struct world_change theirs = said_need(&world, copy, "a lamp", NULL);
    struct pushing first = check(PHONE);
    struct pushing second = check(copy);
    cr_expect_eq(take(&first).standing, STANDING_OK);
    uint64_t size = world_log_size(&world);
    cr_expect_eq(take(&second).standing, STANDING_FORK);
    cr_expect(said_is_live(world.hub, world.community, &mine.record));
    cr_expect_not(said_is_live(world.hub, world.community, &theirs.record));
    cr_expect_geq(world_log_size(&world), size, "a decision may name it");
    expect_no_leaks();
}

Test(between, another_branch_came_that_parted_earlier)
{
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "a bench", NULL);
    said_need(&world, copy, "a lamp", NULL);
    world_save_hub(&world, "before");
    network_sync(&world, copy);
    struct world_change next = said_need(&world, copy, "a second lamp", NULL);
    struct pushing pushing = check(copy); // goes on from the copy's first
    world_restore_hub(&world, "before");
    network_sync(&world, PHONE);
    cr_expect_eq(take(&pushing).standing, STANDING_FORK);
    cr_expect_not(said_is_live(world.hub, world.community, &next.record));
    expect_no_leaks();
}

Test(between, hub_was_restored_and_lacks_what_was_before)
{
    world_save_hub(&world, "yesterday");
    said_need(&world, PHONE, "a bench", NULL);
    network_sync(&world, PHONE);
    struct world_change next = said_need(&world, PHONE, "a lamp", NULL);
    struct pushing pushing = check(PHONE);
    world_restore_hub(&world, "yesterday");
    struct receipt receipt = take(&pushing);
    cr_expect_eq(receipt.standing, STANDING_GAP);
    cr_expect_eq(receipt.seq, 1, "from where to go on");
    cr_expect_not(said_is_live(world.hub, world.community, &next.record));
    expect_no_leaks();
}

// --- a request and its answer ---

static struct exchange_report hear_receipt(const struct receipt *receipt, struct progress *progress)
{
    struct community community;
    struct device own;
    struct exchange_report report = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    cr_assert_eq(exchange_take_receipt(txn, &community, &own, receipt, &report), OK);
    progress_get(txn, community.number, progress);
    return report;
}

Test(between, receipt_for_another_device_says_nothing)
{
    struct progress progress;
    struct receipt receipt = {.device = BYTES(world.devices[OTHER].handle), .seq = 99};
    struct exchange_report report = hear_receipt(&receipt, &progress);
    cr_expect_eq(report.receipt, 0);
    cr_expect_not(report.forked);
    cr_expect_eq(progress.receipt_seq, 1);
    expect_no_leaks();
}

Test(between, receipt_of_a_fork_is_believed_even_with_a_head_of_ones_own)
{
    struct progress progress;
    struct community community;
    struct device own;
    struct txn *txn = txn_begin_read(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    txn_abort(&txn);
    struct receipt receipt = {.seq = own.seq, .head = BYTES(own.head), .standing = STANDING_FORK};
    struct exchange_report report = hear_receipt(&receipt, &progress);
    cr_expect(report.forked);
    cr_expect(progress.forked);
    expect_no_leaks();
}

Test(between, what_is_confirmed_is_never_less_than_before)
{
    struct progress progress;
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    exchange_confirm(txn, &community, 7);
    exchange_confirm(txn, &community, 3);
    exchange_confirm(txn, &community, 7);
    progress_get(txn, community.number, &progress);
    cr_expect_eq(progress.receipt_seq, 7);
    expect_no_leaks();
}
