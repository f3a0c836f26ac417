// Calls that are answered again and again. Where news is waited for, a look each second, so that
// many changes are told at once, and whoever reads slowly is told less often; where more is there,
// as fast as it is fetched, a part for each turn of the loop.

#include "daemon/call_private.h"

enum { LOOK_MS = 1000, FETCHED_MS = 20, KEPT_ALIVE_MS = 30000 };

// --- which there are ---

static size_t of_device(const struct call_context *context, const struct hub_caller *caller)
{
    size_t n = 0;
    for (const struct call *call = context->streams; call; call = call->next_stream) {
        const struct hub_caller *other = &call->service.caller;
        n += other->community.number == caller->community.number &&
             memcmp(other->device.handle, caller->device.handle, HANDLE_SIZE) == 0;
    }
    return n;
}

static bool enter_streams(struct call *call)
{
    struct call_context *context = call->context;
    if (context->streams_n >= CALL_STREAMS_MAX ||
        of_device(context, &call->service.caller) >= CALL_STREAMS_OF_DEVICE)
        return false;
    call->next_stream = context->streams;
    context->streams = call;
    context->streams_n++;
    call->is_streaming = true;
    return true;
}

void call_leave_streams(struct call *call)
{
    struct call **at = &call->context->streams;
    if (!call->is_streaming)
        return;
    call->is_streaming = false;
    while (*at != call)
        at = &(*at)->next_stream;
    *at = call->next_stream;
    call->context->streams_n--;
}

// --- telling ---

// One message, where there is news or it is time for a sign of life. The request is read once.
static enum err look(struct call *call, struct buf *out, struct fault *fault)
{
    struct service_call *service = &call->service;
    int64_t now = loop_now(call->context->loop);
    service->now = loop_clock(call->context->loop);
    struct txn *txn = gate_begin_read(call->context->gate);
    enum err err = txn ? service_answer(call->method, service, txn, fault) : ERR_BUSY;
    gate_end_read(call->context->gate, &txn);
    if (err || (!service->has_news && now - call->told < KEPT_ALIVE_MS))
        return err;
    call->told = now;
    size_t begin = rpc_stream_message(out);
    message_encode(call->method->response, service->response, out);
    rpc_stream_message_end(out, begin);
    return out->err;
}

static enum err make_room(struct call *call)
{
    struct arena *arena = &call->service.arena;
    arena_done(arena);
    arena_init(arena, call->method->arena_max);
    call->service.request = NULL;
    call->service.response = arena_alloc(arena, 1, call->method->response->size);
    return call->service.response ? OK : ERR_NOMEM;
}

void call_stream_end(struct call *call, enum rpc_code code, const char *text)
{
    struct http2_stream *stream = call->stream;
    struct buf last = {0};
    struct headers trailers = {.size = 0};
    rpc_stream_end(call->head.protocol, code, text, &last, &trailers);
    http2_more(stream, &last);
    http2_end(stream, &trailers);
    call_count_end(call, code);
    call->peer.wake(call->peer.arg);
    call_finish(call);
}

static int64_t next_look(const struct call *call)
{
    if (call->service.has_ended)
        return 0;
    if (!call->service.has_more)
        return LOOK_MS;
    return http2_stream_unsent(call->stream) > 0 ? FETCHED_MS : 0;
}

static void go_on(struct call *call)
{
    call->peer.wake(call->peer.arg);
    loop_timer_set(call->tick, next_look(call));
}

static void look_again(struct call *call)
{
    struct fault fault = {0};
    struct buf news = {0};
    enum err err = make_room(call);
    if (!err)
        err = look(call, &news, &fault);
    // The store is being opened anew: the next look tells it all.
    if (err && err != ERR_BUSY) {
        buf_done(&news);
        call_stream_end(call, rpc_code_of(err),
                        rpc_is_peer_fault(err) && fault.text[0] ? fault.text : err_text(err));
        return;
    }
    if (news.n > 0)
        http2_more(call->stream, &news);
    buf_done(&news);
    go_on(call);
    if (err)
        loop_timer_set(call->tick, LOOK_MS);
}

static void on_tick(void *arg)
{
    struct call *call = arg;
    if (call->service.has_ended)
        call_stream_end(call, RPC_OK, NULL);
    else if (http2_stream_unsent(call->stream) > 0)
        loop_timer_set(call->tick, next_look(call));
    else
        look_again(call);
}

void call_stream_begin(struct call *call)
{
    struct fault fault = {0};
    struct http2_answer answer = {.status = 0};
    if (!enter_streams(call)) {
        call_answer_code(call, RPC_RESOURCE_EXHAUSTED,
                         "too many streams are open, or too many of this device: try again later");
        return;
    }
    call->tick = loop_timer_new(call->context->loop, on_tick, call);
    if (call->tick)
        loop_timer_yields(call->tick);
    enum err err = call->tick ? look(call, &answer.body, &fault) : ERR_NOMEM;
    if (err) {
        http2_answer_done(&answer);
        call_leave_streams(call);
        call_answer_err(call, err, &fault);
        return;
    }
    rpc_stream_begin(call->head.protocol, &answer);
    http2_answer_open(call->stream, &answer);
    go_on(call);
}

void call_end_streams(struct call_context *context)
{
    while (context->streams)
        call_stream_end(context->streams, RPC_UNAVAILABLE, "the hub stops: come again");
}
