// A hub's signed head: what it costs, and that an old one is noticed.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { VICTIM = 1, OTHER = 2, DEVICES = 3, OWN_LEAST = 4 };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 11);
    world.may_alarm = true;
    for (int i = 0; i < OWN_LEAST; i++) {
        said_need(&world, VICTIM, "mine", NULL);
        said_need(&world, OTHER, "theirs", NULL);
        network_settle(&world);
    }
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(head, .init = set_up, .fini = tear_down);

// An answer of before, whole and rightly signed.
Test(head, hub_that_repeats_an_old_answer_is_noticed)
{
    struct buf old BUF_CLEANUP = {0};
    struct buf asked BUF_CLEANUP = {0};
    struct exchange_report report = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    struct fault fault = {0};
    for (int i = 0; i < 3; i++) {
        said_need(&world, VICTIM, "again", NULL);
        network_ask(&world, VICTIM, &options, &asked);
        buf_reset(&old);
        cr_assert_eq(network_serve(&world, VICTIM, buf_bytes(&asked), &old, &fault), OK);
        cr_assert_eq(network_hear(&world, VICTIM, buf_bytes(&old), SIZE_MAX, &report, &fault), OK);
        cr_assert_eq(world.devices[VICTIM].checked.alarm, ALARM_NONE);
        buf_reset(&asked);
        network_ask(&world, VICTIM, &options, &asked);
        cr_assert_eq(network_hear(&world, VICTIM, buf_bytes(&old), SIZE_MAX, &report, &fault), OK);
        cr_expect_neq(world.devices[VICTIM].checked.alarm, ALARM_NONE, "round %d", i);
        // Whoever was deceived checks all anew, and goes on.
        network_settle(&world);
        cr_expect_eq(world.devices[VICTIM].checked.alarm, ALARM_NONE);
        buf_reset(&asked);
    }
    expect_no_leaks();
}

Test(head, signed_head_costs_at_most_120_bytes)
{
    struct sync_response head_alone = {.head = NULL};
    uint8_t root[HASH_SIZE] = {1};
    uint8_t signature[SIGN_SIZE] = {1};
    struct log_head head = {.size = 1000000, .root = BYTES(root)};
    struct buf encoded BUF_CLEANUP = {0};
    head_alone.head = &head;
    head_alone.head_signature = BYTES(signature);
    message_encode(&sync_response_message, &head_alone, &encoded);
    cr_expect_leq(encoded.n, 120, "%zu bytes", encoded.n);
    printf("a signed head of a million entries: %zu bytes\n", encoded.n);
}
