// Looking for words: what is found is what is there, for whoever may see it; what is erased is in
// no index; and the index is what a walk over all records finds, whatever happened before.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"
#include "tests/sync/finding.h"

TestSuite(search, .init = finding_open, .fini = finding_close);

static void expect(const char *text, const struct world_change *const *changes, size_t n)
{
    struct hits hits = find(text);
    cr_expect_eq(hits.n, n, "\"%s\": %zu found", text, hits.n);
    for (size_t i = 0; i < n && i < hits.n; i++)
        cr_expect(hits.p[i].kind == changes[i]->record.kind &&
                      memcmp(hits.p[i].id, changes[i]->record.id, ID_SIZE) == 0,
                  "\"%s\": the %zu. is another", text, i + 1);
}

#define EXPECT(text, ...)                                                                          \
    expect(text, (const struct world_change *const[]){__VA_ARGS__},                                \
           sizeof((const struct world_change *const[]){__VA_ARGS__}) /                             \
               sizeof(const struct world_change *))

static void expect_none(const char *text)
{
    cr_expect_eq(find(text).n, 0, "\"%s\" is found", text);
}

// --- what is found ---

Test(search, finds_words_and_titles_in_any_order_and_case_and_the_beginning_of_the_last)
{
    struct world_change well = said_need(&world, AUTHOR, "A well for the Upper village", NULL);
    struct world_change bus =
        said_about(&world, OTHER, KIND_REMARK, "The bus leaves before the WELL opens", NULL, 0);
    struct world_change wall = said_need(&world, OTHER, "\u0628\u0626\u0631 \u6c34\u4e95", NULL);
    network_settle(&world);
    EXPECT("well", &well, &bus); // titles first
    EXPECT("WELL the", &well, &bus);
    EXPECT("village upp", &well);
    expect_none("bus w"); // one letter begins nothing
    EXPECT("bus we", &bus);
    EXPECT("\u0628\u0650\u0626\u0631", &wall);
    EXPECT("\u4e95", &wall);
    expect_none("bus we ");
    expect_none("vill ");
    expect_none("well school");
    expect_none("w");
    expect_no_leaks();
}

Test(search, puts_whole_words_first_then_titles_then_what_was_said_last)
{
    struct world_change begun = said_need(&world, AUTHOR, "waterproof roof", NULL);
    struct world_change said = said_about(&world, AUTHOR, KIND_REMARK, "no water", NULL, 0);
    struct world_change older = said_need(&world, AUTHOR, "water", NULL);
    struct world_change newer = said_need(&world, AUTHOR, "more water", NULL);
    struct world_change last = said_about(&world, AUTHOR, KIND_REMARK, "watering", NULL, 0);
    network_settle(&world);
    EXPECT("water", &newer, &older, &said, &begun, &last);
    struct hits one = find_paged(AUTHOR, "water", 0, 1);
    struct hits all = find("water");
    cr_expect(one.n == 5 && one.pages >= 5);
    cr_expect_arr_eq(one.p, all.p, 5 * sizeof *one.p, "pages are in the same order");
    cr_expect_eq(find_paged(AUTHOR, "water", KIND_REMARK, 0).n, 2);
}

Test(search, finds_what_is_said_now_and_not_what_was_gone_over)
{
    struct world_change need = said_need(&world, AUTHOR, "an old bridge", NULL);
    network_settle(&world);
    EXPECT("bridge", &need);
    said_again(&world, AUTHOR, &need, AUTHOR, "a new ferry");
    network_settle(&world);
    EXPECT("ferry", &need);
    expect_none("bridge");
    // A third title, by somebody who has not seen it: both are found.
    said_again(&world, OTHER, &need, AUTHOR, "a tunnel");
    network_settle(&world);
    EXPECT("ferry", &need);
    EXPECT("tunnel", &need);
}

