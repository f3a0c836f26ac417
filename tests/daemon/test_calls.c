// A hub as a child process, called as devices call it: what it answers, and what it refuses how.

#include <cjson/cJSON.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/sign.h"
#include "base/text.h"
#include "daemon/certificate.h"
#include "sync/digest.h"
#include "tests/daemon/caller.h"

static const char info_path[] = "/folkmoot.v1.InfoService/Info";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";
static const char me_path[] = "/folkmoot.v1.RecordService/Me";
static const char list_path[] = "/folkmoot.v1.RecordService/List";

static struct process hub;

static void expect_error(struct ask ask, long status, const char *code)
{
    struct answer answer = {0};
    ask.hub = &hub;
    caller_ask(&ask, &answer);
    EXPECT(answer.status == status);
    EXPECT(caller_is_error(&answer, code));
    buf_done(&answer.body);
}

static void expect_grpc(struct ask ask, const char *code)
{
    struct answer answer = {0};
    ask.hub = &hub;
    ask.type = ask.type ? ask.type : "application/grpc";
    caller_ask(&ask, &answer);
    EXPECT(answer.status == 200);
    EXPECT(strcmp(answer.grpc_status, code) == 0);
    buf_done(&answer.body);
}

static void info_proves_the_key_of_the_connection(void)
{
    static const uint8_t nonce[16] = "0123456789abcdef";
    struct arena arena;
    struct info_response info = {0};
    struct buf transcript = {0};
    char path[128];
    uint8_t key[HASH_SIZE];
    struct fault fault;
    arena_init(&arena, 1 << 20);
    EXPECT(caller_call(&hub, info_path, NULL, &info_request_message,
                       &(struct info_request){.nonce = BYTES(nonce)}, &info_response_message, &info,
                       &arena) == 200);
    (void)snprintf(path, sizeof path, "%s/state/tls.pem", hub.directory);
    EXPECT(certificate_key_hash(path, key, &fault) == OK);
    EXPECT(bytes_equal(info.tls_key, BYTES(key)));
    digest_tls_transcript(BYTES(nonce), key, &transcript);
    EXPECT(info.hub_key.n == KEY_SIZE && info.tls_signature.n == SIGN_SIZE);
    EXPECT(!sign_verify(info.hub_key.p, buf_bytes(&transcript), info.tls_signature.p));
    EXPECT(info.version_min == 1 && info.version_max == 1 && info.request_max == 1 << 20);
    EXPECT(info.challenge.n == 16 && info.challenge_expires == info.clock + 600000);
    buf_done(&transcript);
    arena_done(&arena);
}

static void info_without_tls_names_no_key(void)
{
    struct answer answer = {0};
    struct arena arena;
    struct info_response info = {0};
    struct fault fault;
    arena_init(&arena, 1 << 20);
    caller_ask(&(struct ask){.hub = &hub, .path = info_path, .plain = true}, &answer);
    EXPECT(answer.status == 200);
    EXPECT(message_decode(&info_response_message, buf_bytes(&answer.body), &arena, &info, &fault) ==
           OK);
    EXPECT(info.hub_key.n == KEY_SIZE && info.tls_key.n == 0 && info.tls_signature.n == 0);
    arena_done(&arena);
    buf_done(&answer.body);
}

static void wrong_calls_are_refused_by_their_heads(void)
{
    expect_error((struct ask){.path = "/folkmoot.v1.InfoService/info"}, 404, "not_found");
    expect_error((struct ask){.path = "/"}, 404, "not_found");
    expect_error((struct ask){.path = info_path, .method = "DELETE"}, 405, "unimplemented");
    expect_error((struct ask){.path = "/folkmoot.v1.InfoService/Info?encoding=proto&message=",
                              .method = "GET"},
                 405, "unimplemented");
    expect_error((struct ask){.path = info_path, .type = "application/json"}, 415, "unimplemented");
    expect_error((struct ask){.path = info_path, .header = "content-encoding: gzip"}, 501,
                 "unimplemented");
    expect_error((struct ask){.path = info_path, .header = "connect-protocol-version: 2"}, 400,
                 "invalid_argument");
    expect_error((struct ask){.path = info_path, .header = "connect-timeout-ms: soon"}, 400,
                 "invalid_argument");
    expect_grpc((struct ask){.path = "/folkmoot.v1.InfoService/Nothing"}, "12");
    expect_grpc((struct ask){.path = info_path, .type = "application/grpc+json"}, "12");
    expect_grpc((struct ask){.path = info_path, .header = "grpc-encoding: gzip"}, "12");
}

