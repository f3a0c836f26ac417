// Erasing, as an app asks for it.

#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/log.h"
#include "tests/client/world.h"
#include "tests/leaks.h"

enum { COORDINATOR, AUTHOR, OTHER, PHONES };

static const uint8_t person[16] = {7};

static struct world world;
static struct folkmoot_progress progress;

static void set_up(void)
{
    world_open(&world, PHONES);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(erase, .init = set_up, .fini = tear_down);

static struct folkmoot *fm_of(size_t i)
{
    return world.phones[i].fm;
}

static bool is_here(size_t where, const char *kind, const uint8_t id[16])
{
    struct folkmoot_record record;
    if (folkmoot_record_get(fm_of(where), kind, id, FOLKMOOT_BRIEF, &record, NULL))
        return false;
    folkmoot_record_done(&record);
    return true;
}

static uint32_t erase(size_t who, const char *kind, const uint8_t id[16], bool own_only)
{
    struct folkmoot_error error;
    uint32_t erased = 99;
    cr_assert_eq(folkmoot_erase(fm_of(who), kind, id, own_only, &erased, &error), FOLKMOOT_OK, "%s",
                 error.text);
    return erased;
}

static void expect_gone(const char *kind, const uint8_t id[16])
{
    for (size_t i = 0; i < PHONES; i++)
        cr_expect_not(is_here(i, kind, id), "phone %zu", i);
}

// How many of the hub's changes still have words.
static size_t bodies(void)
{
    size_t n = 0;
    struct log_body body;
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(world.hub));
    for (uint64_t position = 1; position < 100; position++)
        n += log_get_body(txn, 1, position, &body) == OK;
    return n;
}

Test(erase, by_a_coordinator_takes_everybodys_words_of_a_record_and_of_its_voices)
{
    uint8_t need[16];
    phone_add_need(&world.phones[AUTHOR], "a bench", need);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_voice(fm_of(OTHER), "need", need, person, "for", "yes", "en", 0, NULL),
                 FOLKMOOT_OK);
    world_sync_all(&world);
    cr_expect_eq(erase(COORDINATOR, "need", need, false), 0, "it wrote none of it");
    cr_expect(is_here(COORDINATOR, "need", need), "the hub decides");
    world_sync_all(&world);
    expect_gone("need", need);
    expect_no_leaks();
}

Test(erase, by_a_volunteer_takes_their_own_words_at_once_and_nobody_elses)
{
    uint8_t need[16];
    uint8_t theirs[16];
    phone_add_need(&world.phones[AUTHOR], "a bench", need);
    phone_add_need(&world.phones[OTHER], "a roof", theirs);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[OTHER], "need", need, "language", "en"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_expect_eq(erase(AUTHOR, "need", need, false), 1);
    cr_expect_eq(erase(AUTHOR, "need", theirs, false), 0);
    bool tension;
    cr_expect_eq(phone_values(&world.phones[AUTHOR], "need", need, "title", &tension, NULL, 0), 0);
    world_sync_all(&world);
    for (size_t i = 0; i < PHONES; i++) {
        cr_expect_eq(phone_values(&world.phones[i], "need", need, "title", &tension, NULL, 0), 0);
        cr_expect_eq(phone_values(&world.phones[i], "need", need, "language", &tension, NULL, 0),
                     1);
        cr_expect(is_here(i, "need", theirs));
    }
}

