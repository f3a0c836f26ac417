// The requests that devices of a released version sent, byte for byte, are understood for ever: a
// hub that gets them today ends with the records that it ended with then.
//
// frames/VERSION.txt was written by this program (FOLKMOOT_RECORD=FILE); its lines are
//   invite ROLE CODE        an invitation by this code
//   ask DEVICE TOKEN PATH BODY      TOKEN 1: with the device's token
//   records HASH            of what people had said, in the end

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "proto/schema.h"
#include "sync/view.h"
#include "tests/client/world.h"
#include "tests/leaks.h"

enum { LINE_MAX_BYTES = 1 << 20, TOKEN_TEXT = 48 };

static struct world world;

static void set_up(void)
{
    world_open_apart(&world, 2);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(frames, .init = set_up, .fini = tear_down);

// What people said; what the hub decided has ids of its own making.
static void put_kind(struct txn *txn, const struct community *community, uint32_t kind,
                     struct hash *hash)
{
    struct record_key key;
    uint8_t after[ID_SIZE];
    const struct eye eye = {.role = ROLE_COORDINATOR, .device = community->log};
    enum err err = live_next_record(txn, community->number, kind, NULL, &key);
    while (!err) {
        struct record_view view;
        struct arena arena ARENA_CLEANUP;
        arena_init(&arena, (size_t)4 * RECORD_MAX);
        cr_assert_eq(view_record(txn, community, &key, &eye, &arena, &view), OK);
        hash_put(hash, BYTES(key.id));
        hash_put_sized(hash, view.record);
        memcpy(after, key.id, ID_SIZE);
        err = live_next_record(txn, community->number, kind, after, &key);
    }
}

static void print_of_hub(char hex[2 * HASH_SIZE + 1])
{
    struct community community;
    struct hash hash;
    uint8_t print[HASH_SIZE];
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(world.hub));
    cr_assert_eq(community_get_number(txn, 1, &community), OK);
    hash_begin(&hash, "frames");
    put_kind(txn, &community, KIND_NEED, &hash);
    put_kind(txn, &community, KIND_VOICE, &hash);
    put_kind(txn, &community, KIND_SAME_AS, &hash);
    put_kind(txn, &community, KIND_REQUEST, &hash);
    hash_end(&hash, print);
    text_hex(BYTES(print), hex);
}

// --- recording ---

static FILE *record;

static void put_hex(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(record, "%02x", p[i]);
}

static void turn(size_t device, struct folkmoot_session *session)
{
    struct folkmoot_request request;
    while (folkmoot_session_next(session, &request) == FOLKMOOT_SEND) {
        struct hub_answer answer = {.status = 0};
        fprintf(record, "ask %zu %d %s ", device, request.token != NULL, request.path);
        put_hex(request.body, request.body_n);
        fputc('\n', record);
        hub_double_serve(world.hub, &request, &answer);
        folkmoot_session_answer(session, answer.status, hub_double_tls_key(world.hub));
        folkmoot_session_receive(session, answer.body.p, answer.body.n);
        folkmoot_session_finish(session, true);
        buf_done(&answer.body);
    }
    cr_assert_eq(folkmoot_session_error(session)->code, FOLKMOOT_OK);
    folkmoot_session_done(&session);
}

static void record_join(size_t device, enum role role)
{
    char link[LINK_MAX];
    struct link parsed;
    struct folkmoot_session *session;
    hub_double_invite(world.hub, role, link);
    cr_assert_eq(link_parse(link, &parsed, NULL), OK);
    fprintf(record, "invite %d ", (int)role);
    put_hex(parsed.code, sizeof parsed.code);
    fputc('\n', record);
    cr_assert_eq(folkmoot_join(world.phones[device].fm, link, &session, NULL), FOLKMOOT_OK);
    turn(device, session);
}

static void record_sync(size_t device)
{
    struct folkmoot_session *session;
    cr_assert_eq(folkmoot_sync(world.phones[device].fm, &session, NULL), FOLKMOOT_OK);
    turn(device, session);
}