Test(search, finds_again_what_a_refusal_uncovers_and_not_what_is_set_apart)
{
    struct world_change need = said_need(&world, AUTHOR, "an old bridge", NULL);
    network_settle(&world);
    struct world_change over = said_again(&world, OTHER, &need, AUTHOR, "a new ferry");
    network_settle(&world);
    EXPECT("ferry", &need);
    expect_none("bridge");
    struct crowd other;
    crowd_init(&other, &world, OTHER, &arena);
    crowd_refuse(&other, &over);
    crowd_done(&other);
    expect_none("ferry");
    EXPECT("bridge", &need);
}

static enum err release(struct hub_decider *decider, void *arg)
{
    const struct world_change *change = arg;
    uint32_t released = 0;
    enum err err = hub_release(decider, NULL, world.devices[OTHER].handle, change->seq, change->seq,
                               &released);
    return err || released == 1 ? err : ERR_NOT_FOUND;
}

Test(search, finds_again_what_is_released_be_it_older_than_what_is_there)
{
    struct world_change need = said_need(&world, AUTHOR, "an old bridge", NULL);
    network_settle(&world);
    struct world_change older = said_again(&world, OTHER, &need, AUTHOR, "a ferry");
    (void)network_sync(&world, OTHER);
    said_again(&world, AUTHOR, &need, AUTHOR, "a tunnel");
    network_settle(&world);
    EXPECT("ferry", &need);
    struct crowd other;
    crowd_init(&other, &world, OTHER, &arena);
    crowd_refuse(&other, &older);
    crowd_done(&other);
    expect_none("ferry");
    world_decide(&world, release, &older);
    EXPECT("ferry", &need);
    EXPECT("tunnel", &need);
}

Test(search, finds_no_personal_words)
{
    struct record_key person = said_person(1);
    said_about(&world, AUTHOR, KIND_CONTACT, "telephonist", &person, 1);
    network_settle(&world);
    expect_none("telephonist");
    cr_expect(!index_has("telephonist"));
}

