// A record with its history, as callers are given it.

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

TestSuite(picture_record, .init = set_up, .fini = tear_down);

// A need, and what is said of it later; over: the change whose first edit it goes over.
static struct world_change say(const struct record_key *of, const char *title, int64_t time,
                               const struct world_change *over)
{
    struct buf fields BUF_CLEANUP = {0};
    struct dot dot = over ? crowd_dot(&crowd, over, 0) : (struct dot){.seq = 0};
    struct envelope envelope = {.kind = KIND_NEED, .time = time, .class = CLASS_ORDINARY};
    if (of)
        envelope.id = BYTES(of->id);
    if (over)
        envelope.over = (struct list){arena_alloc(&arena, 1, sizeof dot), 1};
    if (over)
        memcpy(envelope.over.p, &dot, sizeof dot);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    return crowd_add(&crowd, &envelope, arena_copy(&arena, buf_bytes(&fields)));
}

static enum err try_record(size_t device, const struct record_request *request,
                           struct record_response *response)
{
    struct hub_caller caller = street_caller(&crowd, device, CALL_GET);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_record(txn, &caller, request, &arena, response, &fault);
}

static struct record_response record(size_t device, struct bytes id)
{
    struct record_request request = {.kind = KIND_NEED, .id = id};
    struct record_response response;
    cr_assert_eq(try_record(device, &request, &response), OK, "%s", fault.text);
    cr_assert_eq(response.log->size, world_log_size(&world));
    return response;
}

static void expect_title(const struct record_change *change, const char *title, bool live)
{
    struct wire_field field;
    const struct record_edit *edit = change->edits.p;
    cr_assert_geq(change->edits.n, 1);
    struct wire_reader reader = wire_reader(edit->edit);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(bytes_equal(field.bytes, bytes_of_text(title)), "not %s", title);
    cr_expect_eq(edit->live, live, "%s", title);
}

Test(picture_record, tells_what_was_said_and_who_went_over_it)
{
    struct world_change first = say(NULL, "a lamp", 1000, NULL);
    struct world_change second = say(&first.record, "a street lamp", 2000, &first);
    struct world_change third = say(&first.record, "two lamps", 3000, NULL); // a tension
    street_voices(&crowd, &first.record, 0, 7, STANCE_FOR);
    struct record_response response = record(COORDINATOR, BYTES(first.record.id));
    cr_assert_eq(response.history.n, 3);
    cr_assert_eq(response.next_page.n, 0);
    const struct record_change *changes = response.history.p;
    expect_title(&changes[0], "a lamp", false);
    expect_title(&changes[1], "a street lamp", true);
    expect_title(&changes[2], "two lamps", true);
    const struct record_edit *edits = changes[0].edits.p;
    cr_expect_eq(edits[0].over_seq, second.seq);
    cr_expect(bytes_equal(edits[0].over_device, BYTES(world.devices[COORDINATOR].handle)));
    cr_assert_eq(changes[0].edits.n, 2);
    cr_expect(edits[1].live && edits[1].over_seq == 0, "the audience was not gone over");
    cr_expect(changes[0].seq == first.seq && changes[2].seq == third.seq);
    cr_expect(changes[0].time == 1000 && changes[2].time == 3000);
    cr_expect_lt(changes[0].position, changes[1].position);
    cr_assert_not_null(response.item);
    cr_expect(response.item->tension);
    cr_expect_eq(((const struct picture_voices *)response.item->voices.p)->for_, 7);
    cr_assert_not_null(response.record->tally);
    cr_expect_eq(response.record->tally->for_, 7);
    expect_no_leaks();
}

