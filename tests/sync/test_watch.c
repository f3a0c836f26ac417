// What callers who listen are told, by what was said and by their role.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/mask.h"
#include "tests/leaks.h"
#include "tests/sync/street.h"

enum { COORDINATOR = 0, OBSERVER = 1 };

static struct world world;
static struct arena arena;
static struct crowd crowd;
static struct fault fault;
static struct hub_watched watched;

static void set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 11);
    cr_assert_eq(world_join(&world, ROLE_OBSERVER), OBSERVER);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&crowd, &world, COORDINATOR, &arena);
    watched = (struct hub_watched){.is_begun = false};
}

static void tear_down(void)
{
    crowd_done(&crowd);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(watch, .init = set_up, .fini = tear_down);

static struct hub_caller caller_of(size_t device)
{
    return street_caller(&crowd, device, CALL_LIST);
}

static enum err try_watch(size_t device, struct bytes cursor, struct watch_response *response)
{
    struct watch_request request = {cursor};
    struct hub_caller caller = caller_of(device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_watch(txn, &caller, &request, &watched, &arena, response, &fault);
}

static struct watch_response watch(size_t device)
{
    struct watch_response response;
    cr_assert_eq(try_watch(device, (struct bytes){NULL, 0}, &response), OK, "%s", fault.text);
    cr_assert_eq(response.log->size, world_log_size(&world));
    return response;
}

static bool tells(const struct watch_response *response, const struct record_key *record)
{
    for (size_t i = 0; i < response->changed.n; i++) {
        const struct ref *ref = LIST_AT(struct ref, response->changed, i);
        if (ref->kind == record->kind && bytes_equal(ref->id, BYTES(record->id)))
            return true;
    }
    return false;
}

Test(watch, begins_with_nothing_and_tells_each_record_once)
{
    struct record_key before = street_need(&crowd, "before", NULL, NULL, AUDIENCE_NONE);
    struct watch_response first = watch(COORDINATOR);
    cr_expect_eq(first.changed.n, 0);
    cr_expect_not(first.more);
    struct record_key need = street_need(&crowd, "light", NULL, NULL, AUDIENCE_NONE);
    street_voices(&crowd, &need, 0, 3, STANCE_FOR);
    struct watch_response second = watch(COORDINATOR);
    cr_expect(tells(&second, &need));
    cr_expect_not(tells(&second, &before));
    cr_expect_eq(second.changed.n, 4, "the need and three voices");
    cr_expect_not(second.more);
    cr_expect_eq(watch(COORDINATOR).changed.n, 0);
    expect_no_leaks();
}

static struct world_change answer_to(const struct record_key *to, const struct world_change *over)
{
    struct buf fields BUF_CLEANUP = {0};
    struct dot *dot = arena_alloc(&arena, 1, sizeof *dot);
    struct envelope envelope = {.kind = KIND_SOLUTION, .time = 5, .class = CLASS_ORDINARY};
    if (over) {
        *dot = crowd_dot(&crowd, over, 0);
        envelope.id = BYTES(over->record.id);
        envelope.over = (struct list){dot, 1};
    }
    if (to) {
        struct ref ref = {to->kind, BYTES(to->id)};
        size_t mark = wire_open(&fields, FIELD_ABOUT);
        message_encode(&ref_message, &ref, &fields);
        wire_close(&fields, mark);
    } else {
        wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("of nothing any more"));
    }
    return crowd_add(&crowd, &envelope, arena_copy(&arena, buf_bytes(&fields)));
}

Test(watch, tells_what_something_is_about_and_was_about_before)
{
    struct record_key one = street_need(&crowd, "one", NULL, NULL, AUDIENCE_NONE);
    struct record_key other = street_need(&crowd, "other", NULL, NULL, AUDIENCE_NONE);
    (void)watch(COORDINATOR);
    struct world_change solution = answer_to(&one, NULL);
    struct watch_response response = watch(COORDINATOR);
    cr_expect(tells(&response, &one) && tells(&response, &solution.record));
    cr_expect_not(tells(&response, &other));
    (void)answer_to(&other, &solution);
    response = watch(COORDINATOR);
    cr_expect(tells(&response, &one) && tells(&response, &other));
    cr_expect_eq(response.changed.n, 3);
    expect_no_leaks();
}

Test(watch, tells_whose_state_an_answer_moves)
{
    struct record_key need = street_need(&crowd, "need", NULL, NULL, AUDIENCE_NONE);
    struct record_key solution = street_answer(&crowd, KIND_SOLUTION, &need, 20, 0, 0);
    struct record_key promise = street_answer(&crowd, KIND_COMMITMENT, &solution, 30, 0, 0);
    (void)watch(COORDINATOR);
    struct buf fields = {0};
    wire_put_uint(&fields, FIELD_PROGRESS, 3);
    (void)street_say(&crowd, KIND_COMMITMENT, &promise, 40, &fields);
    struct watch_response response = watch(COORDINATOR);
    cr_expect(tells(&response, &promise) && tells(&response, &solution) && tells(&response, &need));
    cr_expect_not(response.more);
    expect_no_leaks();
}

Test(watch, says_to_look_at_everything_when_somebody_is_another)
{
    street_who(&crowd, 1, 1, "north");
    (void)watch(COORDINATOR);
    street_who(&crowd, 1, 2, "south");
    cr_expect(watch(COORDINATOR).more, "their party and place");
    struct record_key one = crowd_person(1), other = crowd_person(2);
    (void)crowd_same(&crowd, &one, &other, NULL);
    cr_expect(watch(COORDINATOR).more, "who they are");
    cr_expect_not(watch(COORDINATOR).more);
    expect_no_leaks();
}

Test(watch, says_to_an_observer_that_audiences_moved_and_nothing_of_voices)
{
    struct record_key need = street_need(&crowd, "light", NULL, NULL, AUDIENCE_PUBLIC);
    (void)watch(OBSERVER);
    street_voices(&crowd, &need, 0, 3, STANCE_FOR);
    street_who(&crowd, 1, 1, "north");
    struct watch_response response = watch(OBSERVER);
    cr_expect(response.changed.n == 0 && !response.more);
    struct buf fields = {0};
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_COMMUNITY);
    (void)street_say(&crowd, KIND_NEED, &need, 40, &fields);
    cr_expect(watch(OBSERVER).more);
    expect_no_leaks();
}