Test(search, shows_an_observer_what_is_for_it_by_names_of_its_own)
{
    size_t observer = world_join(&world, ROLE_OBSERVER);
    struct world_change open = said_need(&world, AUTHOR, "water for all", NULL);
    said_number(&world, AUTHOR, &open.record, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    said_need(&world, AUTHOR, "water for us", NULL);
    // The observer does not sync.
    network_sync(&world, AUTHOR);
    follow();
    struct hits hits = find_paged(observer, "water", KIND_NEED, 1);
    cr_assert_eq(hits.n, 1);
    cr_expect(memcmp(hits.p[0].id, open.record.id, ID_SIZE) != 0, "under another id");
    cr_expect_eq(find_paged(observer, "us", KIND_NEED, 0).n, 0);
    struct search_response response;
    struct search_request any_kind = {.text = bytes_of_text("water")};
    cr_expect_eq(ask(observer, &any_kind, &response), ERR_MALFORMED);
}

Test(search, refuses_what_is_no_question)
{
    static const uint8_t page[17] = {SEARCH_RANKS};
    char many[SEARCH_TEXT_MAX + 2];
    struct search_response response;
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = i % 3 == 2 ? ' ' : (char)('a' + (i % 3 ? i / 78 : i / 3 % 26));
    many[sizeof many - 1] = 0;
    const struct {
        struct search_request request;
        enum err err;
    } rows[] = {
        {{.text = bytes_of_text("")}, ERR_MALFORMED},
        {{.text = bytes_of_text("?! -")}, ERR_MALFORMED},
        {{.text = bytes_of_text(many)}, ERR_LIMIT},
        {{.text = bytes_of(many, SEARCH_TEXT_MAX)}, ERR_LIMIT},
        {{.text = bytes_of_text("a"), .kind = KIND_MAX + 1}, ERR_MALFORMED},
        {{.text = bytes_of_text("a"), .page_size = PAGE_MAX + 1}, ERR_MALFORMED},
        {{.text = bytes_of_text("a"), .page = bytes_of(page, 9)}, ERR_MALFORMED},
        {{.text = bytes_of_text("a"), .page = bytes_of(page + 1, 8)}, ERR_MALFORMED},
        {{.text = bytes_of_text("a"), .page = bytes_of(page + 1, 9)}, OK},
    };
    follow();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(ask(AUTHOR, &rows[i].request, &response), rows[i].err, "row %zu", i);
}

Test(search, says_that_it_is_incomplete_until_the_log_is_followed)
{
    struct search_request request = {.text = bytes_of_text("water")};
    struct search_response response;
    said_need(&world, AUTHOR, "water", NULL);
    network_settle(&world);
    cr_assert_eq(ask(AUTHOR, &request, &response), OK);
    cr_expect(response.incomplete && response.records.n == 0);
    struct search *index = search_of_hub;
    search_of_hub = NULL;
    cr_assert_eq(ask(AUTHOR, &request, &response), OK);
    cr_expect(response.incomplete && response.records.n == 0);
    search_of_hub = index;
    follow();
    cr_assert_eq(ask(AUTHOR, &request, &response), OK);
    cr_expect(!response.incomplete && response.records.n == 1);
}

// --- what is erased ---

Test(search, has_no_erased_word_in_any_segment)
{
    struct world_change need = said_need(&world, AUTHOR, "xylophone", NULL);
    struct world_change second = said_need(&world, AUTHOR, "umbrafjord", NULL);
    struct world_change over;
    network_settle(&world);
    follow();
    // The word that was gone over is still in the index, for its change is not erased.
    over = said_again(&world, AUTHOR, &need, AUTHOR, "quizzical");
    said_about(&world, AUTHOR, KIND_REMARK, "that stays", &second.record, 1);
    network_settle(&world);
    follow();
    said_erase(&world, AUTHOR, AUTHOR, &need);
    network_settle(&world);
    follow();
    cr_expect(!index_has("xylophone"));
    EXPECT("quizzical", &need);
    cr_expect(index_has("umbrafjord"));
    said_erase(&world, AUTHOR, AUTHOR, &over);
    said_erase_record(&world, COORDINATOR, &second.record);
    network_settle(&world);
    follow();
    cr_expect(!index_has("quizzical") && !index_has("umbrafjord") && !index_has("stays"));
    expect_none("quizzical");
    struct search_size size;
    search_size(search_of_hub, &size);
    cr_expect_eq(size.documents, 0);
    expect_no_leaks();
}

Test(search, follows_another_log_from_its_beginning)
{
    struct world_change before = said_need(&world, AUTHOR, "before", NULL);
    network_settle(&world);
    world_save_hub(&world, "copy");
    said_need(&world, AUTHOR, "later", NULL);
    network_settle(&world);
    follow();
    cr_expect(index_has("later"));
    world_restore_hub(&world, "copy");
    world.may_alarm = true;
    follow();
    cr_expect(!index_has("later"));
    EXPECT("before", &before);
}

// --- many ---

Test(search, with_many_records_keeps_few_segments_and_all_pages)
{
    struct crowd author;
    char title[64];
    crowd_init(&author, &world, AUTHOR, &arena);
    for (int i = 0; i < 3000; i++) {
        snprintf(title, sizeof title, "need%d common %s", i, i % 3 ? "odd" : "third");
        crowd_need(&author, title);
    }
    crowd_push(&author);
    crowd_done(&author);
    follow();
    struct search_size size;
    search_size(search_of_hub, &size);
    cr_expect_eq(size.documents, 3000);
    cr_expect_leq(size.segments, 13, "%zu segments", size.segments);
    cr_expect_eq(find("need2999").n, 1);
    size_t n = 0;
    struct search_request request = {bytes_of_text("common"), 0, PAGE_MAX, {NULL, 0}};
    struct record_key before = {0};
    do {
        struct search_response response;
        cr_assert_eq(ask(AUTHOR, &request, &response), OK);
        for (size_t i = 0; i < response.records.n; i++, n++) {
            const struct record_view *view = LIST_AT(struct record_view, response.records, i);
            // One device's ids are in the order in which it made them.
            cr_assert(n == 0 || memcmp(view->id.p, before.id, ID_SIZE) < 0);
            memcpy(before.id, view->id.p, ID_SIZE);
        }
        request.page = response.next_page;
    } while (request.page.n);
    cr_expect_eq(n, 3000);
}
