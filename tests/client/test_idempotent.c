// Whatever is asked of a hub may arrive more than once: at once, after the hub died between commit
// and answer, or long after, when others have said something else. The hub's tables are then as
// after the first time, and the answer says the same.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/table.h"
#include "tests/client/world.h"
#include "tests/leaks.h"

enum { COORDINATOR, VOLUNTEER, OTHER, PHONES };
enum { REPEATS_MAX = 5, TOLD_MAX = 256 };

static struct world world;
static uint64_t dice;

static void set_up(void)
{
    dice = 7;
    world_open_apart(&world, PHONES);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(idempotent, .init = set_up, .fini = tear_down);

static size_t below(size_t n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice >> 33) % n;
}

// --- the hub's tables ---

struct rows {
    struct buf bytes;
    size_t tokens;
    size_t invitations;
};

static void rows_done(struct rows *rows)
{
    buf_done(&rows->bytes);
}

#define ROWS_CLEANUP __attribute__((cleanup(rows_done)))

static void put_row(struct rows *rows, enum table table, const struct walk *walk)
{
    // The count of commits is no state.
    if (table == TABLE_META && bytes_equal(walk->key, bytes_of_text("commit")))
        return;
    rows->tokens += table == TABLE_TOKEN;
    rows->invitations += table == TABLE_INVITATION;
    // Their bytes are random.
    if (table == TABLE_TOKEN || table == TABLE_INVITATION)
        return;
    buf_put_u8(&rows->bytes, (uint8_t)table);
    buf_put_be32(&rows->bytes, (uint32_t)walk->key.n);
    buf_put(&rows->bytes, walk->key);
    buf_put_be32(&rows->bytes, (uint32_t)walk->value.n);
    buf_put(&rows->bytes, walk->value);
}

static void read_rows(struct rows *rows)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(world.hub));
    for (int table = 0; table < TABLE_COUNT; table++) {
        struct walk walk WALK_CLEANUP;
        walk_begin(&walk, txn, (enum table)table, bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk)) {
            cr_assert_eq(walk.err, OK);
            put_row(rows, (enum table)table, &walk);
        }
    }
    cr_assert_eq(rows->bytes.err, OK);
}

static void expect_same(const struct rows *before, const char *what)
{
    struct rows now ROWS_CLEANUP = {.tokens = 0};
    read_rows(&now);
    cr_expect(bytes_equal(buf_bytes(&before->bytes), buf_bytes(&now.bytes)), "%s changed a table",
              what);
    cr_expect_eq(now.tokens, before->tokens, "%s left a token behind", what);
}

// The hub dies, and begins again with what is on disk.
static void die_and_return(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/hub", world.path);
    hub_double_close(world.hub);
    hub_double_open(world.hub, path);
}

// --- requests, as they once were ---

struct told {
    char path[64];
    char token[64]; // "": none
    struct buf body;
};

static struct told told[TOLD_MAX];
static size_t told_n;

static void forget_told(void)
{
    while (told_n)
        buf_done(&told[--told_n].body);
}

static void note(const struct folkmoot_request *request)
{
    cr_assert_lt(told_n, TOLD_MAX);
    struct told *t = &told[told_n++];
    *t = (struct told){.path = ""};
    snprintf(t->path, sizeof t->path, "%s", request->path);
    snprintf(t->token, sizeof t->token, "%s", request->token ? request->token : "");
    buf_put(&t->body, bytes_of(request->body, request->body_n));
    cr_assert_eq(t->body.err, OK);
}

static struct folkmoot_request request_of(const struct told *t)
{
    return (struct folkmoot_request){.path = t->path,
                                     .token = *t->token ? t->token : NULL,
                                     .body = t->body.p,
                                     .body_n = t->body.n};
}

static bool is_to(const char *path, const char *method)
{
    const char *slash = strrchr(path, '/');
    return slash && strcmp(slash + 1, method) == 0;
}