static void record_story(void)
{
    uint8_t need[16];
    uint8_t other[16];
    uint8_t contact[16];
    uint8_t person[16] = {7};
    struct folkmoot_put contact_puts[] = {{"name", "Ann"}, {"telephone", "123"}};
    struct folkmoot *ann = world.phones[0].fm;
    struct folkmoot *ben = world.phones[1].fm;
    record_join(0, ROLE_COORDINATOR);
    record_join(1, ROLE_VOLUNTEER);
    phone_add_need(&world.phones[0], "a bench at the market", need);
    phone_add_need(&world.phones[0], "a seat at the market", other);
    record_sync(0);
    record_sync(1);
    cr_assert_eq(folkmoot_voice(ben, "need", need, person, "for", "my knees", "en", 0, NULL), 0);
    cr_assert_eq(folkmoot_add(ben, "contact", contact_puts, 2, 0, contact, NULL), 0);
    cr_assert_eq(phone_put(&world.phones[0], "need", need, "title", "a bench by the church"), 0);
    cr_assert_eq(phone_put(&world.phones[1], "need", need, "title", "two benches"), 0);
    record_sync(1);
    record_sync(0);
    cr_assert_eq(folkmoot_same(ann, "need", need, other, true, 0, NULL), 0);
    cr_assert_eq(phone_put(&world.phones[0], "need", need, "title", "benches"), 0);
    record_sync(0);
    cr_assert_eq(folkmoot_erase(ben, "contact", contact, true, NULL, NULL), 0);
    record_sync(1);
    record_sync(0);
}

// --- replaying ---

static char tokens[2][TOKEN_TEXT];

static void keep_token(size_t device, const struct hub_answer *answer)
{
    struct admission admission = {.role = 0};
    struct arena arena ARENA_CLEANUP;
    struct buf text BUF_CLEANUP = {0};
    arena_init(&arena, 1 << 16);
    cr_assert_eq(
        message_decode(&enrol_response_message, buf_bytes(&answer->body), &arena, &admission, NULL),
        OK);
    text_base64url(&text, admission.token);
    buf_put_u8(&text, 0);
    snprintf(tokens[device], TOKEN_TEXT, "%s", (const char *)text.p);
}

static void ask(size_t device, bool with_token, const char *path, const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *body = malloc(n + 1);
    struct hub_answer answer = {.status = 0};
    cr_assert_eq(text_unhex(bytes_of(hex, 2 * n), body, n), OK);
    struct folkmoot_request request = {
        .path = path, .token = with_token ? tokens[device] : NULL, .body = body, .body_n = n};
    hub_double_serve(world.hub, &request, &answer);
    cr_assert_eq(answer.status, 200, "%s: %.*s", path, (int)answer.body.n,
                 (const char *)answer.body.p);
    if (strstr(path, "EnrolService/"))
        keep_token(device, &answer);
    buf_done(&answer.body);
    free(body);
}

struct invitation_by_code {
    enum role role;
    uint8_t code[CODE_SIZE];
};

static enum err invite(struct hub_decider *decider, void *arg)
{
    struct invitation_by_code *by = arg;
    struct hub_invitation invitation = {by->role, bytes_of_text("old"), decider->now + 1000000, 1};
    return hub_invite(decider->txn, decider->community, &invitation, by->code, decider->fault);
}

static unsigned long number_of(char **save)
{
    return strtoul(strtok_r(NULL, " \n", save), NULL, 10);
}

static void replay_line(char *line)
{
    char *save;
    const char *what = strtok_r(line, " \n", &save);
    if (strcmp(what, "invite") == 0) {
        struct invitation_by_code by = {(enum role)number_of(&save), {0}};
        const char *hex = strtok_r(NULL, " \n", &save);
        cr_assert_eq(text_unhex(bytes_of_text(hex), by.code, CODE_SIZE), OK);
        cr_assert_eq(hub_double_decide(world.hub, invite, &by), OK);
    } else if (strcmp(what, "ask") == 0) {
        size_t device = number_of(&save);
        bool with_token = number_of(&save) != 0;
        const char *path = strtok_r(NULL, " \n", &save);
        const char *hex = strtok_r(NULL, " \n", &save);
        ask(device, with_token, path, hex ? hex : "");
    } else {
        char print[2 * HASH_SIZE + 1];
        print_of_hub(print);
        cr_expect_str_eq(print, strtok_r(NULL, " \n", &save), "other records than then");
    }
}

static void replay(const char *path)
{
    static char line[LINE_MAX_BYTES];
    size_t lines = 0;
    FILE *file = fopen(path, "re");
    cr_assert(file, "%s", path);
    for (; fgets(line, sizeof line, file); lines++)
        replay_line(line);
    fclose(file);
    cr_expect_gt(lines, 10);
}

Test(frames, of_0_1_0_are_understood)
{
    const char *path = getenv("FOLKMOOT_RECORD");
    if (path) {
        char print[2 * HASH_SIZE + 1];
        record = fopen(path, "we");
        cr_assert(record);
        record_story();
        print_of_hub(print);
        fprintf(record, "records %s\n", print);
        fclose(record);
    } else {
        replay(FRAMES "/0.1.0.txt");
    }
    expect_no_leaks();
}
