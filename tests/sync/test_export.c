// All records, page by page, as callers are given them.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/sync/street.h"

enum { COORDINATOR = 0, OBSERVER = 1, NEEDS = 450 };

static struct world world;
static struct arena arena;
static struct crowd crowd;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 11);
    cr_assert_eq(world_join(&world, ROLE_OBSERVER), OBSERVER);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&crowd, &world, COORDINATOR, &arena);
}

static void tear_down(void)
{
    crowd_done(&crowd);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(export, .init = set_up, .fini = tear_down);

struct given {
    size_t needs;
    size_t others;
    size_t pages;
    struct bytes cursor; // of the last page
};

static enum err try_next(size_t device, const struct export_request *request,
                         struct hub_exported *exported, struct export_response *response)
{
    struct hub_caller caller = street_caller(&crowd, device, CALL_LIST);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_export(txn, &caller, request, exported, &arena, response, &fault);
}

// Each kind in its turn, and within it the ids in their order.
static void take(struct given *given, struct list records, uint8_t last[4 + ID_SIZE])
{
    for (size_t i = 0; i < records.n; i++) {
        const struct record_view *view = LIST_AT(struct record_view, records, i);
        uint8_t now[4 + ID_SIZE];
        be32_put(now, view->kind);
        memcpy(now + 4, view->id.p, ID_SIZE);
        cr_assert_gt(memcmp(now, last, sizeof now), 0);
        memcpy(last, now, sizeof now);
        *(view->kind == KIND_NEED ? &given->needs : &given->others) += 1;
    }
}

static struct given take_all(size_t device, struct export_request request, size_t pages_most)
{
    struct given given = {.needs = 0};
    struct hub_exported exported = {.is_begun = false};
    uint8_t last[4 + ID_SIZE] = {0};
    while (!exported.has_ended && given.pages < pages_most) {
        struct export_response response;
        cr_assert_eq(try_next(device, &request, &exported, &response), OK, "%s", fault.text);
        take(&given, response.records, last);
        given.cursor = response.cursor;
        given.pages++;
    }
    return given;
}

static void say_needs(void)
{
    for (int i = 0; i < NEEDS; i++)
        (void)street_need(&crowd, "a need", NULL, NULL,
                          i % 9 == 0 ? AUDIENCE_PUBLIC : AUDIENCE_NONE);
    struct record_key one = street_need(&crowd, "one", NULL, NULL, AUDIENCE_NONE);
    street_voices(&crowd, &one, 0, 7, STANCE_FOR);
}

Test(export, gives_each_record_once_in_the_order_of_kinds_and_ids)
{
    say_needs();
    struct given given = take_all(COORDINATOR, (struct export_request){0}, SIZE_MAX);
    cr_expect_eq(given.needs, NEEDS + 1);
    cr_expect_geq(given.others, 7, "voices");
    given = take_all(COORDINATOR, (struct export_request){.kind = KIND_NEED}, SIZE_MAX);
    cr_expect(given.needs == NEEDS + 1 && given.others == 0 && given.pages == 3);
    given = take_all(COORDINATOR, (struct export_request){.kind = KIND_VOICE}, SIZE_MAX);
    cr_expect(given.needs == 0 && given.others == 7);
    expect_no_leaks();
}

Test(export, goes_on_behind_the_cursor_of_a_page)
{
    say_needs();
    size_t needs = 0;
    struct export_request request = {.kind = 0};
    for (int i = 0; i < 3; i++) {
        struct given given = take_all(COORDINATOR, request, 1);
        needs += given.needs;
        request.cursor = given.cursor;
    }
    cr_expect_eq(needs, NEEDS + 1);
    struct given rest = take_all(COORDINATOR, request, SIZE_MAX);
    cr_expect(rest.needs == 0 && rest.others >= 7);
    expect_no_leaks();
}

Test(export, gives_an_observer_what_is_for_it)
{
    say_needs();
    struct given given = take_all(OBSERVER, (struct export_request){.kind = KIND_NEED}, SIZE_MAX);
    cr_expect_eq(given.needs, NEEDS / 9);
    cr_expect_eq(take_all(OBSERVER, (struct export_request){.kind = KIND_VOICE}, SIZE_MAX).others,
                 0);
    expect_no_leaks();
}

Test(export, refuses_what_is_no_cursor)
{
    static const uint8_t none[] = {0, 0, 0, 0}, of_voices[] = {0, 0, 0, 2};
    const struct export_request wrong[] = {
        {.kind = KIND_MAX + 1},
        {.cursor = bytes_of_text("no cursor")},
        {.cursor = BYTES(none)},
        {.kind = KIND_NEED, .cursor = BYTES(of_voices)},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hub_exported exported = {.is_begun = false};
        struct export_response response;
        cr_expect_eq(try_next(COORDINATOR, &wrong[i], &exported, &response), ERR_MALFORMED);
    }
    expect_no_leaks();
}
