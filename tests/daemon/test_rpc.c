#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/rpc.h"
#include "tests/leaks.h"

// Reads a head of these pairs, NULL at the end.
static bool read_head(const char *const *pairs, struct headers *headers, struct rpc_head *head,
                      struct rpc_error *error)
{
    for (size_t i = 0; pairs[i]; i += 2)
        headers_put_text(headers, pairs[i], pairs[i + 1]);
    return rpc_read_head(headers, head, error);
}

#define HEAD(...) ((const char *const[]){__VA_ARGS__, NULL})
#define POST(...) HEAD(":method", "POST", ":path", "/a.B/C", __VA_ARGS__)

static void expect_refused(const char *const *pairs, enum rpc_protocol protocol, enum rpc_code code,
                           unsigned status)
{
    struct headers headers = {.size = 0};
    struct rpc_head head;
    struct rpc_error error = {.code = RPC_OK};
    cr_assert_not(read_head(pairs, &headers, &head, &error), "%s: %s was taken", pairs[4],
                  pairs[5]);
    cr_assert_eq(head.protocol, protocol);
    cr_assert_eq(error.code, code, "%s: %s gives %s", pairs[4], pairs[5],
                 rpc_code_name(error.code));
    cr_assert_eq(error.status, status);
    cr_assert(error.text && error.text[0]);
    headers_done(&headers);
}

static struct rpc_head taken(const char *const *pairs, struct headers *headers)
{
    struct rpc_head head;
    struct rpc_error error = {.text = ""};
    cr_assert(read_head(pairs, headers, &head, &error), "refused: %s", error.text);
    return head;
}

Test(rpc, tells_the_protocols_apart_by_content_type)
{
    struct headers a = {.size = 0}, b = {.size = 0}, c = {.size = 0};
    struct rpc_head head = taken(POST("content-type", "application/proto"), &a);
    cr_assert_eq(head.protocol, RPC_CONNECT);
    cr_assert(bytes_equal(head.path, bytes_of_text("/a.B/C")));
    cr_assert_eq(head.timeout_ms, -1);
    cr_assert_eq(taken(POST("content-type", "application/grpc"), &b).protocol, RPC_GRPC);
    cr_assert_eq(taken(POST("content-type", "application/grpc+proto"), &c).protocol, RPC_GRPC);
    headers_done(&a);
    headers_done(&b);
    headers_done(&c);
    expect_no_leaks();
}

Test(rpc, refuses_codecs_and_compressions_that_it_does_not_know)
{
    expect_refused(POST("content-type", "application/json"), RPC_CONNECT, RPC_UNIMPLEMENTED, 415);
    expect_refused(POST("content-type", "application/grpc-web"), RPC_CONNECT, RPC_UNIMPLEMENTED,
                   415);
    expect_refused(POST("accept", "*/*"), RPC_CONNECT, RPC_UNIMPLEMENTED, 415);
    expect_refused(POST("content-type", "application/grpc+json"), RPC_GRPC, RPC_UNIMPLEMENTED, 0);
    expect_refused(POST("content-type", "application/grpc", "grpc-encoding", "gzip"), RPC_GRPC,
                   RPC_UNIMPLEMENTED, 0);
    expect_refused(POST("content-type", "application/proto", "content-encoding", "br"), RPC_CONNECT,
                   RPC_UNIMPLEMENTED, 0);
    expect_no_leaks();
}

Test(rpc, refuses_other_methods_and_versions)
{
    expect_refused(HEAD(":method", "PUT", ":path", "/", "content-type", "application/proto"),
                   RPC_CONNECT, RPC_UNIMPLEMENTED, 405);
    expect_refused(POST("content-type", "application/proto", "connect-protocol-version", "2"),
                   RPC_CONNECT, RPC_INVALID_ARGUMENT, 0);
}

static int64_t timeout_of(const char *type, const char *name, const char *value)
{
    struct headers headers = {.size = 0};
    int64_t ms = taken(POST("content-type", type, name, value), &headers).timeout_ms;
    headers_done(&headers);
    return ms;
}

