#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static bool count_one(const struct folkmoot_record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return true;
}

static size_t count_needs(struct phone *phone)
{
    size_t n = 0;
    cr_assert_eq(folkmoot_list(phone->fm, "need", count_one, &n, NULL), FOLKMOOT_OK);
    return n;
}

static void add_needs(struct phone *phone, size_t n, size_t words_n)
{
    char words[2001];
    cr_assert_lt(words_n, sizeof words);
    cr_assert_eq(folkmoot_begin(phone->fm, NULL), FOLKMOOT_OK);
    for (size_t i = 0; i < n; i++) {
        char title[40];
        uint8_t id[16];
        snprintf(title, sizeof title, "need %zu of %llu", i, (unsigned long long)phone->seed);
        // Words that do not pack well (a linear congruence).
        uint64_t state = phone->seed * 1000003 + i;
        for (size_t j = 0; j < words_n; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            words[j] = (char)('!' + (state >> 40) % 90);
        }
        words[words_n] = 0;
        struct folkmoot_put puts[] = {{"title", title}, {"words", words}};
        cr_assert_eq(folkmoot_add(phone->fm, "need", puts, words_n ? 2 : 1, 0, id, NULL),
                     FOLKMOOT_OK);
    }
    cr_assert_eq(folkmoot_end(phone->fm, true, NULL), FOLKMOOT_OK);
}

Test(session, carries_everything_both_ways)
{
    struct world world;
    struct folkmoot_progress progress;
    world_open(&world, 2);
    add_needs(&world.phones[0], 300, 0);
    add_needs(&world.phones[1], 200, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(progress.pushed, 300);
    cr_assert_eq(progress.unsent, 0);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(progress.pushed, 200);
    cr_assert_geq(progress.pulled, 300);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(count_needs(&world.phones[0]), 500);
    cr_assert_eq(count_needs(&world.phones[1]), 500);
    world_close(&world);
    expect_no_leaks();
}

Test(session, with_nothing_new_is_one_small_request)
{
    struct world world;
    struct folkmoot_progress progress;
    world_open(&world, 2);
    add_needs(&world.phones[0], 50, 0);
    world_sync_all(&world);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(progress.requests, 1);
    cr_assert_lt(progress.bytes_out + progress.bytes_in, 300);
    world_close(&world);
}

Test(session, loops_until_a_big_store_is_all_here)
{
    struct world world;
    struct folkmoot_progress progress;
    world_open(&world, 2);
    add_needs(&world.phones[0], 1000, 1500);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_gt(progress.requests, 3);
    cr_assert_eq(progress.pushed, 1000);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_gt(progress.requests, 2);
    cr_assert_eq(count_needs(&world.phones[1]), 1000);
    world_close(&world);
}

// Syncs over a line that cuts every answer after so many bytes, until it is through or `tries` are
// used up.
static bool sync_over_cuts(struct world *world, struct phone *phone, size_t cut_at, unsigned tries)
{
    for (unsigned i = 0; i < tries; i++) {
        struct hub_line line = {.cuts = true, .cut_at = cut_at, .part = 7};
        enum folkmoot_code code = phone_sync(phone, world->hub, &line, NULL);
        cr_assert(code == FOLKMOOT_OK || code == FOLKMOOT_NETWORK);
        if (code == FOLKMOOT_OK)
            return true;
    }
    return false;
}

Test(session, cut_at_any_byte_keeps_the_whole_pieces_and_loses_nothing)
{
    struct world world;
    struct hub_line line = {.part = 1};
    world_open(&world, 3);
    add_needs(&world.phones[0], 12, 40);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&world.phones[2], world.hub, &line, NULL), FOLKMOOT_OK);
    cr_assert_eq(count_needs(&world.phones[2]), 12);
    size_t whole = line.answer_n;
    cr_assert_gt(whole, 100);
    char path[96];
    for (size_t cut = 0; cut < whole; cut += 1 + cut / 40) {
        struct hub_line cutting = {.cuts = true, .cut_at = cut};
        struct phone fresh;
        snprintf(path, sizeof path, "%s/cut%zu", world.path, cut);
        phone_open(&fresh, path, 1000 + cut);
        world_join(&world, &fresh, ROLE_VOLUNTEER);
        add_needs(&fresh, 1, 0);
        cr_assert_eq(phone_sync(&fresh, world.hub, &cutting, NULL), FOLKMOOT_NETWORK);
        cr_assert_eq(phone_sync(&fresh, world.hub, NULL, NULL), FOLKMOOT_OK);
        cr_assert_geq(count_needs(&fresh), 13);
        folkmoot_close(&fresh.fm);
    }
    world_close(&world);
}