Test(erase, of_what_was_never_sent_tells_nobody_what_it_was)
{
    uint8_t need[16];
    uint8_t other[16];
    world_sync_all(&world);
    size_t before = bodies();
    phone_add_need(&world.phones[AUTHOR], "a bench", need);
    phone_add_need(&world.phones[AUTHOR], "a roof", other);
    cr_expect_eq(erase(AUTHOR, "need", need, true), 1);
    cr_expect_not(is_here(AUTHOR, "need", need));
    cr_assert_eq(phone_sync(&world.phones[AUTHOR], world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(progress.pushed, 3, "the change keeps its place; a copy may have sent it");
    cr_expect_eq(bodies(), before + 3, "the other need, the request, that it is erased");
    world_sync_all(&world);
    expect_gone("need", need);
    for (size_t i = 0; i < PHONES; i++)
        cr_expect(is_here(i, "need", other));
}

// Takes the next request of a session; the line loses it (0), or it never leaves.
static void lose(struct folkmoot_session *session, struct folkmoot_request *request,
                 struct buf *body, int status)
{
    cr_assert_eq(folkmoot_session_next(session, request), FOLKMOOT_SEND);
    buf_reset(body);
    buf_put(body, bytes_of(request->body, request->body_n));
    folkmoot_session_answer(session, status, NULL);
    folkmoot_session_finish(session, false);
}

// A push is lost on its way, the hub says that it has nothing, the words are erased; and then the
// push arrives after all.
Test(erase, of_what_was_sent_and_arrives_late_reaches_the_hub)
{
    uint8_t need[16];
    char token[64];
    struct folkmoot_session *session;
    struct folkmoot_request request;
    struct buf late BUF_CLEANUP = {0};
    struct buf other BUF_CLEANUP = {0};
    struct hub_answer answer = {.status = 0};
    world_sync_all(&world);
    phone_add_need(&world.phones[AUTHOR], "a bench", need);
    cr_assert_eq(folkmoot_sync(fm_of(AUTHOR), &session, NULL), FOLKMOOT_OK);
    lose(session, &request, &late, 0);
    (void)snprintf(token, sizeof token, "%s", request.token);
    folkmoot_session_done(&session);

    // The next sync asks first, is answered, and breaks off.
    cr_assert_eq(folkmoot_sync(fm_of(AUTHOR), &session, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_session_next(session, &request), FOLKMOOT_SEND);
    hub_double_serve(world.hub, &request, &answer);
    folkmoot_session_answer(session, answer.status, hub_double_tls_key(world.hub));
    folkmoot_session_receive(session, answer.body.p, answer.body.n);
    folkmoot_session_finish(session, true);
    lose(session, &request, &other, FOLKMOOT_NOT_SENT);
    folkmoot_session_done(&session);
    buf_done(&answer.body);

    cr_expect_eq(erase(AUTHOR, "need", need, true), 1);
    request = (struct folkmoot_request){
        .path = "/folkmoot.v1.SyncService/Sync", .token = token, .body = late.p, .body_n = late.n};
    answer = (struct hub_answer){.status = 0};
    hub_double_serve(world.hub, &request, &answer);
    cr_assert_eq(answer.status, 200);
    buf_done(&answer.body);
    size_t before = bodies();
    world_sync_all(&world);
    expect_gone("need", need);
    cr_expect_eq(bodies(), before + 1, "one need less; a request and a decision more");
}

Test(erase, of_ones_own_words_asks_for_each_change_that_was_sent)
{
    uint8_t need[16];
    phone_add_need(&world.phones[COORDINATOR], "a bench", need);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[AUTHOR], "need", need, "language", "en"), FOLKMOOT_OK);
    world_sync_all(&world);
    for (int i = 0; i < 300; i++) {
        char words[20];
        snprintf(words, sizeof words, "words %d", i);
        cr_assert_eq(phone_put(&world.phones[COORDINATOR], "need", need, "words", words),
                     FOLKMOOT_OK);
    }
    world_sync_all(&world);
    cr_expect_eq(erase(COORDINATOR, "need", need, true), 301);
    world_sync_all(&world);
    bool tension;
    for (size_t i = 0; i < PHONES; i++) {
        cr_expect_eq(phone_values(&world.phones[i], "need", need, "title", &tension, NULL, 0), 0);
        cr_expect_eq(phone_values(&world.phones[i], "need", need, "words", &tension, NULL, 0), 0);
        cr_expect_eq(phone_values(&world.phones[i], "need", need, "language", &tension, NULL, 0), 1,
                     "somebody else's");
    }
    struct folkmoot_error error;
    cr_expect_eq(folkmoot_erase(fm_of(COORDINATOR), "need", need, true, NULL, &error),
                 FOLKMOOT_INVALID);
}

Test(erase, of_a_person_takes_all_that_they_said)
{
    uint8_t need[16];
    uint8_t spoken[16];
    struct folkmoot_put puts[] = {{"title", "theirs"},
                                  {"speaker", "07000000000000000000000000000000"}};
    phone_add_need(&world.phones[OTHER], "a bench", need);
    cr_assert_eq(folkmoot_add(fm_of(AUTHOR), "need", puts, 2, 0, spoken, NULL), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_voice(fm_of(AUTHOR), "need", need, person, "for", "yes", "en", 0, NULL),
                 FOLKMOOT_OK);
    world_sync_all(&world);
    erase(COORDINATOR, "person", person, false);
    world_sync_all(&world);
    expect_gone("need", spoken);
    struct folkmoot_record record;
    for (size_t i = 0; i < PHONES; i++) {
        cr_assert_eq(folkmoot_record_get(fm_of(i), "need", need, FOLKMOOT_WHOLE, &record, NULL),
                     FOLKMOOT_OK);
        cr_expect_eq(record.votes_for, 0);
        folkmoot_record_done(&record);
    }
}

Test(erase, of_a_person_takes_ones_own_note_of_how_to_reach_them_at_once)
{
    uint8_t contact[16];
    struct folkmoot_put puts[] = {{"about", "person:07000000000000000000000000000000"},
                                  {"name", "Ann"}};
    struct folkmoot_put more[] = {{"telephone", "020 7946 0000"}};
    cr_assert_eq(folkmoot_add(fm_of(AUTHOR), "contact", puts, 2, 0, contact, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_edit(fm_of(AUTHOR), "contact", contact, more, 1, 0, NULL), FOLKMOOT_OK);
    cr_expect_eq(erase(AUTHOR, "person", person, true), 2);
    cr_expect_not(is_here(AUTHOR, "contact", contact));
    world_sync_all(&world);
    expect_gone("contact", contact);
}

Test(erase, of_a_kind_that_there_is_not_is_refused)
{
    struct folkmoot_error error;
    cr_expect_eq(folkmoot_erase(fm_of(AUTHOR), "neeed", person, false, NULL, &error),
                 FOLKMOOT_NOT_FOUND);
    cr_expect_neq(error.text[0], 0);
}

// Erasing what was asked, before it was sent, would take the asking back and leave the words there.
Test(erase, of_a_request_is_refused)
{
    uint8_t need[16];
    phone_add_need(&world.phones[AUTHOR], "a bench", need);
    world_sync_all(&world);
    erase(AUTHOR, "need", need, true);
    struct folkmoot_error error;
    cr_expect_eq(folkmoot_erase(fm_of(AUTHOR), "request", need, true, NULL, &error),
                 FOLKMOOT_INVALID);
    world_sync_all(&world);
    expect_gone("need", need);
}
