#include "daemon/rpc.h"

#include "base/text.h"

static const struct {
    const char *name;
    unsigned status;
} codes[] = {
    [RPC_OK] = {"ok", 200},
    [RPC_CANCELED] = {"canceled", 499},
    [RPC_UNKNOWN] = {"unknown", 500},
    [RPC_INVALID_ARGUMENT] = {"invalid_argument", 400},
    [RPC_DEADLINE_EXCEEDED] = {"deadline_exceeded", 504},
    [RPC_NOT_FOUND] = {"not_found", 404},
    [RPC_ALREADY_EXISTS] = {"already_exists", 409},
    [RPC_PERMISSION_DENIED] = {"permission_denied", 403},
    [RPC_RESOURCE_EXHAUSTED] = {"resource_exhausted", 429},
    [RPC_FAILED_PRECONDITION] = {"failed_precondition", 400},
    [RPC_ABORTED] = {"aborted", 409},
    [RPC_OUT_OF_RANGE] = {"out_of_range", 400},
    [RPC_UNIMPLEMENTED] = {"unimplemented", 501},
    [RPC_INTERNAL] = {"internal", 500},
    [RPC_UNAVAILABLE] = {"unavailable", 503},
    [RPC_DATA_LOSS] = {"data_loss", 500},
    [RPC_UNAUTHENTICATED] = {"unauthenticated", 401},
};

static const struct {
    enum rpc_code code;
    bool is_peer_fault;
} errors[] = {
    [OK] = {RPC_OK, false},
    [ERR_MALFORMED] = {RPC_INVALID_ARGUMENT, true},
    [ERR_LIMIT] = {RPC_RESOURCE_EXHAUSTED, true},
    [ERR_VERSION] = {RPC_FAILED_PRECONDITION, true},
    [ERR_UNAUTHENTICATED] = {RPC_UNAUTHENTICATED, true},
    [ERR_FORBIDDEN] = {RPC_PERMISSION_DENIED, true},
    [ERR_NOT_FOUND] = {RPC_NOT_FOUND, true},
    [ERR_EXISTS] = {RPC_ALREADY_EXISTS, true},
    [ERR_WRONG_STATE] = {RPC_FAILED_PRECONDITION, true},
    [ERR_CUT] = {RPC_INVALID_ARGUMENT, true},
    [ERR_NOMEM] = {RPC_UNAVAILABLE, false},
    [ERR_IO] = {RPC_UNAVAILABLE, false},
    [ERR_QUOTA] = {RPC_RESOURCE_EXHAUSTED, true},
    [ERR_FULL] = {RPC_UNAVAILABLE, false},
    [ERR_DAMAGED] = {RPC_INTERNAL, false},
    [ERR_BUSY] = {RPC_UNAVAILABLE, false},
};

enum rpc_code rpc_code_of(enum err err)
{
    return errors[err].code;
}

bool rpc_is_peer_fault(enum err err)
{
    return errors[err].is_peer_fault;
}

const char *rpc_code_name(enum rpc_code code)
{
    return codes[code].name;
}

unsigned rpc_http_status(enum rpc_code code)
{
    return codes[code].status;
}

// --- heads ---

static bool is_text(struct bytes bytes, const char *text)
{
    return bytes_equal(bytes, bytes_of_text(text));
}

static bool begins_with(struct bytes bytes, const char *text)
{
    size_t n = strlen(text);
    return bytes.n >= n && memcmp(bytes.p, text, n) == 0;
}

static bool fail(struct rpc_error *error, enum rpc_code code, unsigned status, const char *text)
{
    *error = (struct rpc_error){.code = code, .status = status, .text = text};
    return false;
}

static bool fail_with(struct rpc_error *error, const struct rpc_error *what)
{
    *error = *what;
    return false;
}

// Decimal digits, `digits_max` of them at most.
static bool read_number(struct bytes text, size_t digits_max, uint64_t *number)
{
    if (text.n == 0 || text.n > digits_max)
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        sum = sum * 10 + (uint64_t)(text.p[i] - '0');
    }
    *number = sum;
    return true;
}

static int64_t clamp_timeout(uint64_t ms)
{
    return ms > RPC_TIMEOUT_MS_MAX ? RPC_TIMEOUT_MS_MAX : (int64_t)ms;
}

static bool read_connect_timeout(struct bytes text, int64_t *ms)
{
    uint64_t number;
    if (!read_number(text, 10, &number))
        return false;
    *ms = clamp_timeout(number);
    return true;
}