// Enrol, Login and Invite give something random each time; the rest of what they say is the same.
static bool gives_secrets(const char *path)
{
    return is_to(path, "Enrol") || is_to(path, "Login") || is_to(path, "Invite");
}

static uint32_t role_given(struct bytes body)
{
    struct admission admission;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 1 << 16);
    cr_assert_eq(message_decode(&enrol_response_message, body, &arena, &admission, NULL), OK);
    return admission.role;
}

static void expect_same_answer(const char *path, const struct hub_answer *a,
                               const struct hub_answer *b)
{
    struct bytes x = buf_bytes(&a->body);
    struct bytes y = buf_bytes(&b->body);
    cr_expect_eq(a->status, b->status, "%s: %d, then %d", path, a->status, b->status);
    if (!gives_secrets(path))
        cr_expect(bytes_equal(x, y), "%s was answered otherwise the second time", path);
    else if (!is_to(path, "Invite") && a->status == 200 && b->status == 200)
        cr_expect_eq(role_given(x), role_given(y), "%s gave another role", path);
}

// Serves a request several times, with deaths in between; `answer` is the last one.
static void serve_repeatedly(const struct folkmoot_request *request, struct hub_answer *answer)
{
    struct rows first ROWS_CLEANUP = {.tokens = 0};
    hub_double_serve(world.hub, request, answer);
    read_rows(&first);
    size_t repeats = 1 + below(REPEATS_MAX - 1);
    for (size_t i = 0; i < repeats; i++) {
        struct hub_answer again = {.status = 0};
        if (below(2))
            die_and_return();
        hub_double_serve(world.hub, request, &again);
        expect_same(&first, request->path);
        expect_same_answer(request->path, answer, &again);
        buf_done(&answer->body);
        *answer = again;
    }
}

// Turns a session; each of its requests comes several times, and the last answer is the one that
// arrives.
static enum folkmoot_code run_repeatedly(struct folkmoot_session *session)
{
    struct folkmoot_request request;
    while (folkmoot_session_next(session, &request) == FOLKMOOT_SEND) {
        struct hub_answer answer = {.status = 0};
        note(&request);
        serve_repeatedly(&request, &answer);
        folkmoot_session_answer(session, answer.status, hub_double_tls_key(world.hub));
        folkmoot_session_receive(session, answer.body.p, answer.body.n);
        folkmoot_session_finish(session, true);
        buf_done(&answer.body);
    }
    enum folkmoot_code code = folkmoot_session_error(session)->code;
    cr_expect_eq(code, FOLKMOOT_OK, "%s", folkmoot_session_error(session)->text);
    folkmoot_session_done(&session);
    return code;
}

static void join(size_t who, enum role role)
{
    char link[LINK_MAX];
    struct folkmoot_session *session;
    hub_double_invite(world.hub, role, link);
    cr_assert_eq(folkmoot_join(world.phones[who].fm, link, &session, NULL), FOLKMOOT_OK);
    cr_assert_eq(run_repeatedly(session), FOLKMOOT_OK);
}

static void join_all(void)
{
    join(COORDINATOR, ROLE_COORDINATOR);
    join(VOLUNTEER, ROLE_VOLUNTEER);
    join(OTHER, ROLE_VOLUNTEER);
}

