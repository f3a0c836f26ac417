// The picture as callers are given it: how many, which, and what came of it; by role, and at a cost
// that does not grow with what there is. Everything lies on the hub, pushed by one device.

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/schema.h"
#include "storage/counts.h"
#include "storage/table.h"
#include "sync/counts.h"
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

TestSuite(picture, .init = set_up, .fini = tear_down);

// --- looking ---

static struct hub_caller caller_of(size_t device)
{
    return street_caller(&crowd, device, CALL_LIST);
}

static struct picture_response picture(size_t device)
{
    struct picture_request request = {.kind = KIND_NEED};
    struct picture_response response;
    crowd_push(&crowd);
    struct hub_caller caller = caller_of(device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_picture(txn, &caller, &request, &arena, &response, &fault), OK, "%s",
                 fault.text);
    cr_assert_eq(response.log->size, world_log_size(&world));
    return response;
}

static enum err try_show(size_t device, const struct show_request *request,
                         struct show_response *response)
{
    crowd_push(&crowd);
    struct hub_caller caller = caller_of(device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_show(txn, &caller, request, &arena, response, &fault);
}

static struct list show(size_t device, uint32_t list, const char *place, const char *category)
{
    struct show_response response;
    struct show_request request = {.list = list,
                                   .place = bytes_of_text(place ? place : ""),
                                   .category = bytes_of_text(category ? category : "")};
    cr_assert_eq(try_show(device, &request, &response), OK, "%s", fault.text);
    cr_assert_eq(response.next_page.n, 0);
    return response.items;
}

static void expect_titles(struct list items, const char *expected)
{
    struct buf titles BUF_CLEANUP = {0};
    for (size_t i = 0; i < items.n; i++) {
        buf_put(&titles, LIST_AT(struct picture_item, items, i)->title);
        buf_put_text(&titles, ";");
    }
    buf_put_u8(&titles, 0);
    cr_expect_str_eq((const char *)titles.p, expected);
}

static struct picture_voices voices_of(struct list voices, uint32_t party)
{
    for (size_t i = 0; i < voices.n; i++) {
        if (LIST_AT(struct picture_voices, voices, i)->party_kind == party)
            return *LIST_AT(struct picture_voices, voices, i);
    }
    return (struct picture_voices){.for_ = 0};
}

static const struct picture_count *count_of(const struct picture_response *response,
                                            const char *place, const char *category)
{
    for (size_t i = 0; i < response->counts.n; i++) {
        const struct picture_count *count = LIST_AT(struct picture_count, response->counts, i);
        if (bytes_equal(count->place, bytes_of_text(place)) &&
            bytes_equal(count->category, bytes_of_text(category)))
            return count;
    }
    return NULL;
}

// A street with three needs: 12 want light, 8 water (2 are against), nobody a bench.
static struct record_key light, water, bench;

static void say_street(void)
{
    light = street_need(&crowd, "light", "safety", "east", AUDIENCE_PUBLIC);
    water = street_need(&crowd, "water", "health", "east", AUDIENCE_NONE);
    bench = street_need(&crowd, "bench", "safety", "west", AUDIENCE_PUBLIC);
    for (uint32_t n = 0; n < 12; n++)
        street_who(&crowd, n, n < 7 ? 1 : 2, n < 6 ? "north" : "south");
    street_voices(&crowd, &light, 0, 12, STANCE_FOR);
    street_voices(&crowd, &water, 0, 6, STANCE_FOR);
    street_voices(&crowd, &water, 6, 8, STANCE_AGAINST);
}

// --- tests ---

Test(picture, counts_records_voices_and_whoever_was_heard)
{
    say_street();
    struct picture_response all = picture(COORDINATOR);
    cr_expect_eq(all.least, 0);
    cr_expect_eq(all.total->unanswered, 3);
    cr_expect_eq(all.total->divided, 1);
    cr_expect_eq(voices_of(all.total->voices, 1).for_, 13); // 7 and 6
    cr_expect_eq(voices_of(all.total->voices, 2).for_, 5);
    cr_expect_eq(voices_of(all.total->voices, 1).against, 1);
    cr_expect_eq(voices_of(all.total->voices, 2).against, 1);
    cr_assert_eq(all.counts.n, 4);
    cr_expect_eq(count_of(&all, "east", "")->unanswered, 2);
    cr_expect_eq(count_of(&all, "", "safety")->unanswered, 2);
    cr_expect_eq(voices_of(count_of(&all, "", "health")->voices, 1).for_, 6);
    uint32_t heard = 0;
    for (size_t i = 0; i < all.heard.n; i++) {
        const struct picture_heard *of = LIST_AT(struct picture_heard, all.heard, i);
        heard += of->place.n == 0 ? of->persons : 0;
        if (bytes_equal(of->place, bytes_of_text("north")))
            cr_expect(of->party_kind == 1 && of->persons == 6);
    }
    cr_expect_eq(heard, 12, "each person once");
    expect_no_leaks();
}

Test(picture, shows_the_most_voiced_first_in_each_list)
{
    say_street();
    expect_titles(show(COORDINATOR, 0, NULL, NULL), "light;water;bench;");
    expect_titles(show(COORDINATOR, 1, NULL, NULL), "light;water;bench;");
    expect_titles(show(COORDINATOR, 5, NULL, NULL), "water;");
    expect_titles(show(COORDINATOR, 0, "east", NULL), "light;water;");
    expect_titles(show(COORDINATOR, 0, NULL, "safety"), "light;bench;");
    expect_titles(show(COORDINATOR, 0, "east", "safety"), "light;");
    struct record_key lamp = street_answer(&crowd, KIND_SOLUTION, &light, 5000, 0, 0);
    street_answer(&crowd, KIND_CONSTRAINT, &bench, 6000, FIELD_NATURE, 1);
    expect_titles(show(COORDINATOR, 1, NULL, NULL), "water;bench;");
    expect_titles(show(COORDINATOR, 2, NULL, NULL), "light;");
    expect_titles(show(COORDINATOR, 7, NULL, NULL), "bench;");
    street_answer(&crowd, KIND_COMMITMENT, &lamp, 7000, 0, 0);
    struct list promised = show(COORDINATOR, 3, NULL, NULL);
    expect_titles(promised, "light;");
    const struct picture_item *item = promised.p;
    cr_expect(item->solutions == 1 && item->commitments == 1 && item->outcomes == 0);
    cr_expect(item->since == 1000 && item->solution_since == 5000 &&
              item->commitment_since == 7000);
    expect_titles(show(COORDINATOR, 0, NULL, NULL), "light;water;bench;");
    expect_no_leaks();
}

Test(picture, shows_promises_by_when_they_are_due_until_they_are_kept)
{
    struct record_key water_there = street_need(&crowd, "water", NULL, NULL, AUDIENCE_NONE);
    struct buf fields = {0};
    struct record_key late =
        street_answer(&crowd, KIND_COMMITMENT, &water_there, 1, FIELD_DUE, 20); // 10, zigzag
    struct record_key early =
        street_answer(&crowd, KIND_COMMITMENT, &water_there, 1, FIELD_DUE, 7); // -4
    struct show_request request = {.kind = KIND_COMMITMENT, .list = 9};
    struct show_response response;
    cr_assert_eq(try_show(COORDINATOR, &request, &response), OK, "%s", fault.text);
    cr_assert_eq(response.items.n, 2);
    cr_expect_eq(LIST_AT(struct picture_item, response.items, 0)->due, -4);
    cr_expect_eq(LIST_AT(struct picture_item, response.items, 1)->due, 10);
    wire_put_uint(&fields, FIELD_PROGRESS, 3);
    (void)street_say(&crowd, KIND_COMMITMENT, &early, 2, &fields);
    cr_assert_eq(try_show(COORDINATOR, &request, &response), OK, "%s", fault.text);
    cr_assert_eq(response.items.n, 1);
    cr_expect(bytes_equal(LIST_AT(struct picture_item, response.items, 0)->id, BYTES(late.id)));
    expect_no_leaks();
}

Test(picture, joined_needs_are_the_union_of_their_persons_until_they_are_parted)
{
    say_street();
    struct world_change same = crowd_same(&crowd, &light, &water, NULL);
    struct list items = show(COORDINATOR, 0, NULL, NULL);
    cr_assert_eq(items.n, 2);
    const struct picture_item *item = items.p;
    cr_expect_eq(item->joined, 2);
    // Of 12 persons two said later that they are against one of both.
    cr_expect_eq(voices_of(item->voices, 1).for_ + voices_of(item->voices, 2).for_ +
                     voices_of(item->voices, 1).against + voices_of(item->voices, 2).against,
                 12);
    crowd_same(&crowd, &light, &water, &same);
    expect_titles(show(COORDINATOR, 0, NULL, NULL), "light;water;bench;");
    expect_no_leaks();
}

static void walk_pages(size_t device, size_t size, size_t expected)
{
    struct show_request request = {.page_size = (uint32_t)size};
    uint32_t last = UINT32_MAX;
    size_t n = 0;
    do {
        struct show_response response;
        cr_assert_eq(try_show(device, &request, &response), OK, "%s", fault.text);
        for (size_t i = 0; i < response.items.n; i++, n++) {
            struct picture_voices none =
                voices_of(LIST_AT(struct picture_item, response.items, i)->voices, 0);
            cr_expect_leq(none.for_, last);
            last = none.for_;
        }
        request.page = response.next_page;
    } while (request.page.n);
    cr_expect_eq(n, expected, "%zu", n);
}

Test(picture, pages_go_on_where_the_last_one_ended)
{
    for (uint32_t i = 0; i < 23; i++) {
        struct record_key of =
            street_need(&crowd, "a need", NULL, NULL, i % 2 ? AUDIENCE_PUBLIC : AUDIENCE_NONE);
        street_voices(&crowd, &of, 0, i % 7, STANCE_FOR);
    }
    walk_pages(COORDINATOR, 4, 23);
    walk_pages(COORDINATOR, 1, 23);
    walk_pages(OBSERVER, 3, 11);
    struct show_request request = {.page = bytes_of_text("no page")};
    struct show_response response;
    cr_expect_eq(try_show(COORDINATOR, &request, &response), ERR_MALFORMED);
    expect_no_leaks();
}

Test(picture, an_observer_is_told_no_small_number_and_nothing_of_the_communitys)
{
    say_street();
    struct picture_response all = picture(OBSERVER);
    cr_expect_eq(all.least, 5);
    cr_expect_eq(all.total->unanswered, 0, "3");
    cr_expect_eq(voices_of(all.total->voices, 1).for_, 10, "13");
    cr_expect_eq(voices_of(all.total->voices, 1).against, 0, "1");
    cr_expect_null(count_of(&all, "west", ""), "nobody spoke of it");
    cr_expect_eq(voices_of(count_of(&all, "", "health")->voices, 1).for_, 5, "6");
    struct list items = show(OBSERVER, 0, NULL, NULL);
    expect_titles(items, "light;bench;");
    const struct picture_item *item = items.p;
    cr_expect_not(bytes_equal(item->id, BYTES(light.id)));
    cr_expect_eq(voices_of(item->voices, 1).for_, 5, "7");
    cr_expect_eq(item->since, mask_week(1000));
    struct trail_request request = {KIND_NEED, item->id};
    struct trail_response response;
    struct hub_caller caller = caller_of(OBSERVER);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_trail(txn, &caller, &request, &arena, &response, &fault), OK, "%s",
                 fault.text);
    cr_expect_eq(response.steps.n, 1);
    request.id = BYTES(light.id);
    cr_expect_eq(hub_trail(txn, &caller, &request, &arena, &response, &fault), ERR_NOT_FOUND);
    expect_no_leaks();
}

