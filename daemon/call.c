#include <stdlib.h>

#include "daemon/call_private.h"
#include "daemon/request_id.h"

// --- the head ---

static bool refuse(struct rpc_error *error, enum rpc_code code, unsigned status, const char *text)
{
    *error = (struct rpc_error){.code = code, .status = status, .text = text};
    return false;
}

static bool refuse_type(struct call *call, struct rpc_error *error)
{
    bool is_stream = call->method->is_stream;
    call->head.protocol = RPC_CONNECT;
    *error = (struct rpc_error){
        RPC_UNIMPLEMENTED, 415,
        is_stream ? "this method answers with a stream" : "this method answers once", "accept-post",
        is_stream ? "application/connect+proto, application/grpc"
                  : "application/proto, application/grpc"};
    return false;
}

static bool find_method(struct call *call, struct rpc_error *error)
{
    call->method = service_find(call->head.path);
    if (!call->method)
        return call->head.protocol == RPC_GRPC
                   ? refuse(error, RPC_UNIMPLEMENTED, 0, "no such method")
                   : refuse(error, RPC_NOT_FOUND, 404, "no such method");
    if (call->method->is_stream != (call->head.protocol == RPC_CONNECT_STREAM) &&
        call->head.protocol != RPC_GRPC)
        return refuse_type(call, error);
    if (call->head.protocol != RPC_CONNECT_GET || call->method->may_get)
        return true;
    *error =
        (struct rpc_error){RPC_UNIMPLEMENTED, 405, "this method is not for GET", "allow", "POST"};
    return false;
}

// A first look, so that nobody unknown has a body kept; the call itself authenticates anew.
static bool check_token(struct call *call, struct rpc_error *error, struct fault *fault)
{
    if (!call->method->has_token)
        return true;
    if (call->head.token == RPC_TOKEN_NONE)
        return refuse(error, RPC_UNAUTHENTICATED, 0, "this call needs a token: log in");
    if (call->head.token == RPC_TOKEN_MALFORMED)
        return refuse(error, RPC_UNAUTHENTICATED, 0,
                      "the token is not \"Bearer\" and 32 bytes in base64url: log in");
    memcpy(call->service.token, call->head.token_bytes, TOKEN_SIZE);
    struct txn *txn = gate_begin_read(call->context->gate);
    call->failed = txn ? OK : ERR_BUSY;
    if (!txn)
        return false;
    enum err err = hub_authenticate(txn, call->service.token, call->method->call,
                                    &call->context->service->policy,
                                    loop_clock(call->context->loop), &call->service.caller, fault);
    gate_end_read(call->context->gate, &txn);
    call->failed = err && !rpc_is_peer_fault(err) ? err : OK;
    return !err || refuse(error, rpc_code_of(err), 0, fault->text[0] ? fault->text : err_text(err));
}

static void note_carried(const struct call *call)
{
    struct call_carried *carried = call->peer.carried;
    const struct hub_caller *caller = &call->service.caller;
    if (!call->method->has_token)
        return;
    carried->is_mixed |=
        carried->any && (carried->community != caller->community.number ||
                         memcmp(carried->handle, caller->device.handle, HANDLE_SIZE) != 0);
    carried->any = true;
    carried->community = caller->community.number;
    memcpy(carried->handle, caller->device.handle, HANDLE_SIZE);
}

static bool check_attempt(struct call *call, struct rpc_error *error)
{
    if (!call->method->is_attempt ||
        attempts_take(call->context->attempts, call->peer.address, loop_now(call->context->loop)))
        return true;
    call->context->counts.attempts_refused++;
    *error = (struct rpc_error){RPC_RESOURCE_EXHAUSTED, 0,
                                "too many attempts: try again in a minute", "retry-after", "60"};
    return false;
}

static size_t body_max(const struct call *call)
{
    size_t max = call->method->body_max;
    return max < call->context->body_max ? max : call->context->body_max;
}

static bool check_length(struct call *call, struct rpc_error *error)
{
    enum rpc_protocol protocol = call->head.protocol;
    size_t prefix = protocol == RPC_GRPC || protocol == RPC_CONNECT_STREAM ? RPC_PREFIX : 0;
    if (call->head.has_length && call->head.length > body_max(call) + prefix)
        return refuse(error, RPC_RESOURCE_EXHAUSTED, 0, "the request is longer than its limit");
    http2_accept_body(call->stream, body_max(call) + prefix);
    return true;
}

static bool check_head(struct call *call, struct rpc_error *error, struct fault *fault)
{
    const struct headers *headers = http2_headers(call->stream);
    if (http2_headers_cut(call->stream))
        return refuse(error, RPC_RESOURCE_EXHAUSTED, 431, "the request's head is too long");
    return rpc_read_head(headers, &call->head, error) && find_method(call, error) &&
           check_token(call, error, fault) && check_length(call, error) &&
           check_attempt(call, error);
}

void call_head(struct call_context *context, const struct call_peer *peer,
               struct http2_stream *stream)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        struct http2_answer answer = {.status = 503};
        http2_answer(stream, &answer);
        return;
    }
    call->context = context;
    call->number = context->begun++;
    call->peer = *peer;
    if (peer->address) {
        memcpy(call->address, peer->address, sizeof call->address);
        call->peer.address = call->address;
    }
    call->stream = stream;
    call->service.service = context->service;
    call->service.tls_key = peer->tls_key;
    http2_set_user(stream, call);
    struct rpc_error error = {0};
    struct fault fault = {0};
    if (!check_head(call, &error, &fault)) {
        if (call->failed)
            call_answer_internal(call, call->failed, &fault);
        else
            call_answer_error(call, &error);
        call_free(call);
        return;
    }
    note_carried(call);
    call->peer.carried = NULL;
    // The head's text is the stream's; only a GET is asked for it later.
    buf_put(&call->query, call->head.query);
    call->head.path = (struct bytes){NULL, 0};
    call->head.query = buf_bytes(&call->query);
    if (call->head.timeout_ms >= 0)
        call_set_deadline(call, call->head.timeout_ms);
}

