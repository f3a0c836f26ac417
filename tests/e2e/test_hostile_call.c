// Calls that are wrong above HTTP/2: each gets the error that docs/protocol.md promises, with a
// sentence, leaves no trace, and the next good device is served.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/stage.h"

enum { NEED_TITLE = 8, BODY_OVER = (1 << 20) + 1 };

static const char info[] = "/folkmoot.v1.InfoService/Info";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";
static const char enrol[] = "/folkmoot.v1.EnrolService/Enrol";
static const char me[] = "/folkmoot.v1.RecordService/Me";
static const char other_token[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const struct bytes nothing = {NULL, 0};

// A call and what it must get.
struct attack {
    const char *what;
    struct post post;
    long status;
    const char *code;
};

static void run_attack(struct stage *stage, const struct attack *attack)
{
    struct post_answer answer;
    int64_t begun = check_now_ms();
    post_send(stage->hub.port, &attack->post, &answer);
    CHECK(check_now_ms() - begun < 20000, "\"%s\" took %lld ms", attack->what,
          (long long)(check_now_ms() - begun));
    CHECK(answer.status == attack->status, "\"%s\": status %ld, not %ld (%s: %s)", attack->what,
          answer.status, attack->status, answer.code, answer.message);
    CHECK(strcmp(answer.code, attack->code) == 0, "\"%s\": code %s, not %s (%s)", attack->what,
          answer.code, attack->code, answer.message);
    CHECK(answer.message[0], "\"%s\": an error without a sentence", attack->what);
    post_done(&answer);
    stage_check_unharmed(stage, attack->what);
}

#define RUN_ALL(stage, attacks)                                                                    \
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)                                  \
    run_attack(stage, &attacks[i])

// --- heads ---

static void a_wrong_head_gets_its_error(void)
{
    static const char *const gzip[] = {"content-encoding: gzip", NULL};
    static const char *const grpc_gzip[] = {"grpc-encoding: gzip", "te: trailers", NULL};
    static const char *const version_nine[] = {"connect-protocol-version: 9", NULL};
    static const char *const bad_timeout[] = {"connect-timeout-ms: soon", NULL};
    static const char *const bad_grpc_timeout[] = {"grpc-timeout: 5x", "te: trailers", NULL};
    static const char grpc[] = "application/grpc";
    struct stage stage;
    stage_open(&stage);
    const char *token = stage.peer.token;
    const struct attack attacks[] = {
        {"an unknown method", {.path = "/folkmoot.v1.SyncService/Steal"}, 404, "not_found"},
        {"no method", {.path = "/"}, 404, "not_found"},
        {"an unknown method by gRPC",
         {.path = "/folkmoot.v1.SyncService/Steal", .type = grpc},
         200,
         "12"},
        {"JSON", {.path = info, .type = "application/json"}, 415, "unimplemented"},
        {"no content-type", {.path = info, .type = ""}, 415, "unimplemented"},
        {"gRPC with JSON", {.path = info, .type = "application/grpc+json"}, 200, "12"},
        {"no token", {.path = sync_path}, 401, "unauthenticated"},
        {"no token by gRPC", {.path = sync_path, .type = grpc}, 200, "16"},
        {"a malformed token", {.path = sync_path, .token = "short"}, 401, "unauthenticated"},
        {"a wrong token", {.path = sync_path, .token = other_token}, 401, "unauthenticated"},
        {"a wrong token for Me", {.path = me, .token = other_token}, 401, "unauthenticated"},
        {"GET of Sync",
         {.path = "/folkmoot.v1.SyncService/Sync?connect=v1&encoding=proto&message=",
          .method = "GET",
          .token = token},
         405,
         "unimplemented"},
        {"PUT", {.path = info, .method = "PUT"}, 405, "unimplemented"},
        {"a packed request", {.path = info, .headers = gzip}, 501, "unimplemented"},
        {"a packed request by gRPC", {.path = info, .type = grpc, .headers = grpc_gzip}, 200, "12"},
        {"another version of Connect",
         {.path = info, .headers = version_nine},
         400,
         "invalid_argument"},
        {"a timeout in words", {.path = info, .headers = bad_timeout}, 400, "invalid_argument"},
        {"a gRPC timeout without a unit",
         {.path = info, .type = grpc, .headers = bad_grpc_timeout},
         200,
         "3"},
    };
    RUN_ALL(&stage, attacks);
    stage_close(&stage);
}

static void http_1_1_is_not_served(void)
{
    struct stage stage;
    struct post_answer answer;
    stage_open(&stage);
    post_send(stage.hub.port, &(struct post){.path = info, .version = CURL_HTTP_VERSION_1_1},
              &answer);
    CHECK(answer.curl != CURLE_OK || answer.status == 505, "status %ld", answer.status);
    post_done(&answer);
    stage_check_unharmed(&stage, "HTTP/1.1");
    stage_close(&stage);
}