static void callers_without_a_token_are_refused(void)
{
    const char *unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    expect_error((struct ask){.path = sync_path}, 401, "unauthenticated");
    expect_error((struct ask){.path = sync_path, .token = "AAAA"}, 401, "unauthenticated");
    expect_error((struct ask){.path = sync_path, .token = unknown}, 401, "unauthenticated");
    expect_error((struct ask){.path = me_path, .header = "authorization: Basic QQ=="}, 401,
                 "unauthenticated");
    expect_grpc((struct ask){.path = list_path}, "16");
}

static void bodies_over_their_limit_are_refused(const char *token)
{
    struct buf big = {0};
    uint8_t *room = buf_room(&big, 3 << 20);
    EXPECT(room);
    memset(room, 0, 3 << 20);
    struct bytes much = bytes_of(room, 3 << 20), just_over = bytes_of(room, (1 << 20) + 1);
    expect_error((struct ask){.path = info_path, .body = much}, 429, "resource_exhausted");
    expect_error((struct ask){.path = info_path, .body = much, .chunked = true}, 429,
                 "resource_exhausted");
    expect_error((struct ask){.path = sync_path, .body = much}, 401, "unauthenticated");
    expect_error((struct ask){.path = sync_path, .token = token, .body = just_over}, 429,
                 "resource_exhausted");
    expect_error(
        (struct ask){.path = sync_path, .token = token, .body = just_over, .chunked = true}, 429,
        "resource_exhausted");
    // As long as allowed, and nonsense.
    expect_error((struct ask){.path = sync_path, .token = token, .body = bytes_of(room, 1 << 20)},
                 400, "invalid_argument");
    buf_done(&big);
}

static void malformed_messages_are_refused(const char *token)
{
    expect_error((struct ask){.path = info_path, .body = bytes_of("\x0a\x7f", 2)}, 400,
                 "invalid_argument");
    expect_error((struct ask){.path = info_path, .body = bytes_of("\xff", 1)}, 400,
                 "invalid_argument");
    expect_grpc((struct ask){.path = info_path, .body = bytes_of("\0\0\0\0", 4)}, "3");
    expect_grpc((struct ask){.path = info_path, .body = bytes_of("\0\0\0\0\1", 5)}, "3");
    expect_grpc((struct ask){.path = info_path, .body = bytes_of("\1\0\0\0\0", 5)}, "12");
    expect_grpc((struct ask){.path = info_path, .body = bytes_of("\0\0\0\0\0", 5)}, "0");
    // Version 7 of the protocol.
    expect_error((struct ask){.path = sync_path, .token = token, .body = bytes_of("\x08\x07", 2)},
                 400, "failed_precondition");
}

static void each_protocol_can_ask_who_it_is(const char *token, const struct joining *joining)
{
    struct answer connect = {0}, get = {0}, grpc = {0};
    caller_ask(&(struct ask){.hub = &hub, .path = me_path, .token = token}, &connect);
    EXPECT(connect.status == 200 && strcmp(connect.content_type, "application/proto") == 0);
    caller_ask(&(struct ask){.hub = &hub,
                             .path = "/folkmoot.v1.RecordService/"
                                     "Me?message=&base64=1&encoding=proto&connect=v1&more=1",
                             .method = "GET",
                             .token = token},
               &get);
    EXPECT(get.status == 200 && bytes_equal(buf_bytes(&get.body), buf_bytes(&connect.body)));
    caller_ask(&(struct ask){.hub = &hub,
                             .path = me_path,
                             .token = token,
                             .type = "application/grpc+proto",
                             .body = bytes_of("\0\0\0\0\0", 5)},
               &grpc);
    EXPECT(grpc.status == 200 && strcmp(grpc.grpc_status, "0") == 0);
    EXPECT(grpc.body.n == connect.body.n + 5 && be32_get(grpc.body.p + 1) == connect.body.n);
    struct arena arena;
    struct me_response me = {0};
    struct fault fault;
    arena_init(&arena, 1 << 20);
    EXPECT(message_decode(&me_response_message, buf_bytes(&connect.body), &arena, &me, &fault) ==
           OK);
    EXPECT(bytes_equal(me.community, BYTES(joining->community)) && me.role == ROLE_VOLUNTEER);
    arena_done(&arena);
    buf_done(&connect.body);
    buf_done(&get.body);
    buf_done(&grpc.body);
}