Test(rpc, reads_timeouts_of_both_protocols)
{
    static const struct {
        char value[12];
        int64_t ms;
    } rows[] = {{"1H", 3600000}, {"2M", 120000}, {"3S", 3000}, {"4m", 4},
                {"5000u", 5},    {"1u", 1},      {"0n", 0},    {"99999999H", RPC_TIMEOUT_MS_MAX},
                {"1000001n", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(timeout_of("application/grpc", "grpc-timeout", rows[i].value), rows[i].ms,
                     "row %zu", i);
    cr_assert_eq(timeout_of("application/proto", "connect-timeout-ms", "1500"), 1500);
    cr_assert_eq(timeout_of("application/proto", "connect-timeout-ms", "9999999999"),
                 RPC_TIMEOUT_MS_MAX);
    static const char *const bad_grpc[] = {"", "5", "S", "123456789S", "-1S", "1 S", "1x", "1SS"};
    for (size_t i = 0; i < sizeof bad_grpc / sizeof *bad_grpc; i++)
        expect_refused(POST("content-type", "application/grpc", "grpc-timeout", bad_grpc[i]),
                       RPC_GRPC, RPC_INVALID_ARGUMENT, 0);
    static const char *const bad_connect[] = {"", "12345678901", "-1", "1.5", "1s"};
    for (size_t i = 0; i < sizeof bad_connect / sizeof *bad_connect; i++)
        expect_refused(
            POST("content-type", "application/proto", "connect-timeout-ms", bad_connect[i]),
            RPC_CONNECT, RPC_INVALID_ARGUMENT, 0);
}

Test(rpc, reads_a_token_and_its_scheme_in_either_case)
{
    static const struct {
        const char *value;
        enum rpc_token token;
    } rows[] = {{"Bearer AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI", RPC_TOKEN_GIVEN},
                {"bEARER AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI", RPC_TOKEN_GIVEN},
                {"Bearer AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=", RPC_TOKEN_MALFORMED},
                {"Bearer  AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI", RPC_TOKEN_MALFORMED},
                {"Bearer", RPC_TOKEN_MALFORMED},
                {"", RPC_TOKEN_MALFORMED},
                {"Basic QQ==", RPC_TOKEN_MALFORMED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct headers headers = {.size = 0};
        struct rpc_head head = taken(
            POST("content-type", "application/proto", "authorization", rows[i].value), &headers);
        cr_assert_eq(head.token, rows[i].token, "row %zu", i);
        if (head.token == RPC_TOKEN_GIVEN)
            cr_assert(head.token_bytes[0] == 1 && head.token_bytes[31] == 2);
        headers_done(&headers);
    }
    struct headers none = {.size = 0};
    cr_assert_eq(taken(POST("content-type", "application/proto"), &none).token, RPC_TOKEN_NONE);
    headers_done(&none);
}

// The message of a GET, or NULL and the error.
static bool get_message(const char *path, struct buf *decoded, struct bytes *message,
                        struct rpc_error *error)
{
    struct headers headers = {.size = 0};
    struct rpc_head head = taken(HEAD(":method", "GET", ":path", path), &headers);
    cr_assert_eq(head.protocol, RPC_CONNECT_GET);
    cr_assert(bytes_equal(head.path, bytes_of_text("/a")));
    bool ok = rpc_read_body(&head, bytes_of(NULL, 0), decoded, message, error);
    headers_done(&headers);
    return ok;
}

Test(rpc, notes_the_beginning_of_what_an_app_calls_itself)
{
    static const char *const said[][2] = {
        {"folkmoot/0.1.0", "folkmoot/0.1.0"},
        {"", ""},
        {"a\x1b[31m\xc3\xa9", "a?[31m??"},
        {"0123456789012345678901234567890123456789more",
         "0123456789012345678901234567890123456789"},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct headers headers = {.size = 0};
        struct rpc_head head =
            taken(POST("content-type", "application/proto", "user-agent", said[i][0]), &headers);
        cr_expect_str_eq(head.app, said[i][1]);
        headers_done(&headers);
    }
}

Test(rpc, reads_the_message_of_a_get)
{
    static const struct {
        const char *path;
        const char *message; // NULL: refused
    } rows[] = {{"/a?connect=v1&encoding=proto&base64=1&message=aGVsbG8", "hello"},
                {"/a?message=aGVsbG8%3D&base64=1&encoding=proto", "hello"},
                {"/a?encoding=proto&message=he%6Clo&unknown=1", "hello"},
                {"/a?encoding=proto&message=&base64=1", ""},
                {"/a?encoding=proto&message=", ""},
                {"/a?encoding=proto&message=aGVs*G8&base64=1", NULL},
                {"/a?encoding=proto&message=a&base64=1", NULL},
                {"/a?encoding=proto&message=%6", NULL},
                {"/a?encoding=proto&message=%zz", NULL},
                {"/a?encoding=proto", NULL},
                {"/a?encoding=json&message=", NULL},
                {"/a?encoding=proto&message=&compression=gzip", NULL},
                {"/a?connect=v2&encoding=proto&message=", NULL},
                {"/a?xmessage=1&encoding=proto", NULL},
                {"/a", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf decoded = {0};
        struct bytes message;
        struct rpc_error error = {.text = NULL};
        bool ok = get_message(rows[i].path, &decoded, &message, &error);
        cr_assert_eq(ok, rows[i].message != NULL, "row %zu", i);
        if (ok)
            cr_assert(bytes_equal(message, bytes_of_text(rows[i].message)), "row %zu", i);
        else
            cr_assert(error.text && error.code != RPC_OK, "row %zu", i);
        buf_done(&decoded);
    }
    expect_no_leaks();
}

Test(rpc, takes_exactly_one_uncompressed_grpc_message)
{
    const struct rpc_head head = {.protocol = RPC_GRPC};
    struct buf decoded = {0};
    struct bytes message;
    struct rpc_error error;
    cr_assert(rpc_read_body(&head, bytes_of("\0\0\0\0\2hi", 7), &decoded, &message, &error));
    cr_assert(bytes_equal(message, bytes_of_text("hi")));
    static const struct {
        const char *body;
        size_t n;
        enum rpc_code code;
    } bad[] = {{"", 0, RPC_INVALID_ARGUMENT},
               {"\0\0\0\0", 4, RPC_INVALID_ARGUMENT},
               {"\0\0\0\0\2h", 6, RPC_INVALID_ARGUMENT},
               {"\0\0\0\0\1hi", 7, RPC_INVALID_ARGUMENT},
               {"\2\0\0\0\0", 5, RPC_INVALID_ARGUMENT},
               {"\1\0\0\0\0", 5, RPC_UNIMPLEMENTED}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(
            rpc_read_body(&head, bytes_of(bad[i].body, bad[i].n), &decoded, &message, &error));
        cr_assert_eq(error.code, bad[i].code, "row %zu", i);
    }
}

Test(rpc, maps_every_error_of_the_core_to_the_documented_code)
{
    static const struct {
        enum err err;
        const char *name;
    } rows[] = {{ERR_MALFORMED, "invalid_argument"},
                {ERR_LIMIT, "resource_exhausted"},
                {ERR_VERSION, "failed_precondition"},
                {ERR_UNAUTHENTICATED, "unauthenticated"},
                {ERR_FORBIDDEN, "permission_denied"},
                {ERR_NOT_FOUND, "not_found"},
                {ERR_EXISTS, "already_exists"},
                {ERR_WRONG_STATE, "failed_precondition"},
                {ERR_CUT, "invalid_argument"},
                {ERR_QUOTA, "resource_exhausted"},
                {ERR_NOMEM, "unavailable"},
                {ERR_IO, "unavailable"},
                {ERR_FULL, "unavailable"},
                {ERR_DAMAGED, "internal"},
                {ERR_BUSY, "unavailable"}};
    cr_assert_eq(sizeof rows / sizeof *rows, ERR_BUSY, "an error is not in this table");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_str_eq(rpc_code_name(rpc_code_of(rows[i].err)), rows[i].name);
}

Test(rpc, maps_every_code_to_the_status_of_connect)
{
    static const unsigned statuses[] = {200, 499, 500, 400, 504, 404, 409, 403, 429,
                                        400, 409, 400, 501, 500, 503, 500, 401};
    cr_assert_eq(sizeof statuses / sizeof *statuses, RPC_CODE_COUNT);
    for (size_t i = 0; i < RPC_CODE_COUNT; i++)
        cr_assert_eq(rpc_http_status((enum rpc_code)i), statuses[i], "code %zu", i);
}

static void expect_field(const struct headers *headers, const char *name, const char *value)
{
    cr_assert(bytes_equal(headers_get(headers, name), bytes_of_text(value)), "%s is not %s", name,
              value);
}

Test(rpc, answers_in_the_form_of_each_protocol)
{
    struct http2_answer connect = {0}, grpc = {0};
    rpc_answer_begin(RPC_CONNECT, &connect);
    buf_put_text(&connect.body, "hi");
    rpc_answer_end(RPC_CONNECT, &connect);
    cr_assert(bytes_equal(buf_bytes(&connect.body), bytes_of_text("hi")));
    cr_assert_eq(connect.trailers.count, 0);
    expect_field(&connect.headers, "content-type", "application/proto");
    rpc_answer_begin(RPC_GRPC, &grpc);
    buf_put_text(&grpc.body, "hi");
    rpc_answer_end(RPC_GRPC, &grpc);
    cr_assert(bytes_equal(buf_bytes(&grpc.body), bytes_of("\0\0\0\0\2hi", 7)));
    expect_field(&grpc.trailers, "grpc-status", "0");
    http2_answer_done(&connect);
    http2_answer_done(&grpc);
    expect_no_leaks();
}

Test(rpc, tells_errors_in_the_form_of_each_protocol)
{
    const struct rpc_error error = {.code = RPC_NOT_FOUND, .text = "no \"well\" at 100 % \u00e9\n"};
    struct http2_answer connect = {0}, grpc = {0};
    rpc_answer_error(RPC_CONNECT_GET, &error, &connect);
    cr_assert_eq(connect.status, 404);
    cr_assert(
        bytes_equal(buf_bytes(&connect.body),
                    bytes_of_text("{\"code\":\"not_found\",\"message\":\"no \\\"well\\\" at 100 % "
                                  "\u00e9\\n\"}")));
    rpc_answer_error(RPC_GRPC, &error, &grpc);
    cr_assert_eq(grpc.status, 200);
    cr_assert_eq(grpc.body.n, 0);
    expect_field(&grpc.headers, "grpc-status", "5");
    expect_field(&grpc.headers, "grpc-message", "no \"well\" at 100 %25 %C3%A9%0A");
    http2_answer_done(&connect);
    http2_answer_done(&grpc);
    expect_no_leaks();
}

Test(rpc, head_over_its_cap_keeps_its_error)
{
    struct headers headers = {.size_max = 100};
    headers_put_text(&headers, "a", "b");
    headers_put_text(&headers, "c", "d");
    cr_assert_eq(headers.text.err, OK);
    headers_put_text(&headers, "e", "f"); // 34 bytes each by RFC 9113
    cr_assert_eq(headers.text.err, ERR_LIMIT);
    headers_done(&headers);
    expect_no_leaks();
}

static void answer_get(const char *known, struct http2_answer *answer)
{
    struct headers headers = {.size = 0};
    struct rpc_head head =
        taken(known ? HEAD(":method", "GET", ":path", "/a.B/C?x", "if-none-match", known)
                    : HEAD(":method", "GET", ":path", "/a.B/C?x"),
              &headers);
    *answer = (struct http2_answer){.status = 0};
    rpc_answer_begin(head.protocol, answer);
    buf_put_text(&answer->body, "the same words");
    rpc_answer_end(head.protocol, answer);
    rpc_answer_name(&head, answer);
    headers_done(&headers);
}

Test(rpc, what_a_client_has_already_is_not_sent_again)
{
    struct http2_answer answer;
    char tag[64], list[160];
    answer_get(NULL, &answer);
    struct bytes etag = headers_get(&answer.headers, "etag");
    cr_assert(answer.status == 200 && answer.body.n > 0 && etag.n == 24);
    (void)snprintf(tag, sizeof tag, "%.*s", (int)etag.n, (const char *)etag.p);
    http2_answer_done(&answer);
    (void)snprintf(list, sizeof list, "\"another\", W/%s", tag);
    const char *const known[] = {tag, list, "*"};
    for (size_t i = 0; i < 3; i++) {
        answer_get(known[i], &answer);
        cr_expect(answer.status == 304 && answer.body.n == 0, "%s", known[i]);
        cr_expect(bytes_equal(headers_get(&answer.headers, "etag"), bytes_of_text(tag)));
        http2_answer_done(&answer);
    }
    const char *const unknown[] = {"", "\"", "\"AAAAAAAAAAAAAAAAAAAAAA\"",
                                   "nothing \"in\" it, \"\"", "\"AAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        answer_get(unknown[i], &answer);
        cr_expect(answer.status == 200 && answer.body.n > 0, "%s", unknown[i]);
        http2_answer_done(&answer);
    }
    expect_no_leaks();
}

Test(rpc, an_answer_to_post_has_no_name)
{
    struct headers headers = {.size = 0};
    struct http2_answer answer = {.status = 0};
    struct rpc_head head =
        taken(POST("content-type", "application/proto", "if-none-match", "*"), &headers);
    rpc_answer_begin(head.protocol, &answer);
    buf_put_text(&answer.body, "words");
    rpc_answer_end(head.protocol, &answer);
    rpc_answer_name(&head, &answer);
    cr_expect(answer.status == 200 && answer.body.n == 5);
    cr_expect_null(headers_get(&answer.headers, "etag").p);
    http2_answer_done(&answer);
    headers_done(&headers);
    expect_no_leaks();
}

Test(rpc, a_stream_has_messages_behind_their_lengths_and_an_end)
{
    static const uint8_t asked[] = {0, 0, 0, 0, 3, 'a', 'b', 'c'};
    struct headers headers = {.size = 0}, trailers = {.size = 0};
    struct http2_answer answer = {.status = 0};
    struct rpc_error error = {.code = RPC_OK};
    struct bytes message;
    struct buf out = {0}, decoded = {0};
    struct rpc_head head = taken(POST("content-type", "application/connect+proto"), &headers);
    cr_assert_eq(head.protocol, RPC_CONNECT_STREAM);
    cr_assert(rpc_read_body(&head, BYTES(asked), &decoded, &message, &error));
    cr_expect(bytes_equal(message, bytes_of_text("abc")));
    cr_expect_not(rpc_read_body(&head, bytes_of(asked, 7), &decoded, &message, &error));
    size_t begin = rpc_stream_message(&out);
    buf_put_text(&out, "abc");
    rpc_stream_message_end(&out, begin);
    cr_expect(bytes_equal(buf_bytes(&out), BYTES(asked)));
    buf_reset(&out);
    rpc_stream_end(RPC_CONNECT_STREAM, RPC_OK, NULL, &out, &trailers);
    cr_expect(out.n == 7 && memcmp(out.p, "\2\0\0\0\2{}", 7) == 0 && trailers.count == 0);
    buf_reset(&out);
    rpc_stream_end(RPC_CONNECT_STREAM, RPC_UNAVAILABLE, "later", &out, &trailers);
    static const char said[] = "{\"error\":{\"code\":\"unavailable\",\"message\":\"later\"}}";
    cr_expect(out.p[0] == 2 && be32_get(out.p + 1) == sizeof said - 1);
    cr_expect(bytes_equal(bytes_of(out.p + 5, out.n - 5), bytes_of_text(said)));
    buf_reset(&out);
    rpc_stream_end(RPC_GRPC, RPC_UNAVAILABLE, "later", &out, &trailers);
    cr_expect(out.n == 0 &&
              bytes_equal(headers_get(&trailers, "grpc-status"), bytes_of_text("14")));
    rpc_answer_error(RPC_CONNECT_STREAM, &(struct rpc_error){.code = RPC_NOT_FOUND, .text = "no"},
                     &answer);
    cr_expect(answer.status == 200 && answer.body.n > 5 && answer.body.p[0] == 2);
    http2_answer_done(&answer);
    headers_done(&headers);
    headers_done(&trailers);
    buf_done(&out);
    expect_no_leaks();
}