static void sync_phone(size_t who, bool check)
{
    struct folkmoot_session *session;
    struct folkmoot *fm = world.phones[who].fm;
    cr_assert_eq(check ? folkmoot_sync_and_check(fm, &session, NULL)
                       : folkmoot_sync(fm, &session, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(run_repeatedly(session), FOLKMOOT_OK);
}

static void vote(size_t who, const uint8_t need[16], uint8_t person)
{
    uint8_t id[16] = {person, 1};
    cr_assert_eq(
        folkmoot_voice(world.phones[who].fm, "need", need, id, "for", "because", "en", 0, NULL),
        FOLKMOOT_OK);
}

static void expect_votes(size_t who, const uint8_t need[16], uint32_t votes)
{
    struct folkmoot_record record;
    cr_assert_eq(
        folkmoot_record_get(world.phones[who].fm, "need", need, FOLKMOOT_BRIEF, &record, NULL),
        FOLKMOOT_OK);
    cr_expect_eq(record.votes_for, votes);
    folkmoot_record_done(&record);
}

Test(idempotent, every_request_may_come_several_times_and_the_hub_may_die_between)
{
    uint8_t need[16];
    join_all();
    phone_add_need(&world.phones[VOLUNTEER], "a bench", need);
    for (uint8_t person = 1; person <= 6; person++)
        vote(VOLUNTEER, need, person);
    sync_phone(VOLUNTEER, false);
    sync_phone(OTHER, false);
    vote(OTHER, need, 3);
    vote(OTHER, need, 7);
    sync_phone(OTHER, false);
    sync_phone(VOLUNTEER, true);
    hub_double_forget_tokens(world.hub);
    sync_phone(COORDINATOR, true);
    for (size_t i = 0; i < PHONES; i++)
        expect_votes(i, need, 7);
    forget_told();
    expect_no_leaks();
}

// What one of them asks for is decided once.
Test(idempotent, a_request_to_erase_or_to_revoke_is_carried_out_once)
{
    uint8_t need[16];
    join_all();
    phone_add_need(&world.phones[VOLUNTEER], "a bench", need);
    vote(VOLUNTEER, need, 1);
    sync_phone(VOLUNTEER, false);
    sync_phone(COORDINATOR, false);
    cr_assert_eq(folkmoot_erase(world.phones[COORDINATOR].fm, "need", need, false, NULL, NULL),
                 FOLKMOOT_OK);
    sync_phone(COORDINATOR, false);
    sync_phone(VOLUNTEER, false);
    struct folkmoot_record record;
    cr_expect_eq(folkmoot_record_get(world.phones[VOLUNTEER].fm, "need", need, FOLKMOOT_BRIEF,
                                     &record, NULL),
                 FOLKMOOT_NOT_FOUND);
    forget_told();
    expect_no_leaks();
}

// --- long after ---

// Something that was asked before, whoever asked it.
static void repeat_an_old_one(void)
{
    const struct told *t = &told[below(told_n)];
    struct folkmoot_request request = request_of(t);
    size_t repeats = 1 + below(REPEATS_MAX);
    struct rows before ROWS_CLEANUP = {.tokens = 0};
    read_rows(&before);
    for (size_t i = 0; i < repeats; i++) {
        struct hub_answer answer = {.status = 0};
        if (below(4) == 0)
            die_and_return();
        hub_double_serve(world.hub, &request, &answer);
        // A token that was changed for another meanwhile is void.
        cr_expect(answer.status == 200 || answer.status == 401, "%s: %d", t->path, answer.status);
        expect_same(&before, t->path);
        buf_done(&answer.body);
    }
}

Test(idempotent, what_comes_long_after_changes_nothing_that_others_have_said_since)
{
    uint8_t needs[8][16];
    join_all();
    for (size_t i = 0; i < 8; i++) {
        size_t who = below(PHONES);
        phone_add_need(&world.phones[who], "a bench", needs[i]);
        vote(who, needs[i], (uint8_t)(1 + below(4)));
        sync_phone(who, below(2));
        for (int n = 0; n < 6; n++)
            repeat_an_old_one();
        vote(who, needs[below(i + 1)], 1);
    }
    // Whose token a repeated Login voided logs in again by itself.
    world_sync_all(&world);
    uint8_t hashes[PHONES][32];
    for (size_t i = 0; i < PHONES; i++) {
        uint64_t records;
        cr_assert_eq(folkmoot_fingerprint(world.phones[i].fm, hashes[i], &records, NULL),
                     FOLKMOOT_OK);
        cr_expect_arr_eq(hashes[i], hashes[0], 32);
    }
    forget_told();
    expect_no_leaks();
}

// --- invitations ---

// Each is another one: nobody knows the first's code when the answer was lost, and it lapses.
Test(idempotent, an_invitation_asked_for_again_is_another_one_and_nothing_else_changes)
{
    join_all();
    struct folkmoot_session *session;
    struct rows before ROWS_CLEANUP = {.tokens = 0};
    struct rows after ROWS_CLEANUP = {.tokens = 0};
    static const struct folkmoot_invitation wanted = {.role = "volunteer", .label = "a friend"};
    forget_told();
    read_rows(&before);
    cr_assert_eq(folkmoot_invite(world.phones[COORDINATOR].fm, &wanted, &session, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(run_repeatedly(session), FOLKMOOT_OK);
    read_rows(&after);
    cr_expect(bytes_equal(buf_bytes(&before.bytes), buf_bytes(&after.bytes)));
    cr_expect_gt(after.invitations, before.invitations);
    forget_told();
}

// --- what an administrator decides ---

struct decision {
    uint8_t handle[HANDLE_SIZE];
    struct record_key record;
};

static enum err make_coordinator(struct hub_decider *decider, void *arg)
{
    const struct decision *decision = arg;
    return hub_grant(decider, NULL, decision->handle, ROLE_COORDINATOR);
}

static enum err revoke(struct hub_decider *decider, void *arg)
{
    const struct decision *decision = arg;
    return hub_revoke(decider, NULL, decision->handle);
}

static enum err reinstate(struct hub_decider *decider, void *arg)
{
    const struct decision *decision = arg;
    return hub_reinstate(decider, NULL, decision->handle);
}

static enum err release(struct hub_decider *decider, void *arg)
{
    const struct decision *decision = arg;
    uint32_t released;
    return hub_release(decider, NULL, decision->handle, 1, UINT32_MAX, &released);
}

static enum err erase(struct hub_decider *decider, void *arg)
{
    const struct decision *decision = arg;
    struct ref ref = {decision->record.kind, BYTES(decision->record.id)};
    struct hub_erasing what = {.records = {&ref, 1}};
    uint64_t erased;
    return hub_erase(decider, &what, &erased);
}

static void decide_repeatedly(hub_double_decision *decide, struct decision *decision,
                              const char *what, enum err again)
{
    struct rows first ROWS_CLEANUP = {.tokens = 0};
    cr_expect_eq(hub_double_decide(world.hub, decide, decision), OK, "%s", what);
    read_rows(&first);
    for (size_t i = 0; i < REPEATS_MAX; i++) {
        if (i % 2)
            die_and_return();
        cr_expect_eq(hub_double_decide(world.hub, decide, decision), again, "%s again", what);
        expect_same(&first, what);
    }
}

Test(idempotent, what_an_administrator_decides_is_decided_once)
{
    struct folkmoot_community own;
    struct decision decision = {.record = {.kind = KIND_NEED}};
    uint8_t need[16];
    join_all();
    phone_add_need(&world.phones[VOLUNTEER], "a bench", need);
    vote(VOLUNTEER, need, 1);
    sync_phone(VOLUNTEER, false);
    cr_assert_eq(folkmoot_community_at(world.phones[VOLUNTEER].fm, 0, &own), FOLKMOOT_OK);
    memcpy(decision.handle, own.device, HANDLE_SIZE);
    memcpy(decision.record.id, need, ID_SIZE);
    decide_repeatedly(make_coordinator, &decision, "a grant", OK);
    vote(VOLUNTEER, need, 2);
    decide_repeatedly(revoke, &decision, "a revocation", OK);
    // It delivers what it wrote, which is set apart.
    struct folkmoot_session *session;
    cr_assert_eq(folkmoot_sync(world.phones[VOLUNTEER].fm, &session, NULL), FOLKMOOT_OK);
    hub_double_run(world.hub, session, NULL);
    folkmoot_session_done(&session);
    // The second time says that the device is not revoked.
    decide_repeatedly(reinstate, &decision, "a reinstatement", ERR_WRONG_STATE);
    decide_repeatedly(release, &decision, "a release", OK);
    decide_repeatedly(erase, &decision, "an erasure", OK);
    forget_told();
    expect_no_leaks();
}