static void a_head_that_is_too_long_gets_its_error(void)
{
    enum { VALUE = 30000 };
    struct stage stage;
    char *line = calloc(1, VALUE + 16);
    CHECK(line, "out of memory");
    (void)snprintf(line, 16, "x-long: ");
    memset(line + strlen(line), 'x', VALUE);
    const char *const headers[] = {line, NULL};
    stage_open(&stage);
    const struct attack attacks[] = {
        {"a long head", {.path = info, .headers = headers}, 431, "resource_exhausted"},
    };
    RUN_ALL(&stage, attacks);
    free(line);
    stage_close(&stage);
}

// --- bodies ---

static void a_wrong_body_gets_its_error(void)
{
    static const uint8_t cut_field[] = {0x2a, 0x7f, 0x01}, group[] = {0x0b, 0x0c};
    static const uint8_t long_varint[] = {8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    static const char bad[] = "invalid_argument", many[] = "resource_exhausted";
    struct stage stage;
    uint8_t *big = calloc(1, BODY_OVER);
    CHECK(big, "out of memory");
    stage_open(&stage);
    const char *token = stage.peer.token, *path = sync_path;
    const struct bytes over = bytes_of(big, BODY_OVER), most = bytes_of(big, BODY_OVER - 1);
    const struct attack attacks[] = {
        {"over 1 MiB", {.path = path, .token = token, .body = over}, 429, many},
        {"over 1 MiB and no length",
         {.path = path, .token = token, .body = over, .no_length = true},
         429,
         many},
        {"1 MiB for Info", {.path = info, .body = over}, 429, many},
        {"1 MiB of zeros", {.path = path, .token = token, .body = most}, 400, bad},
        {"a cut field", {.path = path, .token = token, .body = BYTES(cut_field)}, 400, bad},
        {"a group", {.path = path, .token = token, .body = BYTES(group)}, 400, bad},
        {"a long varint", {.path = path, .token = token, .body = BYTES(long_varint)}, 400, bad},
        {"no version", {.path = path, .token = token, .body = nothing}, 400, "failed_precondition"},
        {"an empty enrolment", {.path = enrol, .body = nothing}, 400, bad},
    };
    RUN_ALL(&stage, attacks);
    free(big);
    stage_close(&stage);
}

static void a_wrong_grpc_body_gets_its_error(void)
{
    static const char *const te[] = {"te: trailers", NULL};
    static const struct {
        const char *what;
        uint8_t body[8];
        size_t n;
        const char *code;
    } rows[] = {
        {"the flag of a packed message", {1, 0, 0, 0, 0}, 5, "12"},
        {"other flags", {6, 0, 0, 0, 0}, 5, "3"},
        {"a length that is too long", {0, 0, 0, 0, 9, 1, 2}, 7, "3"},
        {"a length that is too short", {0, 0, 0, 0, 1, 1, 2}, 7, "3"},
        {"a length of 4 GiB", {0, 255, 255, 255, 255}, 5, "3"},
        {"half a prefix", {0, 0}, 2, "3"},
        {"no message", {0}, 0, "3"},
    };
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run_attack(&stage, &(struct attack){.what = rows[i].what,
                                            .post = {.path = info,
                                                     .type = "application/grpc",
                                                     .headers = te,
                                                     .body = bytes_of(rows[i].body, rows[i].n)},
                                            .status = 200,
                                            .code = rows[i].code});
    stage_close(&stage);
}

static void a_body_that_breaks_off_is_not_taken(void)
{
    struct stage stage;
    struct buf request = {0}, fields = {0};
    struct post_answer answer;
    stage_open(&stage);
    wire_put_bytes(&fields, NEED_TITLE, bytes_of_text("half said"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage.peer, &change, 1, NULL, &request, NULL);
    for (size_t cut = 1; cut < request.n; cut += 13) {
        post_send(stage.hub.port,
                  &(struct post){.path = sync_path,
                                 .token = stage.peer.token,
                                 .body = buf_bytes(&request),
                                 .no_length = cut % 2,
                                 .cut_at = cut},
                  &answer);
        CHECK(answer.curl != CURLE_OK || answer.status >= 400, "a cut body got %ld", answer.status);
        post_done(&answer);
    }
    stage_check_unharmed(&stage, "bodies that break off");
    buf_done(&request);
    buf_done(&fields);
    stage_close(&stage);
}

// --- runs ---

static void refuse_run(struct stage *stage, const char *what, const struct peer_spoil *spoil,
                       const char *code)
{
    struct buf request = {0}, fields = {0};
    wire_put_bytes(&fields, NEED_TITLE, bytes_of_text("forged"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage->peer, &change, 1, spoil, &request, NULL);
    run_attack(stage, &(struct attack){.what = what,
                                       .post = {.path = sync_path,
                                                .token = stage->peer.token,
                                                .body = buf_bytes(&request)},
                                       .status = 400,
                                       .code = code});
    buf_done(&request);
    buf_done(&fields);
}

static void a_run_that_is_not_the_devices_is_refused(void)
{
    struct stage stage;
    stage_open(&stage);
    refuse_run(&stage, "no signature", &(struct peer_spoil){.no_signature = true},
               "invalid_argument");
    refuse_run(&stage, "a wrong signature", &(struct peer_spoil){.wrong_signature = true},
               "invalid_argument");
    refuse_run(&stage, "a version of later", &(struct peer_spoil){.version = 2},
               "failed_precondition");
    struct peer thief = stage.peer;
    thief.seed[0] ^= 1;
    struct peer honest = stage.peer;
    stage.peer = thief;
    refuse_run(&stage, "a stolen token with another key", NULL, "invalid_argument");
    stage.peer = honest;
    stage_close(&stage);
}

static void a_run_after_a_gap_is_not_taken(void)
{
    struct stage stage;
    struct buf request = {0}, fields = {0};
    struct post_answer answer;
    uint32_t standing = STANDING_OK;
    stage_open(&stage);
    wire_put_bytes(&fields, NEED_TITLE, bytes_of_text("out of turn"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage.peer, &change, 1, &(struct peer_spoil){.skip = 5}, &request, NULL);
    peer_send(&stage.peer, buf_bytes(&request), &answer);
    uint32_t seq = peer_receipt(&answer, &standing);
    CHECK(standing == STANDING_GAP && seq == 0, "standing %u, seq %u", standing, seq);
    post_done(&answer);
    stage_check_unharmed(&stage, "a run after a gap");
    buf_done(&request);
    buf_done(&fields);
    stage_close(&stage);
}

static void a_request_that_is_replayed_changes_nothing(void)
{
    struct stage stage;
    struct buf request = {0}, fields = {0};
    struct post_answer answer;
    struct peer after;
    stage_open(&stage);
    uint64_t log = hub_log_size(&stage.hub);
    wire_put_bytes(&fields, NEED_TITLE, bytes_of_text("said once"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage.peer, &change, 1, NULL, &request, &after);
    for (int i = 0; i < 5; i++) {
        uint32_t standing = STANDING_OK;
        peer_send(&stage.peer, buf_bytes(&request), &answer);
        CHECK(peer_receipt(&answer, &standing) == 1 && standing == STANDING_OK, "no receipt");
        post_done(&answer);
        CHECK(hub_log_size(&stage.hub) == log + 1, "the log grew twice");
        stage_remember(&stage);
    }
    stage_check_unharmed(&stage, "a replayed request");
    CHECK(device_count(&stage.good, "need") == 1, "not one need");
    buf_done(&request);
    buf_done(&fields);
    stage_close(&stage);
}

static void another_branch_of_a_chain_is_told_to_enrol_anew(void)
{
    struct stage stage;
    struct buf request = {0}, fields = {0}, others = {0};
    struct post_answer answer;
    uint32_t standing = STANDING_OK;
    stage_open(&stage);
    wire_put_bytes(&fields, NEED_TITLE, bytes_of_text("one branch"));
    wire_put_bytes(&others, NEED_TITLE, bytes_of_text("another branch"));
    struct peer copy = stage.peer;
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_push(&stage.peer, &change, 1);
    stage_remember(&stage);
    change = peer_create(KIND_NEED, buf_bytes(&others));
    peer_request(&copy, &change, 1, NULL, &request, NULL);
    peer_send(&copy, buf_bytes(&request), &answer);
    (void)peer_receipt(&answer, &standing);
    CHECK(standing == STANDING_FORK, "standing %u", standing);
    post_done(&answer);
    stage_remember(&stage); // a decision names the fork
    stage_check_unharmed(&stage, "another branch");
    buf_done(&request);
    buf_done(&fields);
    buf_done(&others);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(a_wrong_head_gets_its_error),
        CASE(http_1_1_is_not_served),
        CASE(a_head_that_is_too_long_gets_its_error),
        CASE(a_wrong_body_gets_its_error),
        CASE(a_wrong_grpc_body_gets_its_error),
        CASE(a_body_that_breaks_off_is_not_taken),
        CASE(a_run_that_is_not_the_devices_is_refused),
        CASE(a_run_after_a_gap_is_not_taken),
        CASE(a_request_that_is_replayed_changes_nothing),
        CASE(another_branch_of_a_chain_is_told_to_enrol_anew),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