Test(picture, leads_from_a_need_to_its_outcome)
{
    struct record_key of = street_need(&crowd, "water", NULL, NULL, AUDIENCE_NONE);
    struct record_key well = street_answer(&crowd, KIND_SOLUTION, &of, 20, 0, 0);
    struct record_key pipe = street_answer(&crowd, KIND_SOLUTION, &of, 10, 0, 0);
    struct record_key money = street_answer(&crowd, KIND_COMMITMENT, &well, 30, 0, 0);
    struct record_key came = street_answer(&crowd, KIND_OUTCOME, &money, 40, 0, 0);
    struct record_key permit = street_answer(&crowd, KIND_CONSTRAINT, &pipe, 15, FIELD_NATURE, 3);
    const struct record_key *const order[] = {&of, &pipe, &permit, &well, &money, &came};
    crowd_push(&crowd);
    struct trail_request request = {KIND_NEED, BYTES(of.id)};
    struct trail_response response;
    struct hub_caller caller = caller_of(COORDINATOR);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_trail(txn, &caller, &request, &arena, &response, &fault), OK, "%s",
                 fault.text);
    cr_assert_eq(response.steps.n, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct trail_step *step = LIST_AT(struct trail_step, response.steps, i);
        cr_expect(bytes_equal(step->item->id, BYTES(order[i]->id)), "step %zu", i);
        cr_expect_eq(step->answers.n, i > 0);
    }
    const struct trail_step *last = LIST_AT(struct trail_step, response.steps, 5);
    cr_expect(bytes_equal(LIST_AT(struct ref, last->answers, 0)->id, BYTES(money.id)));
    const struct trail_step *first = response.steps.p;
    cr_expect(first->item->outcomes == 1 && first->item->constraints->policy == 1);
    expect_no_leaks();
}

