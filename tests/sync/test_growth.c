// The cost of a small sync does not grow with what the hub holds: bytes and round trips are
// counted.
#include <criterion/criterion.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"

enum { WRITER = 1, READER = 2, FEW = 50, MANY = 20000 };

struct cost {
    size_t asked;
    size_t answered;
    uint32_t pulled;
};

static struct world world;

static void write_need(size_t device, const char *words)
{
    struct buf fields BUF_CLEANUP = {0};
    struct world_change change;
    struct envelope envelope = {.kind = KIND_NEED, .time = world.now};
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text(words));
    cr_assert_eq(world_write(&world, device, &envelope, buf_bytes(&fields), &change), OK);
}

static struct cost sync_once(size_t device)
{
    struct buf asked BUF_CLEANUP = {0};
    struct buf answer BUF_CLEANUP = {0};
    struct fault fault = {0};
    struct exchange_report report = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    network_ask(&world, device, &options, &asked);
    cr_assert_eq(network_serve(&world, device, buf_bytes(&asked), &answer, &fault), OK);
    cr_assert_eq(network_hear(&world, device, buf_bytes(&answer), SIZE_MAX, &report, &fault), OK);
    cr_assert(!report.more, "one round trip is enough");
    return (struct cost){asked.n, answer.n, report.pulled};
}

// One new need each way.
static struct cost small_sync(void)
{
    write_need(READER, "a lift that works");
    write_need(WRITER, "a bench in the sun");
    sync_once(WRITER);
    return sync_once(READER);
}

static void fill(size_t records)
{
    for (size_t i = 0; i < records; i++)
        write_need(WRITER, "a need among many");
    network_settle(&world);
}

// Positions, seqs and sizes are varints: some bytes longer in a longer log.
static void expect_near(size_t few, size_t many, const char *what)
{
    cr_expect_leq(many, few + 12, "%s: %zu bytes at %d records, %zu at %d", what, few, FEW, many,
                  MANY);
}

Test(growth, of_the_hub_leaves_a_small_sync_as_small_as_it_was)
{
    world_open(&world, 3);
    world_begin(&world, 7);
    fill(FEW);
    struct cost few = small_sync();
    struct cost nothing = sync_once(READER);
    fill(MANY - FEW);
    struct cost many = small_sync();
    struct cost still_nothing = sync_once(READER);
    cr_expect_eq(few.pulled, 1);
    cr_expect_eq(many.pulled, 1);
    expect_near(few.asked, many.asked, "asked");
    expect_near(few.answered, many.answered, "answered");
    expect_near(nothing.asked, still_nothing.asked, "asked for nothing");
    expect_near(nothing.answered, still_nothing.answered, "answered with nothing");
    world_close(&world);
    expect_no_leaks();
}