Test(picture_record, goes_on_where_the_last_page_ended)
{
    enum { CHANGES = 7, A_PAGE = 3 };
    struct world_change first = say(NULL, "0", 1000, NULL);
    for (int i = 1; i < CHANGES; i++)
        (void)say(&first.record, "more", 1000 + i, NULL);
    struct record_request request = {
        .kind = KIND_NEED, .id = BYTES(first.record.id), .page_size = A_PAGE};
    struct record_response response;
    int64_t next = 1000;
    size_t pages = 0;
    do {
        cr_assert_eq(try_record(COORDINATOR, &request, &response), OK, "%s", fault.text);
        cr_assert_leq(response.history.n, A_PAGE);
        for (size_t i = 0; i < response.history.n; i++)
            cr_expect_eq(LIST_AT(struct record_change, response.history, i)->time, next++);
        request.page = response.next_page;
        pages++;
    } while (request.page.n > 0);
    cr_expect_eq(next, 1000 + CHANGES);
    cr_expect_eq(pages, 3);
    expect_no_leaks();
}

static enum err erase_first(struct hub_decider *decider, void *arg)
{
    const struct world_change *change = arg;
    struct change_ref ref = {BYTES(world.devices[COORDINATOR].handle), change->seq, change->tag};
    struct hub_erasing erasing = {.changes = {&ref, 1}};
    uint64_t erased;
    return hub_erase(decider, &erasing, &erased);
}

Test(picture_record, says_that_words_were_erased_and_not_which)
{
    struct world_change first = say(NULL, "a lamp", 1000, NULL);
    (void)say(&first.record, "a street lamp", 2000, &first);
    crowd_push(&crowd);
    world_decide(&world, erase_first, &first);
    struct record_response response = record(COORDINATOR, BYTES(first.record.id));
    cr_assert_eq(response.history.n, 2);
    const struct record_change *changes = response.history.p;
    cr_expect(changes[0].erased && changes[0].edits.n == 0 && changes[0].seq == first.seq);
    expect_title(&changes[1], "a street lamp", true);
    expect_no_leaks();
}

Test(picture_record, an_observer_is_given_what_holds_and_not_who_said_what)
{
    struct world_change first = say(NULL, "a lamp", 1000, NULL);
    street_voices(&crowd, &first.record, 0, 7, STANCE_FOR);
    (void)say(&first.record, "a street lamp", 2000, &first);
    crowd_push(&crowd);
    struct hub_policy policy = {.observer_least = 5};
    uint8_t id[ID_SIZE];
    hub_observer_secret(world.identity_seed, policy.observer_secret);
    struct mask mask = {policy.observer_secret, world.devices[OBSERVER].handle};
    memcpy(id, first.record.id, ID_SIZE);
    cr_assert_eq(mask_ids(&mask, KIND_NEED, id, 1), OK);
    struct record_response response = record(OBSERVER, BYTES(id));
    cr_expect_eq(response.history.n, 0);
    cr_expect_eq(response.least, 5);
    cr_expect(bytes_equal(response.record->id, BYTES(id)));
    cr_assert_not_null(response.item);
    cr_expect(bytes_equal(response.item->id, BYTES(id)));
    struct record_request request = {.kind = KIND_NEED, .id = BYTES(first.record.id)};
    cr_expect_eq(try_record(OBSERVER, &request, &response), ERR_NOT_FOUND, "by its true id");
    expect_no_leaks();
}

Test(picture_record, refuses_what_names_no_record)
{
    struct world_change first = say(NULL, "a lamp", 1000, NULL);
    struct record_response response;
    struct record_request request = {.kind = KIND_NEED, .id = bytes_of_text("sixteen bytes ok")};
    cr_expect_eq(try_record(COORDINATOR, &request, &response), ERR_NOT_FOUND);
    request.id = BYTES(first.record.id);
    request.page = bytes_of_text("no page");
    cr_expect_eq(try_record(COORDINATOR, &request, &response), ERR_MALFORMED);
    request.page = (struct bytes){NULL, 0};
    request.page_size = 201;
    cr_expect_eq(try_record(COORDINATOR, &request, &response), ERR_MALFORMED);
    request.kind = 0;
    cr_expect_eq(try_record(COORDINATOR, &request, &response), ERR_MALFORMED);
    expect_no_leaks();
}