Test(session, that_was_cut_goes_on_behind_the_last_whole_piece)
{
    enum { CUT_AT = 400000, PIECE = 100000 };
    struct world world;
    struct folkmoot_progress first;
    struct folkmoot_progress second;
    struct hub_line line = {.cuts = true, .cut_at = CUT_AT, .part = 1000};
    world_open(&world, 2);
    add_needs(&world.phones[0], 500, 1500);
    // Requests grow with success.
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, &line, &first), FOLKMOOT_NETWORK);
    cr_assert_gt(line.answer_n, CUT_AT + PIECE);
    cr_assert_gt(first.pulled, 200);
    cr_assert_eq(count_needs(&world.phones[1]), first.pulled);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, &second), FOLKMOOT_OK);
    cr_assert_eq(first.pulled + second.pulled, 500);
    cr_assert_lt(second.bytes_in, line.answer_n - CUT_AT + PIECE, "what was here came again");
    world_close(&world);
}

Test(session, counts_a_receipt_even_when_the_answer_is_cut_behind_it)
{
    struct world world;
    struct folkmoot_progress progress;
    struct hub_line line = {.cuts = true, .cut_at = 40};
    world_open(&world, 2);
    add_needs(&world.phones[1], 3, 100);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, NULL), FOLKMOOT_OK);
    add_needs(&world.phones[0], 4, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, &progress), FOLKMOOT_NETWORK);
    cr_assert_eq(progress.pushed, 4);
    cr_assert_eq(progress.unsent, 0);
    world_close(&world);
}

Test(session, gets_through_a_line_that_always_breaks)
{
    struct world world;
    world_open(&world, 2);
    add_needs(&world.phones[0], 200, 1000);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert(sync_over_cuts(&world, &world.phones[1], 40000, 100));
    cr_assert_eq(count_needs(&world.phones[1]), 200);
    world_close(&world);
}

Test(session, whose_answers_are_lost_pushes_again_and_makes_no_second_copy)
{
    struct world world;
    struct folkmoot_progress progress;
    struct hub_line line = {.loses_answer_to = "/Sync"};
    world_open(&world, 2);
    add_needs(&world.phones[0], 5, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, &progress), FOLKMOOT_NETWORK);
    cr_assert_eq(progress.unsent, 5);
    add_needs(&world.phones[0], 3, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(progress.unsent, 0);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(count_needs(&world.phones[1]), 8);
    world_close(&world);
}

Test(session, asks_about_a_push_whose_answer_was_lost_and_does_not_send_it_again)
{
    enum { WORDS = 20 * 1000, SMALL = 1500 };
    struct world world;
    struct folkmoot_progress progress;
    struct hub_line line = {.loses_answer_to = "/Sync"};
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    add_needs(phone, 20, 1000);
    cr_assert_eq(phone_sync(phone, world.hub, &line, &progress), FOLKMOOT_NETWORK);
    cr_assert_gt(progress.bytes_out, WORDS / 2, "it went out");
    cr_assert_eq(phone_sync(phone, world.hub, &line, &progress), FOLKMOOT_NETWORK);
    cr_assert_lt(progress.bytes_out, SMALL, "%u bytes", (unsigned)progress.bytes_out);
    cr_assert_eq(progress.unsent, 20);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_lt(progress.bytes_out, SMALL, "%u bytes", (unsigned)progress.bytes_out);
    cr_assert_eq(progress.pushed, 20);
    cr_assert_eq(progress.unsent, 0);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(count_needs(&world.phones[1]), 20);
    world_close(&world);
    expect_no_leaks();
}

// What is asked about and is not there goes out once more, and what was written since with it.
Test(session, sends_a_push_again_that_never_arrived)
{
    struct world world;
    struct folkmoot_progress progress;
    struct hub_line line = {.loses_requests = true};
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    add_needs(phone, 20, 1000);
    cr_assert_eq(phone_sync(phone, world.hub, &line, &progress), FOLKMOOT_NETWORK);
    add_needs(phone, 5, 0);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(progress.pushed, 25);
    cr_assert_eq(progress.unsent, 0);
    cr_assert_eq(phone_sync(&world.phones[1], world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(count_needs(&world.phones[1]), 25);
    world_close(&world);
}

Test(session, without_any_line_says_so_and_keeps_what_was_written)
{
    struct world world;
    struct hub_line line = {.loses_requests = true};
    world_open(&world, 1);
    add_needs(&world.phones[0], 2, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_NETWORK);
    cr_assert_eq(count_needs(&world.phones[0]), 2);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    world_close(&world);
}

Test(session, logs_in_again_when_the_token_is_void)
{
    struct world world;
    struct hub_line line = {.part = 0};
    world_open(&world, 1);
    add_needs(&world.phones[0], 2, 0);
    hub_double_forget_tokens(world.hub);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_OK);
    cr_assert_geq(line.requests, 4); // Sync, Info, Login, Sync
    line.requests = 0;
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_OK);
    cr_assert_eq(line.requests, 1, "the new token was kept");
    world_close(&world);
}