Test(picture, is_refused_while_counts_are_not_kept_and_then_is_what_it_was)
{
    say_street();
    crowd_push(&crowd);
    struct txn *txn = txn_begin_write(world.hub);
    counts_keep(txn, world.community, false);
    cr_assert_eq(txn_commit(&txn), OK);
    street_voices(&crowd, &bench, 0, 3, STANCE_FOR); // which nobody counts now
    struct show_request request = {.kind = KIND_NEED};
    struct show_response response;
    cr_expect_eq(try_show(COORDINATOR, &request, &response), ERR_BUSY);
    cr_assert_eq(counts_make(world.hub), OK);
    cr_expect_eq(picture(COORDINATOR).total->divided, 1);
    struct list items = show(COORDINATOR, 0, "west", NULL);
    cr_assert_eq(items.n, 1);
    cr_expect_eq(voices_of(((const struct picture_item *)items.p)->voices, 1).for_, 3);
    expect_no_leaks();
}

// --- erasing ---

static bool found_in_files;

static int search_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    FILE *file = type == FTW_F ? fopen(path, "re") : NULL;
    char *bytes = file ? malloc((size_t)st->st_size + 1) : NULL;
    size_t n = bytes ? fread(bytes, 1, (size_t)st->st_size, file) : 0;
    found_in_files |= n && (memmem(bytes, n, "witchcraft", 10) || memmem(bytes, n, "mill lane", 9));
    free(bytes);
    if (file)
        (void)fclose(file);
    return 0;
}