// Digits and a unit: H M S m u n. What is shorter than a millisecond counts as one.
static bool read_grpc_timeout(struct bytes text, int64_t *ms)
{
    static const struct {
        char unit;
        uint64_t ms;
        uint64_t parts;
    } units[] = {{'H', 3600000, 1}, {'M', 60000, 1}, {'S', 1000, 1},
                 {'m', 1, 1},       {'u', 1, 1000},  {'n', 1, 1000000}};
    uint64_t number;
    if (text.n < 2 || !read_number(bytes_of(text.p, text.n - 1), 8, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text.p[text.n - 1] != units[i].unit)
            continue;
        *ms = clamp_timeout((number * units[i].ms + units[i].parts - 1) / units[i].parts);
        return true;
    }
    return false;
}

// "Bearer" in either case, and 32 bytes in base64url.
static void read_token(struct bytes value, struct rpc_head *head)
{
    if (!value.p)
        return;
    head->token = RPC_TOKEN_MALFORMED;
    static const char scheme[] = "bearer ";
    if (value.n < sizeof scheme - 1)
        return;
    for (size_t i = 0; i < sizeof scheme - 1; i++) {
        uint8_t c = value.p[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != scheme[i])
            return;
    }
    struct bytes text = bytes_of(value.p + sizeof scheme - 1, value.n - (sizeof scheme - 1));
    if (text_unbase64url(text, head->token_bytes, TOKEN_SIZE) == OK)
        head->token = RPC_TOKEN_GIVEN;
}

static bool is_encoded(struct bytes encoding)
{
    return encoding.n > 0 && !is_text(encoding, "identity");
}

static const char uncompressed_only[] =
    "compression of the transport is not offered: send it as it is (identity)";

static bool read_grpc_head(const struct headers *headers, struct bytes type, struct rpc_head *head,
                           struct rpc_error *error)
{
    head->protocol = RPC_GRPC;
    if (!is_text(type, "application/grpc") && !is_text(type, "application/grpc+proto"))
        return fail(error, RPC_UNIMPLEMENTED, 0, "of gRPC's codecs only proto is understood");
    struct bytes timeout = headers_get(headers, "grpc-timeout");
    if (timeout.p && !read_grpc_timeout(timeout, &head->timeout_ms))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "grpc-timeout: up to 8 digits and a unit");
    if (is_encoded(headers_get(headers, "grpc-encoding")) ||
        is_encoded(headers_get(headers, "content-encoding")))
        return fail_with(error, &(struct rpc_error){RPC_UNIMPLEMENTED, 0, uncompressed_only,
                                                    "grpc-accept-encoding", "identity"});
    return true;
}

static bool read_connect_head(const struct headers *headers, struct rpc_head *head,
                              struct rpc_error *error)
{
    struct bytes version = headers_get(headers, "connect-protocol-version");
    if (version.p && !is_text(version, "1"))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "connect-protocol-version must be 1");
    struct bytes timeout = headers_get(headers, "connect-timeout-ms");
    if (timeout.p && !read_connect_timeout(timeout, &head->timeout_ms))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "connect-timeout-ms: 1 to 10 digits");
    if (is_encoded(headers_get(headers, "content-encoding")) ||
        is_encoded(headers_get(headers, "connect-content-encoding")))
        return fail_with(error, &(struct rpc_error){RPC_UNIMPLEMENTED, 0, uncompressed_only,
                                                    "accept-encoding", "identity"});
    return true;
}

static bool read_post_head(const struct headers *headers, struct rpc_head *head,
                           struct rpc_error *error)
{
    struct bytes type = headers_get(headers, "content-type");
    if (is_text(type, "application/grpc") || begins_with(type, "application/grpc+"))
        return read_grpc_head(headers, type, head, error);
    if (is_text(type, "application/connect+proto")) {
        head->protocol = RPC_CONNECT_STREAM;
        return read_connect_head(headers, head, error);
    }
    if (!is_text(type, "application/proto"))
        return fail_with(error, &(struct rpc_error){RPC_UNIMPLEMENTED, 415, "unknown content-type",
                                                    "accept-post",
                                                    "application/proto, "
                                                    "application/connect+proto, application/grpc, "
                                                    "application/grpc+proto"});
    return read_connect_head(headers, head, error);
}

static void split_path(struct bytes target, struct rpc_head *head)
{
    const uint8_t *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
    size_t n = mark ? (size_t)(mark - target.p) : target.n;
    head->path = bytes_of(target.p, n);
    if (mark)
        head->query = bytes_of(mark + 1, target.n - n - 1);
}

static void read_app(struct bytes value, struct rpc_head *head)
{
    size_t n = value.n < CONTACT_APP_MAX ? value.n : CONTACT_APP_MAX;
    for (size_t i = 0; i < n; i++)
        head->app[i] = value.p[i] >= ' ' && value.p[i] <= '~' ? (char)value.p[i] : '?';
    head->app[n] = '\0';
}