void call_excess(struct http2_stream *stream, enum http2_excess excess)
{
    struct call *call = http2_user(stream);
    if (excess == HTTP2_BODY_TOO_LONG)
        call_answer_code(call, RPC_RESOURCE_EXHAUSTED, "the request is longer than its limit");
    else
        call_answer_code(call, RPC_UNAVAILABLE, "too much is under way: try again later");
    call_free(call);
}

void call_closed(struct http2_stream *stream)
{
    struct call *call = http2_user(stream);
    if (!call)
        return;
    call->stream = NULL;
    call_count_end(call, RPC_CANCELED);
    loop_timer_free(&call->timer);
    call_finish(call);
}

// --- the request ---

static void answer_response(struct call *call)
{
    struct http2_answer answer = {0};
    rpc_answer_begin(call->head.protocol, &answer);
    message_encode(call->method->response, call->service.response, &answer.body);
    rpc_answer_end(call->head.protocol, &answer);
    rpc_answer_name(&call->head, &answer);
    if (answer.body.err) {
        http2_answer_done(&answer);
        call_answer_err(call, answer.body.err, &(struct fault){.text = "the answer was too large"});
        return;
    }
    call_note_sync(call, RPC_OK, answer.body.n);
    call_count_end(call, RPC_OK);
    call_send(call, &answer);
}

// Reads what the answer needs and sends it. The transaction ends before anything is encoded.
void call_answer(struct call *call)
{
    struct fault fault = {0};
    enum err err = OK;
    if (call->method->answer) {
        struct txn *txn = gate_begin_read(call->context->gate);
        err = txn ? service_answer(call->method, &call->service, txn, &fault) : ERR_BUSY;
        gate_end_read(call->context->gate, &txn);
    }
    if (!err && call->service.pulled.is_unfinished && !call_enter_slices(call))
        err = ERR_NOMEM;
    if (err)
        call_answer_err(call, err, &fault);
    else if (!call->is_sliced)
        answer_response(call);
}

static struct call *call_of(struct writer_item *item)
{
    return (struct call *)(void *)((char *)item - offsetof(struct call, item));
}

static enum err run_write(struct writer_item *item, struct txn *txn, bool again,
                          struct fault *fault)
{
    struct call *call = call_of(item);
    enum err err = service_write(call->method, &call->service, txn, again, fault);
    item->decides = call->service.effects.revoked || call->service.effects.erased;
    return err;
}

static void on_written(struct writer_item *item)
{
    struct call *call = call_of(item);
    const struct hub_effects *effects = &call->service.effects;
    // Whoever is cut off may be this very call's connection: then there is no stream any more.
    if (!item->err && effects->last > 0)
        call->context->affected(call->context->arg, call->service.caller.community.number, effects);
    call->is_writing = false;
    if (!item->err)
        call_count_written(call);
    if (!item->err && call->method->is_attempt)
        attempts_give_back(call->context->attempts, call->peer.address);
    if (call->stream && item->err)
        call_answer_err(call, item->err, &item->fault);
    else if (call->stream)
        call_answer(call);
    if (!call->is_sliced)
        call_free(call);
}

static void write_call(struct call *call)
{
    call->item.run = run_write;
    call->item.done = on_written;
    request_id(call->context->secret, call->number, call->item.request);
    call->item.bytes = sizeof *call + call->body.n + call->service.arena.used;
    call->is_writing = true;
    writer_put(call->context->writer, &call->item);
}

static enum err check_call(struct call *call, struct fault *fault)
{
    if (!call->method->check)
        return OK;
    struct txn *txn = gate_begin_read(call->context->gate);
    enum err err = txn ? service_check(call->method, &call->service, txn, fault) : ERR_BUSY;
    gate_end_read(call->context->gate, &txn);
    return err;
}

static enum err decode(struct call *call, struct bytes message, struct fault *fault)
{
    struct arena *arena = &call->service.arena;
    arena_init(arena, call->method->arena_max);
    void *request = arena_alloc(arena, 1, call->method->request->size);
    call->service.response = arena_alloc(arena, 1, call->method->response->size);
    call->service.request = request;
    if (!request || !call->service.response)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    return message_decode(call->method->request, message, arena, request, fault);
}

// True when the writer has it now, or its answer is not made yet or goes on.
static bool run(struct call *call, struct bytes message)
{
    struct fault fault = {0};
    enum err err = decode(call, message, &fault);
    if (!err)
        err = check_call(call, &fault);
    if (err)
        call_answer_err(call, err, &fault);
    else if (call->method->is_stream)
        call_stream_begin(call);
    else if (call->service.writes)
        write_call(call);
    else
        call_answer(call);
    return call->is_writing || call->is_sliced || call->is_streaming;
}

void call_request(struct http2_stream *stream)
{
    struct call *call = http2_user(stream);
    http2_take_body(stream, &call->body);
    call->bytes_in = call->body.n;
    call->begun_us = measure_now_us();
    call->service.now = loop_clock(call->context->loop);
    if (!call->method->is_stream)
        call_set_deadline(call, call->context->request_ms);
    struct bytes message;
    struct rpc_error error;
    bool is_sound =
        rpc_read_body(&call->head, buf_bytes(&call->body), &call->decoded, &message, &error);
    if (!is_sound)
        call_answer_error(call, &error);
    if (!is_sound || !run(call, message))
        call_free(call);
}