Test(session, follows_the_hub_to_a_new_tls_key_that_it_proves)
{
    struct world world;
    struct hub_line line = {.part = 0};
    world_open(&world, 1);
    hub_double_renew_tls(world.hub);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_OK);
    line.requests = 0;
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_OK);
    cr_assert_eq(line.requests, 1, "the new key was kept");
    world_close(&world);
}

Test(session, tells_somebody_who_stands_between_nothing_secret)
{
    static const uint8_t theirs[32] = {6, 6, 6};
    struct world world;
    struct hub_line line = {.tls_key = theirs};
    world_open(&world, 1);
    add_needs(&world.phones[0], 1, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, NULL), FOLKMOOT_UNTRUSTED);
    cr_assert_not(line.told_a_secret);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    world_close(&world);
}

// --- answers that no hub would give ---

static struct folkmoot_session *begin_sync(struct phone *phone)
{
    struct folkmoot_session *session;
    struct folkmoot_request request;
    cr_assert_eq(folkmoot_sync(phone->fm, &session, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_session_next(session, &request), FOLKMOOT_SEND);
    return session;
}

static enum folkmoot_code answer_with(struct world *world, const void *body, size_t n)
{
    struct folkmoot_request request;
    struct folkmoot_session *session = begin_sync(&world->phones[0]);
    folkmoot_session_answer(session, 200, hub_double_tls_key(world->hub));
    folkmoot_session_receive(session, body, n);
    folkmoot_session_finish(session, true);
    enum folkmoot_next next = folkmoot_session_next(session, &request);
    enum folkmoot_code code = folkmoot_session_error(session)->code;
    cr_assert(next == FOLKMOOT_FAILED || code == FOLKMOOT_OK);
    folkmoot_session_done(&session);
    return code;
}

Test(session, refuses_answers_that_make_no_sense)
{
    struct world world;
    world_open(&world, 1);
    static const uint8_t group[] = {0x0b};
    static const uint8_t bad_receipt[] = {0x0a, 0x02, 0x0a, 0x05};
    static const uint8_t bad_piece[] = {0x7a, 0x02, 0x08, 0x01};
    static const uint8_t top_after_piece[] = {0x7a, 0x14, 0x08, 0x00, 0x12, 0x10, 0,    0,
                                              0,    0,    0,    0,    0,    0,    0,    0,
                                              0,    0,    0,    0,    0,    0,    0x38, 1};
    cr_assert_eq(answer_with(&world, group, sizeof group), FOLKMOOT_INTERNAL);
    cr_assert_eq(answer_with(&world, bad_receipt, sizeof bad_receipt), FOLKMOOT_INTERNAL);
    cr_assert_eq(answer_with(&world, bad_piece, sizeof bad_piece), FOLKMOOT_INTERNAL);
    cr_assert_eq(answer_with(&world, top_after_piece, sizeof top_after_piece), FOLKMOOT_INTERNAL);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    world_close(&world);
    expect_no_leaks();
}

Test(session, does_not_go_on_for_ever_with_a_hub_that_gives_no_receipt)
{
    struct world world;
    struct folkmoot_request request;
    world_open(&world, 1);
    add_needs(&world.phones[0], 1, 0);
    struct folkmoot_session *session = begin_sync(&world.phones[0]);
    unsigned turns = 0;
    enum folkmoot_next next = FOLKMOOT_SEND;
    for (; next == FOLKMOOT_SEND && turns < 100; turns++) {
        folkmoot_session_answer(session, 200, hub_double_tls_key(world.hub));
        folkmoot_session_finish(session, true);
        next = folkmoot_session_next(session, &request);
    }
    cr_assert_eq(next, FOLKMOOT_FAILED);
    cr_assert_lt(turns, 10);
    folkmoot_session_done(&session);
    world_close(&world);
}

Test(session, of_a_copied_store_is_told_that_it_is_a_copy)
{
    struct world world;
    struct phone copy;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    add_needs(phone, 1, 0);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    phone_clone(&world, phone, &copy);
    add_needs(phone, 1, 0);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    add_needs(&copy, 1, 30);
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, NULL), FOLKMOOT_FORKED);
    struct folkmoot_put put = {"title", "more"};
    cr_assert_eq(folkmoot_add(copy.fm, "need", &put, 1, 0, id, NULL), FOLKMOOT_OK,
                 "what is heard until there is a new link is not lost");
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(copy.fm, 0, &community), FOLKMOOT_OK);
    cr_assert(community.forked);
    cr_assert_eq(community.unsent, 2);
    folkmoot_close(&copy.fm);
    world_close(&world);
}

Test(session, that_found_no_connection_pushes_at_once_the_next_time)
{
    struct world world;
    struct folkmoot_progress progress;
    struct hub_line line = {.is_down = true};
    world_open(&world, 1);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    add_needs(&world.phones[0], 5, 0);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, &line, &progress), FOLKMOOT_NETWORK);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 5);
    cr_expect_eq(progress.requests, 1, "nothing had been sent, so nothing is asked first");
    world_close(&world);
    expect_no_leaks();
}
