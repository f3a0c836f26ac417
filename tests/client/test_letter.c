// A device without a line: what it wrote goes to the hub in a letter that somebody carries, and the
// answer comes back the same way. Nothing is lost or doubled, however late, often or out of order.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

enum { AUTHOR, CARRIER, OTHER, PHONES };

static struct world world;
static struct folkmoot_progress progress;
static struct folkmoot_error error;

static void set_up(void)
{
    world_open(&world, PHONES);
    world_sync_all(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(letter, .init = set_up, .fini = tear_down);

static struct phone *phone(size_t i)
{
    return &world.phones[i];
}

// --- going about ---

static struct buf write_letter(size_t i)
{
    struct buf letter = {0};
    uint32_t left = 0;
    cr_assert_eq(folkmoot_letter_write(phone(i)->fm, &letter.p, &letter.n, &left, &error),
                 FOLKMOOT_OK, "%s", error.text);
    cr_expect_eq(left, 0);
    return letter;
}

static enum folkmoot_code deliver(size_t i, const struct buf *letter, struct buf *answer)
{
    struct folkmoot_session *session = NULL;
    *answer = (struct buf){0};
    enum folkmoot_code code =
        folkmoot_deliver(phone(i)->fm, letter->p, letter->n, &session, &error);
    if (code)
        return code;
    if (hub_double_run(world.hub, session, NULL) != FOLKMOOT_DONE) {
        error = *folkmoot_session_error(session);
        folkmoot_session_done(&session);
        return error.code;
    }
    size_t n;
    const void *got = folkmoot_session_letter(session, &n);
    cr_assert(got);
    buf_put(answer, bytes_of(got, n));
    cr_assert_eq(answer->err, OK);
    folkmoot_session_done(&session);
    return FOLKMOOT_OK;
}

static enum folkmoot_code read_answer(size_t i, const struct buf *answer)
{
    progress = (struct folkmoot_progress){0};
    return folkmoot_letter_read(phone(i)->fm, answer->p, answer->n, &progress, &error);
}

static uint32_t unsent(size_t i)
{
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(phone(i)->fm, 0, &community), FOLKMOOT_OK);
    cr_expect_str_eq(community.alarm, "");
    return community.unsent;
}

static void must_carry(size_t author, size_t carrier)
{
    struct buf letter BUF_CLEANUP = write_letter(author);
    struct buf answer BUF_CLEANUP = {0};
    cr_assert_eq(deliver(carrier, &letter, &answer), FOLKMOOT_OK, "%s", error.text);
    cr_assert_eq(read_answer(author, &answer), FOLKMOOT_OK, "%s", error.text);
}

// --- the ordinary case ---

Test(letter, takes_what_a_device_wrote_and_brings_back_what_is_new)
{
    uint8_t id[16];
    phone_add_need(phone(OTHER), "a bench", id);
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    phone_add_need(phone(AUTHOR), "a light", id);
    phone_add_need(phone(AUTHOR), "a bus", id);
    cr_expect_eq(unsent(AUTHOR), 2);
    must_carry(AUTHOR, CARRIER);
    cr_expect_eq(progress.pushed, 2);
    cr_expect_eq(progress.pulled, 1);
    cr_expect_eq(unsent(AUTHOR), 0);
    cr_expect_eq(phone_count(phone(AUTHOR), "need"), 3);
    // Others have it by the next sync.
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(phone_count(phone(OTHER), "need"), 3);
    // And a line that comes back finds nothing to do.
    cr_assert_eq(phone_sync(phone(AUTHOR), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 0);
    cr_expect_eq(progress.pulled, 0);
}

Test(letter, is_of_no_kind_to_whoever_it_is_not_for)
{
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    struct buf answer BUF_CLEANUP = {0};
    cr_assert_eq(deliver(CARRIER, &letter, &answer), FOLKMOOT_OK);
    for (size_t i = 0; i < PHONES; i++) {
        cr_expect_eq(folkmoot_letter_kind(phone(i)->fm, letter.p, letter.n),
                     FOLKMOOT_LETTER_TO_HUB);
        cr_expect_eq(folkmoot_letter_kind(phone(i)->fm, answer.p, answer.n),
                     i == AUTHOR ? FOLKMOOT_LETTER_ANSWER : FOLKMOOT_LETTER_OTHERS);
    }
    cr_expect_eq(folkmoot_letter_kind(phone(AUTHOR)->fm, "words", 5), FOLKMOOT_LETTER_NONE);
    cr_expect_eq(read_answer(CARRIER, &answer), FOLKMOOT_INVALID);
    cr_expect_eq(read_answer(AUTHOR, &letter), FOLKMOOT_INVALID);
    struct buf again BUF_CLEANUP = {0};
    cr_expect_eq(deliver(CARRIER, &answer, &again), FOLKMOOT_INVALID);
}

Test(letter, says_nothing_to_whoever_carries_it)
{
    static const char words[] = "a word that nobody else should read";
    uint8_t id[16];
    phone_add_need(phone(AUTHOR), words, id);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    cr_expect_not(memmem(letter.p, letter.n, words, 10));
    struct buf same BUF_CLEANUP = write_letter(AUTHOR);
    cr_assert_gt(letter.n, 200);
    cr_expect(same.n != letter.n || memcmp(same.p, letter.p, letter.n) != 0);
}

// --- nothing is lost or doubled ---

Test(letter, may_be_delivered_twice_and_read_twice)
{
    uint8_t id[16];
    phone_add_need(phone(AUTHOR), "a light", id);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    struct buf first BUF_CLEANUP = {0};
    struct buf second BUF_CLEANUP = {0};
    cr_assert_eq(deliver(CARRIER, &letter, &first), FOLKMOOT_OK);
    cr_assert_eq(deliver(OTHER, &letter, &second), FOLKMOOT_OK);
    cr_assert_eq(read_answer(AUTHOR, &second), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 1);
    cr_assert_eq(read_answer(AUTHOR, &first), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 0);
    cr_assert_eq(read_answer(AUTHOR, &first), FOLKMOOT_OK);
    cr_expect_eq(unsent(AUTHOR), 0);
    world_sync_all(&world);
    for (size_t i = 0; i < PHONES; i++)
        cr_expect_eq(phone_count(phone(i), "need"), 1);
}

Test(letter, that_was_lost_is_written_again)
{
    uint8_t id[16];
    phone_add_need(phone(AUTHOR), "a light", id);
    struct buf lost BUF_CLEANUP = write_letter(AUTHOR);
    phone_add_need(phone(AUTHOR), "a bus", id);
    must_carry(AUTHOR, CARRIER);
    cr_expect_eq(progress.pushed, 2);
    // It turns up after all.
    struct buf answer BUF_CLEANUP = {0};
    cr_assert_eq(deliver(OTHER, &lost, &answer), FOLKMOOT_OK);
    cr_assert_eq(read_answer(AUTHOR, &answer), FOLKMOOT_OK);
    cr_expect_eq(unsent(AUTHOR), 0);
    world_sync_all(&world);
    cr_expect_eq(phone_count(phone(OTHER), "need"), 2);
}

Test(letter, may_be_overtaken_by_a_line)
{
    uint8_t id[16];
    phone_add_need(phone(AUTHOR), "a light", id);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    phone_add_need(phone(AUTHOR), "a bus", id);
    cr_assert_eq(phone_sync(phone(AUTHOR), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 2);
    phone_add_need(phone(OTHER), "a bench", id);
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    struct buf answer BUF_CLEANUP = {0};
    cr_assert_eq(deliver(CARRIER, &letter, &answer), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(phone(AUTHOR), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(read_answer(AUTHOR, &answer), FOLKMOOT_OK, "%s", error.text);
    cr_expect_eq(unsent(AUTHOR), 0);
    cr_expect_eq(phone_count(phone(AUTHOR), "need"), 3);
    cr_assert_eq(phone_sync(phone(AUTHOR), world.hub, NULL, &progress), FOLKMOOT_OK);
}

Test(letter, of_many_days_go_back_and_forth_in_any_order)
{
    enum { DAYS = 12 };
    struct buf letters[DAYS], answers[DAYS];
    uint8_t id[16];
    for (size_t day = 0; day < DAYS; day++) {
        char title[32];
        (void)snprintf(title, sizeof title, "day %zu", day);
        phone_add_need(phone(AUTHOR), title, id);
        letters[day] = write_letter(AUTHOR);
        phone_add_need(phone(OTHER), title, id);
    }
    // 7 and 12 have no common divisor: each comes once.
    for (size_t i = 0; i < DAYS; i++) {
        size_t day = i * 7 % DAYS;
        cr_assert_eq(deliver(CARRIER, &letters[day], &answers[day]), FOLKMOOT_OK, "%s", error.text);
        cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    }
    // Read in an order of its own: it takes what the first brings, and receipts of all.
    for (size_t i = 0; i < DAYS; i++)
        cr_assert_eq(read_answer(AUTHOR, &answers[i * 5 % DAYS]), FOLKMOOT_OK, "%s", error.text);
    cr_expect_eq(unsent(AUTHOR), 0);
    world_sync_all(&world);
    for (size_t i = 0; i < PHONES; i++)
        cr_expect_eq(phone_count(phone(i), "need"), (size_t)2 * DAYS);
    for (size_t day = 0; day < DAYS; day++) {
        buf_done(&letters[day]);
        buf_done(&answers[day]);
    }
}

// --- whoever means harm ---

Test(letter, that_was_altered_is_refused_and_touches_nothing)
{
    uint8_t id[16];
    phone_add_need(phone(AUTHOR), "a light", id);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    struct buf answer BUF_CLEANUP = {0};
    for (size_t i = 0; i < letter.n; i++) {
        struct buf none = {0};
        letter.p[i] ^= 0x11;
        enum folkmoot_code code = deliver(CARRIER, &letter, &none);
        cr_assert(code == FOLKMOOT_INVALID || code == FOLKMOOT_REFUSED || code == FOLKMOOT_INTERNAL,
                  "byte %zu: %d %s", i, (int)code, error.text);
        buf_done(&none);
        letter.p[i] ^= 0x11;
    }
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(phone_count(phone(OTHER), "need"), 0);
    cr_assert_eq(deliver(CARRIER, &letter, &answer), FOLKMOOT_OK);
    for (size_t i = 0; i < answer.n; i++) {
        answer.p[i] ^= 0x11;
        cr_assert_eq(read_answer(AUTHOR, &answer), FOLKMOOT_INVALID, "byte %zu", i);
        answer.p[i] ^= 0x11;
    }
    cr_expect_eq(unsent(AUTHOR), 1);
    cr_assert_eq(read_answer(AUTHOR, &answer), FOLKMOOT_OK);
    cr_expect_eq(unsent(AUTHOR), 0);
}

Test(letter, of_a_device_that_was_revoked_brings_receipts_and_nothing_else)
{
    uint8_t id[16];
    struct folkmoot_community community;
    phone_add_need(phone(OTHER), "a bench", id);
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    phone_add_need(phone(AUTHOR), "a light", id);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    cr_assert_eq(folkmoot_community_at(phone(AUTHOR)->fm, 0, &community), FOLKMOOT_OK);
    hub_double_revoke(world.hub, community.device);
    struct buf answer BUF_CLEANUP = {0};
    cr_assert_eq(deliver(CARRIER, &letter, &answer), FOLKMOOT_OK, "%s", error.text);
    cr_expect_eq(read_answer(AUTHOR, &answer), FOLKMOOT_REFUSED);
    cr_expect_eq(progress.pulled, 0);
    cr_expect_eq(phone_count(phone(AUTHOR), "need"), 1);
    // Nor does it carry others'.
    struct buf others BUF_CLEANUP = write_letter(OTHER);
    struct buf none BUF_CLEANUP = {0};
    cr_expect_eq(deliver(AUTHOR, &others, &none), FOLKMOOT_REFUSED);
}

Test(letter, of_another_community_is_told_apart)
{
    enum { COMMUNITY_AT = 4 }; // behind the version, tag and length
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    letter.p[COMMUNITY_AT] ^= 1;
    cr_expect_eq(folkmoot_letter_kind(phone(CARRIER)->fm, letter.p, letter.n),
                 FOLKMOOT_LETTER_ELSEWHERE);
}

// A store that was put back from an old copy must not leave out what lies between.
Test(letter, answer_from_a_later_state_of_the_store_moves_no_cursor)
{
    uint8_t id[16];
    struct phone copy;
    phone_clone(&world, phone(AUTHOR), &copy);
    phone_add_need(phone(OTHER), "a bench", id);
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(phone(AUTHOR), world.hub, NULL, &progress), FOLKMOOT_OK);
    struct buf letter BUF_CLEANUP = write_letter(AUTHOR);
    struct buf answer BUF_CLEANUP = {0};
    phone_add_need(phone(OTHER), "a bus", id);
    cr_assert_eq(phone_sync(phone(OTHER), world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_assert_eq(deliver(CARRIER, &letter, &answer), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_letter_read(copy.fm, answer.p, answer.n, &progress, &error), FOLKMOOT_OK);
    cr_expect_eq(progress.pulled, 0);
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(phone_count(&copy, "need"), 2);
    folkmoot_close(&copy.fm);
}
