// Bytes of a connection to the daemon's HTTP/2 and RPC, behind TLS and before any method: each
// stream is answered or closed, memory stays within its bounds, and what is sent back ends.

#include <stdlib.h>

#include "daemon/http2.h"
#include "daemon/rpc.h"
#include "tests/fuzz/fuzz.h"

enum { BODY_MAX = 4096, ROOM_MAX = 32 << 10, OUTPUT_MAX = 8 << 20, PARTS_MAX_HERE = 64 };

struct peer {
    struct http2 *http2;
    struct http2_room room;
    struct http2_limits limits;
    uint32_t calls; // not answered
    size_t sent;
};

// What is kept of a call until it is answered.
struct call {
    struct peer *peer;
    struct rpc_head head;
    struct buf query;
};

static void free_call(struct http2_stream *stream)
{
    struct call *call = http2_user(stream);
    if (!call)
        return;
    http2_set_user(stream, NULL);
    call->peer->calls--;
    buf_done(&call->query);
    free(call);
}

static void answer_error(struct http2_stream *stream, enum rpc_protocol protocol,
                         const struct rpc_error *error)
{
    struct http2_answer answer = {0};
    assert(error->text && rpc_code_name(error->code) && rpc_http_status(error->code) >= 200);
    rpc_answer_error(protocol, error, &answer);
    http2_answer(stream, &answer);
}

static void on_head(void *owner, struct http2_stream *stream)
{
    struct peer *peer = owner;
    struct rpc_error error = {0};
    struct call *call = calloc(1, sizeof *call);
    assert(call);
    call->peer = peer;
    peer->calls++;
    http2_set_user(stream, call);
    if (!rpc_read_head(http2_headers(stream), &call->head, &error)) {
        answer_error(stream, call->head.protocol, &error);
        free_call(stream);
        return;
    }
    assert(call->head.timeout_ms >= -1 && call->head.timeout_ms <= RPC_TIMEOUT_MS_MAX);
    buf_put(&call->query, call->head.query);
    call->head.path = (struct bytes){0};
    call->head.query = buf_bytes(&call->query);
    http2_accept_body(stream, BODY_MAX);
}

// Says what it was asked.
static void on_request(void *owner, struct http2_stream *stream)
{
    (void)owner;
    struct call *call = http2_user(stream);
    struct buf body BUF_CLEANUP = {0};
    struct buf decoded BUF_CLEANUP = {0};
    struct bytes message;
    struct rpc_error error = {0};
    assert(call);
    http2_take_body(stream, &body);
    assert(body.n <= BODY_MAX);
    if (rpc_read_body(&call->head, buf_bytes(&body), &decoded, &message, &error)) {
        struct http2_answer answer = {0};
        rpc_answer_begin(call->head.protocol, &answer);
        buf_put(&answer.body, message);
        rpc_answer_end(call->head.protocol, &answer);
        http2_answer(stream, &answer);
    } else {
        answer_error(stream, call->head.protocol, &error);
    }
    free_call(stream);
}

static void on_excess(void *owner, struct http2_stream *stream, enum http2_excess excess)
{
    (void)owner;
    (void)excess;
    struct call *call = http2_user(stream);
    struct rpc_error error = {.code = RPC_RESOURCE_EXHAUSTED, .text = "too much"};
    assert(call);
    answer_error(stream, call->head.protocol, &error);
    free_call(stream);
}

static void on_closed(void *owner, struct http2_stream *stream)
{
    (void)owner;
    free_call(stream);
}

static const struct http2_events events = {on_head, on_request, on_excess, on_closed};

static void take_output(struct peer *peer)
{
    struct bytes bytes;
    do {
        if (http2_output(peer->http2, &bytes))
            return;
        peer->sent += bytes.n;
        assert(peer->sent <= OUTPUT_MAX);
    } while (bytes.n > 0);
}

// False when the connection is at its end.
static bool feed(struct peer *peer, struct bytes bytes, int64_t now)
{
    enum err err = http2_feed(peer->http2, bytes, now);
    assert(err == OK || err == ERR_MALFORMED || err == ERR_LIMIT);
    while (!err && http2_dispatch(peer->http2))
        continue;
    take_output(peer);
    assert(peer->room.used <= peer->room.max);
    return !err && !http2_is_done(peer->http2);
}

static struct bytes greeting(void)
{
    static const char text[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                               "\0\0\0\4\0\0\0\0\0";
    return bytes_of(text, sizeof text - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = script_of(data, size);
    struct peer peer = {.room = {.max = ROOM_MAX}};
    uint8_t choice = script_u8(&script);
    peer.limits = (struct http2_limits){8, 4096, 8192, 64 << 10, &peer.room};
    enum err err = http2_new(&peer.limits, &events, &peer, &peer.http2);
    assert(!err);
    bool open = choice & 1 || feed(&peer, greeting(), 0);
    for (int64_t i = 0; i < PARTS_MAX_HERE && open && !script_ended(&script); i++) {
        if (choice & 2)
            open = feed(&peer, script_bytes(&script), i * 100);
        else
            open = feed(&peer, bytes_of(script.p, script.n), i * 100);
        if (!(choice & 2))
            break;
    }
    if (choice & 4)
        http2_stop(peer.http2);
    take_output(&peer);
    http2_free(&peer.http2);
    assert(peer.calls == 0 && peer.room.used == 0);
    return 0;
}