Test(watch, tells_an_observer_what_is_for_it_under_its_ids)
{
    struct mask mask;
    uint8_t secret[MASK_SECRET_SIZE];
    (void)watch(OBSERVER);
    struct record_key shown = street_need(&crowd, "light", NULL, NULL, AUDIENCE_PUBLIC);
    struct record_key hidden = street_need(&crowd, "water", NULL, NULL, AUDIENCE_NONE);
    street_voices(&crowd, &shown, 0, 3, STANCE_FOR);
    street_voices(&crowd, &hidden, 0, 3, STANCE_FOR);
    street_who(&crowd, 1, 1, "north");
    struct watch_response response = watch(OBSERVER);
    cr_assert_eq(response.changed.n, 1);
    cr_expect_not(tells(&response, &shown), "by its true id");
    hub_observer_secret(world.identity_seed, secret);
    mask = (struct mask){secret, world.devices[OBSERVER].handle};
    cr_assert_eq(mask_ids(&mask, KIND_NEED, shown.id, 1), OK);
    cr_expect(tells(&response, &shown));
    expect_no_leaks();
}

static enum err erase_need(struct hub_decider *decider, void *arg)
{
    const struct record_key *record = arg;
    struct ref ref = {record->kind, BYTES(record->id)};
    struct hub_erasing erasing = {.records = {&ref, 1}};
    uint64_t erased;
    return hub_erase(decider, &erasing, &erased);
}

Test(watch, says_to_look_at_everything_after_an_erasure)
{
    struct record_key need = street_need(&crowd, "light", NULL, NULL, AUDIENCE_NONE);
    (void)watch(COORDINATOR);
    world_decide(&world, erase_need, &need);
    cr_expect(watch(COORDINATOR).more);
    cr_expect_not(watch(COORDINATOR).more);
    expect_no_leaks();
}

Test(watch, goes_on_from_a_cursor_of_this_log_alone)
{
    struct watch_response response = watch(COORDINATOR);
    uint8_t cursor[HANDLE_SIZE + 8];
    cr_assert_eq(response.cursor.n, sizeof cursor);
    memcpy(cursor, response.cursor.p, sizeof cursor);
    struct record_key need = street_need(&crowd, "light", NULL, NULL, AUDIENCE_NONE);
    watched.is_begun = false;
    cr_assert_eq(try_watch(COORDINATOR, BYTES(cursor), &response), OK);
    cr_expect(tells(&response, &need));
    cr_expect_not(response.more);
    cursor[0] ^= 1;
    watched.is_begun = false;
    cr_assert_eq(try_watch(COORDINATOR, BYTES(cursor), &response), OK);
    cr_expect(response.more && response.changed.n == 0, "another log");
    cursor[0] ^= 1;
    cursor[HANDLE_SIZE] = 1;
    watched.is_begun = false;
    cr_assert_eq(try_watch(COORDINATOR, BYTES(cursor), &response), OK);
    cr_expect(response.more && response.changed.n == 0, "beyond the log's end");
    watched.is_begun = false;
    cr_expect_eq(try_watch(COORDINATOR, bytes_of(cursor, 5), &response), ERR_MALFORMED);
    expect_no_leaks();
}

Test(watch, tells_so_many_and_that_there_are_more)
{
    (void)watch(COORDINATOR);
    for (int i = 0; i <= WATCH_REFS_MAX; i++)
        (void)street_need(&crowd, "a need", NULL, NULL, AUDIENCE_NONE);
    struct watch_response response = watch(COORDINATOR);
    cr_expect_eq(response.changed.n, WATCH_REFS_MAX);
    cr_expect(response.more);
    for (int i = 0; i <= 1000; i++)
        (void)street_need(&crowd, "a need", NULL, NULL, AUDIENCE_NONE);
    response = watch(COORDINATOR);
    cr_expect(response.more && response.changed.n == 0, "too far behind");
    cr_expect_not(watch(COORDINATOR).more);
    expect_no_leaks();
}

// Each reference costs a look, whether it names something new or not.
Test(watch, reads_no_more_at_once_however_much_a_change_refers_to)
{
    enum { CHANGES = 5, REFERENCES = 250 };
    struct record_key need = street_need(&crowd, "light", NULL, NULL, AUDIENCE_NONE);
    (void)watch(COORDINATOR);
    for (int i = 0; i < CHANGES; i++) {
        struct buf fields = {0};
        struct ref ref = {need.kind, BYTES(need.id)};
        for (int k = 0; k < REFERENCES; k++) {
            size_t mark = wire_open(&fields, FIELD_ABOUT);
            message_encode(&ref_message, &ref, &fields);
            wire_close(&fields, mark);
        }
        (void)street_say(&crowd, KIND_REMARK, NULL, 10 + i, &fields);
    }
    struct watch_response response = watch(COORDINATOR);
    cr_expect(response.more);
    cr_expect_not(watch(COORDINATOR).more);
    expect_no_leaks();
}