static long sync_once(const char *token, struct sync_response *response, struct arena *arena)
{
    return caller_call(&hub, sync_path, token, &sync_request_message,
                       &(struct sync_request){.version = 1, .packings = PACKINGS_KNOWN},
                       &sync_response_message, response, arena);
}

static void a_sync_gives_what_the_log_holds(const char *token)
{
    struct arena arena;
    struct sync_response response = {0};
    arena_init(&arena, 4 << 20);
    EXPECT(sync_once(token, &response, &arena) == 200);
    // The community's founding and two enrolments.
    EXPECT(response.head && response.head->size >= 2 && response.pieces.n > 0);
    EXPECT(response.clock > 1600000000000 && !response.cursor_lost && !response.more);
    arena_done(&arena);
}

static void a_login_voids_the_token_before(const struct joining *joining, const uint8_t seed[32],
                                           char token[64])
{
    char before[64];
    memcpy(before, token, sizeof before);
    EXPECT(caller_enrol(&hub, joining, seed, true, token) == 200);
    EXPECT(strcmp(before, token) != 0);
    expect_error((struct ask){.path = me_path, .token = before}, 401, "unauthenticated");
    struct answer answer = {0};
    caller_ask(&(struct ask){.hub = &hub, .path = me_path, .token = token}, &answer);
    EXPECT(answer.status == 200);
    buf_done(&answer.body);
}

static void an_invitation_is_for_one_device(const struct joining *joining, const uint8_t seed[32])
{
    char token[64];
    uint8_t other[32] = {9};
    EXPECT(caller_enrol(&hub, joining, other, false, token) == 403);
    struct joining guessed = *joining;
    guessed.code[0] ^= 1;
    EXPECT(caller_enrol(&hub, &guessed, other, false, token) == 403);
    (void)seed;
}

static void another_protocol_is_told_so(void)
{
    struct answer answer = {0};
    caller_ask(
        &(struct ask){.hub = &hub, .path = "/", .method = "GET", .plain = true, .http1 = true},
        &answer);
    EXPECT(answer.status == 505);
    caller_ask(&(struct ask){.hub = &hub, .path = "/", .method = "GET", .http1 = true}, &answer);
    EXPECT(answer.status == 0);
    buf_done(&answer.body);
}

static void a_bad_certificate_is_kept_out(void)
{
    char path[128], kept[160];
    struct answer answer = {0};
    (void)snprintf(path, sizeof path, "%s/state/tls.pem", hub.directory);
    (void)snprintf(kept, sizeof kept, "%s.kept", path);
    EXPECT(rename(path, kept) == 0);
    process_signal(&hub, SIGHUP);
    for (int i = 0; i < 200 && !process_has_said(&hub, "the old certificate stays in use"); i++)
        process_sleep_ms(20);
    EXPECT(process_has_said(&hub, "the old certificate stays in use"));
    EXPECT(rename(kept, path) == 0);
    caller_ask(&(struct ask){.hub = &hub, .path = info_path}, &answer);
    EXPECT(answer.status == 200);
    process_signal(&hub, SIGHUP);
    for (int i = 0; i < 200 && !process_has_said(&hub, "were read anew"); i++)
        process_sleep_ms(20);
    EXPECT(process_has_said(&hub, "were read anew"));
    caller_ask(&(struct ask){.hub = &hub, .path = info_path}, &answer);
    EXPECT(answer.status == 200);
    buf_done(&answer.body);
}

// --- many at once: what the writer and the loop share ---

struct crowd {
    pthread_t thread;
    struct joining joining;
    uint8_t seed[32];
};