bool rpc_read_head(const struct headers *headers, struct rpc_head *head, struct rpc_error *error)
{
    *head = (struct rpc_head){.protocol = RPC_CONNECT, .timeout_ms = -1};
    split_path(headers_get(headers, ":path"), head);
    read_token(headers_get(headers, "authorization"), head);
    read_app(headers_get(headers, "user-agent"), head);
    struct bytes length = headers_get(headers, "content-length");
    head->has_length = length.p && read_number(length, 19, &head->length);
    struct bytes method = headers_get(headers, ":method");
    if (is_text(method, "GET")) {
        head->protocol = RPC_CONNECT_GET;
        etags_read(headers_get(headers, "if-none-match"), &head->known);
        return read_connect_head(headers, head, error);
    }
    if (is_text(method, "POST"))
        return read_post_head(headers, head, error);
    return fail_with(error, &(struct rpc_error){RPC_UNIMPLEMENTED, 405, "the method must be POST",
                                                "allow", "POST"});
}

// --- bodies ---

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool unescape(struct bytes text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            buf_put_u8(out, text.p[i] == '+' ? ' ' : text.p[i]);
            continue;
        }
        if (text.n - i < 3 || hex_digit(text.p[i + 1]) < 0 || hex_digit(text.p[i + 2]) < 0)
            return false;
        buf_put_u8(out, (uint8_t)(hex_digit(text.p[i + 1]) << 4 | hex_digit(text.p[i + 2])));
        i += 2;
    }
    return !out->err;
}

// The value of a key in a query, not unescaped; p is NULL when it is not there.
static struct bytes query_value(struct bytes query, const char *key)
{
    size_t key_n = strlen(key);
    while (query.n > 0) {
        const uint8_t *end = memchr(query.p, '&', query.n);
        size_t n = end ? (size_t)(end - query.p) : query.n;
        if (n > key_n && query.p[key_n] == '=' && memcmp(query.p, key, key_n) == 0)
            return bytes_of(query.p + key_n + 1, n - key_n - 1);
        size_t step = end ? n + 1 : n;
        query = bytes_of(query.p + step, query.n - step);
    }
    return (struct bytes){NULL, 0};
}

// In place, which is sound because it shrinks. Padding is taken too, as Connect allows it.
static bool unbase64(struct buf *text)
{
    while (text->n > 0 && text->p[text->n - 1] == '=')
        text->n--;
    size_t n = text->n / 4 * 3 + (text->n % 4 > 1 ? text->n % 4 - 1 : 0);
    struct buf copy = {0};
    uint8_t *room = buf_room(&copy, n + 1);
    bool ok = room && text_unbase64url(buf_bytes(text), room, n) == OK;
    if (ok)
        memcpy(text->p, room, n);
    text->n = n;
    buf_done(&copy);
    return ok;
}

static bool read_query(struct bytes query, struct buf *decoded, struct rpc_error *error)
{
    struct bytes version = query_value(query, "connect"), message = query_value(query, "message");
    if (version.p && !is_text(version, "v1"))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "connect must be v1");
    if (!is_text(query_value(query, "encoding"), "proto"))
        return fail(error, RPC_UNIMPLEMENTED, 415, "of the encodings only proto is understood");
    if (is_encoded(query_value(query, "compression")))
        return fail(error, RPC_UNIMPLEMENTED, 0, uncompressed_only);
    if (!message.p || !unescape(message, decoded))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "the query has no sound message");
    if (is_text(query_value(query, "base64"), "1") && decoded->n > 0 && !unbase64(decoded))
        return fail(error, RPC_INVALID_ARGUMENT, 0, "the message is not in base64url");
    return true;
}

// Both have a message behind flags and its length.
static bool read_prefixed_body(struct bytes body, struct bytes *message, struct rpc_error *error)
{
    if (body.n < RPC_PREFIX || body.n - RPC_PREFIX != be32_get(body.p + 1))
        return fail(error, RPC_INVALID_ARGUMENT, 0,
                    "the body is not one message behind its length");
    if (body.p[0] == 1)
        return fail_with(error, &(struct rpc_error){RPC_UNIMPLEMENTED, 0, uncompressed_only,
                                                    "grpc-accept-encoding", "identity"});
    if (body.p[0] != 0)
        return fail(error, RPC_INVALID_ARGUMENT, 0, "unknown flags before the message");
    *message = bytes_of(body.p + RPC_PREFIX, body.n - RPC_PREFIX);
    return true;
}

bool rpc_read_body(const struct rpc_head *head, struct bytes body, struct buf *decoded,
                   struct bytes *message, struct rpc_error *error)
{
    if (head->protocol == RPC_GRPC || head->protocol == RPC_CONNECT_STREAM)
        return read_prefixed_body(body, message, error);
    *message = body;
    if (head->protocol != RPC_CONNECT_GET)
        return true;
    if (!read_query(head->query, decoded, error))
        return false;
    *message = buf_bytes(decoded);
    return true;
}