static enum err erase_need(struct hub_decider *decider, void *arg)
{
    const struct record_key *record = arg;
    struct ref ref = {record->kind, BYTES(record->id)};
    struct hub_erasing erasing = {.records = {&ref, 1}};
    uint64_t erased;
    return hub_erase(decider, &erasing, &erased);
}

Test(picture, erased_words_are_counted_no_more_and_stand_in_no_file)
{
    struct record_key one = street_need(&crowd, "a need", "witchcraft", "mill lane", AUDIENCE_NONE);
    struct record_key other =
        street_need(&crowd, "another", "witchcraft", "mill lane", AUDIENCE_NONE);
    street_voices(&crowd, &one, 0, 3, STANCE_FOR);
    struct picture_response before = picture(COORDINATOR);
    cr_expect_eq(count_of(&before, "", "witchcraft")->unanswered, 2);
    // Whichever of both was the example: the other says it, too.
    world_decide(&world, erase_need, &other);
    struct picture_response between = picture(COORDINATOR);
    cr_assert_not_null(count_of(&between, "", "witchcraft"));
    cr_expect_eq(count_of(&between, "mill lane", "")->unanswered, 1);
    world_decide(&world, erase_need, &one);
    struct picture_response after = picture(COORDINATOR);
    cr_expect_eq(after.counts.n, 0);
    cr_expect_eq(after.total->unanswered, 0);
    struct txn *txn = txn_begin_read(world.hub);
    cr_expect(counts_are_kept(txn, world.community));
    txn_abort(&txn);
    (void)nftw(world.folder, search_file, 8, FTW_PHYS);
    cr_expect_not(found_in_files);
    expect_no_leaks();
}

// --- what it costs ---

static size_t rows_read;

bool real_walk_next(struct walk *walk) __asm__("__real_walk_next");
bool counted_walk_next(struct walk *walk) __asm__("__wrap_walk_next");
enum err real_table_get(struct txn *txn, enum table table, struct bytes key,
                        struct bytes *value) __asm__("__real_table_get");
enum err counted_table_get(struct txn *txn, enum table table, struct bytes key,
                           struct bytes *value) __asm__("__wrap_table_get");

bool counted_walk_next(struct walk *walk)
{
    rows_read++;
    return real_walk_next(walk);
}

enum err counted_table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value)
{
    rows_read++;
    return real_table_get(txn, table, key, value);
}

static size_t cost_of_looking(void)
{
    struct show_request request = {.page_size = 5};
    struct show_response response;
    crowd_push(&crowd);
    rows_read = 0;
    (void)picture(COORDINATOR);
    for (request.list = 0; request.list <= 8; request.list++)
        cr_assert_eq(try_show(COORDINATOR, &request, &response), OK, "%s", fault.text);
    return rows_read;
}

static void say_many(uint32_t from, uint32_t to)
{
    static const char *const categories[] = {"water", "light", "roads"};
    for (uint32_t i = from; i < to; i++) {
        struct record_key of =
            street_need(&crowd, "a need", categories[i % 3], "here", AUDIENCE_NONE);
        street_voices(&crowd, &of, i, i + i % 4, i % 5 ? STANCE_FOR : STANCE_AGAINST);
    }
}

Test(picture, costs_the_same_at_ten_times_the_records)
{
    say_many(0, 200);
    size_t before = cost_of_looking();
    say_many(200, 2000);
    size_t after = cost_of_looking();
    // The tree of the log, which is named, has some more levels.
    cr_expect_leq(after, before + 20, "%zu rows, then %zu", before, after);
    expect_no_leaks();
}