static void *enrol_and_sync(void *arg)
{
    struct crowd *one = arg;
    char token[64];
    EXPECT(caller_enrol(&hub, &one->joining, one->seed, false, token) == 200);
    for (int i = 0; i < 10; i++) {
        struct arena arena;
        struct sync_response response = {0};
        arena_init(&arena, 4 << 20);
        EXPECT(sync_once(token, &response, &arena) == 200);
        arena_done(&arena);
    }
    return NULL;
}

static void many_enrol_and_sync_at_once(void)
{
    static struct crowd crowd[6];
    for (size_t i = 0; i < 6; i++) {
        caller_invite(&hub, "Riverside", &crowd[i].joining);
        crowd[i].seed[0] = (uint8_t)(100 + i);
    }
    for (size_t i = 0; i < 6; i++)
        EXPECT(pthread_create(&crowd[i].thread, NULL, enrol_and_sync, &crowd[i]) == 0);
    for (size_t i = 0; i < 6; i++)
        EXPECT(pthread_join(crowd[i].thread, NULL) == 0);
    char out[8192];
    EXPECT(process_ctl(&hub, out, sizeof out, (const char *[]){"devices", "Riverside", NULL}) == 0);
    cJSON *json = cJSON_Parse(out);
    // The hub itself, the first device, and these.
    EXPECT(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "devices")) == 8);
    cJSON_Delete(json);
}

// How many devices have synced, as folkmootctl shows it.
static int count_heard(void)
{
    char out[8192];
    int heard = 0;
    EXPECT(process_ctl(&hub, out, sizeof out, (const char *[]){"devices", "Riverside", NULL}) == 0);
    cJSON *json = cJSON_Parse(out);
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "devices"))
    {
        const cJSON *last = cJSON_GetObjectItemCaseSensitive(item, "last_sync");
        const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(item, "bytes_out");
        heard += cJSON_IsNumber(last) && last->valuedouble > 1.6e12 && bytes->valuedouble > 100;
    }
    cJSON_Delete(json);
    return heard;
}

// All but the hub itself, both while that waits and when it is written.
static void contacts_are_shown_at_once_and_noted_with_the_next_commit(void)
{
    struct joining joining;
    EXPECT(count_heard() == 7);
    caller_invite(&hub, "Riverside", &joining);
    EXPECT(count_heard() == 7);
}

static void guessing_is_slowed_down(const struct joining *joining)
{
    struct joining guessed = *joining;
    uint8_t seed[32] = {77};
    char token[64];
    long status = 403;
    int tries = 0;
    guessed.code[0] ^= 0x80;
    for (; status == 403 && tries < 40; tries++)
        status = caller_enrol(&hub, &guessed, seed, false, token);
    EXPECT(status == 429 && tries >= 20);
}

int main(void)
{
    char out[4096], token[64];
    struct joining joining;
    const uint8_t seed[32] = {1};
    process_start(&hub, "[limits]\nenrol_attempts_per_minute_per_address = 24\n");
    EXPECT(process_ctl(&hub, out, sizeof out,
                       (const char *[]){"community", "create", "Riverside", NULL}) == 0);
    EXPECT(process_ctl(&hub, out, sizeof out, (const char *[]){"invite", "nowhere", NULL}) == 1);
    EXPECT(process_ctl(&hub, out, sizeof out, (const char *[]){"dance", NULL}) == 2);
    info_proves_the_key_of_the_connection();
    info_without_tls_names_no_key();
    wrong_calls_are_refused_by_their_heads();
    callers_without_a_token_are_refused();
    caller_invite(&hub, "Riverside", &joining);
    EXPECT(caller_enrol(&hub, &joining, seed, false, token) == 200);
    an_invitation_is_for_one_device(&joining, seed);
    bodies_over_their_limit_are_refused(token);
    malformed_messages_are_refused(token);
    each_protocol_can_ask_who_it_is(token, &joining);
    a_sync_gives_what_the_log_holds(token);
    a_login_voids_the_token_before(&joining, seed, token);
    another_protocol_is_told_so();
    a_bad_certificate_is_kept_out();
    many_enrol_and_sync_at_once();
    contacts_are_shown_at_once_and_noted_with_the_next_commit();
    guessing_is_slowed_down(&joining);
    process_signal(&hub, SIGTERM);
    EXPECT(process_end(&hub) == 0);
    return 0;
}
