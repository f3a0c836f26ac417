#include "daemon/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/report.h"
#include "daemon/request_id.h"

struct call {
    struct call_context *context;
    struct call_peer peer;
    uint8_t address[ATTEMPTS_ADDRESS_SIZE]; // the peer's, which may be gone before the call is
    struct http2_stream *stream;            // NULL: the peer has gone, or was answered
    const struct service_method *method;
    struct rpc_head head; // path and query are not kept
    struct buf query;     // a GET's, which head.query borrows
    struct buf body;
    struct buf decoded;
    struct service_call service;
    struct writer_item item;
    struct loop_timer *timer; // the deadline's; NULL until there is one
    int64_t deadline;         // by loop_now; 0: none
    bool is_writing;
    uint64_t bytes_in;
    uint64_t number;   // of the calls of this process
    uint64_t begun_us; // when the request was whole; 0: it is not
    enum err failed;   // the hub itself, at the head
};

// --- what is counted ---

static void count_end(const struct call *call, enum rpc_code code)
{
    struct call_counts *counts = &call->context->counts;
    size_t method = service_number(call->method);
    counts->answers[method][code]++;
    counts->tokens_refused +=
        code == RPC_UNAUTHENTICATED && call->method && call->method->has_token;
    if (call->begun_us)
        measure_add(&counts->seconds[method], MEASURE_TIME, measure_now_us() - call->begun_us);
}

static void count_written(const struct call *call)
{
    struct call_counts *counts = &call->context->counts;
    const struct hub_effects *effects = &call->service.effects;
    if (call->method->is_attempt)
        *(call->method->is_enrolment ? &counts->enrolments : &counts->logins) += 1;
    counts->pushes += call->service.plan != NULL;
    counts->changes_taken += effects->taken;
    counts->changes_apart += effects->apart;
}

// --- the end of a call ---

static void free_call(struct call *call)
{
    if (call->stream)
        http2_set_user(call->stream, NULL);
    loop_timer_free(&call->timer);
    buf_done(&call->query);
    buf_done(&call->body);
    buf_done(&call->decoded);
    arena_done(&call->service.arena);
    bytes_wipe(call, sizeof *call); // tokens
    free(call);
}

static void send_answer(struct call *call, struct http2_answer *answer)
{
    struct http2_stream *stream = call->stream;
    call->context->answered++;
    call->stream = NULL;
    if (!stream) {
        http2_answer_done(answer);
        return;
    }
    http2_set_user(stream, NULL);
    http2_answer(stream, answer);
    call->peer.wake(call->peer.arg);
}

static void answer_error(struct call *call, const struct rpc_error *error)
{
    struct http2_answer answer = {0};
    char id[REQUEST_ID_SIZE];
    call->context->refused++;
    count_end(call, error->code);
    rpc_answer_error(call->head.protocol, error, &answer);
    request_id(call->context->secret, call->number, id);
    headers_put_text(&answer.headers, "x-request-id", id);
    send_answer(call, &answer);
}

static void answer_code(struct call *call, enum rpc_code code, const char *text)
{
    answer_error(call, &(struct rpc_error){.code = code, .text = text});
}

// A quota is of a day (UTC).
static void answer_quota(struct call *call, const char *text)
{
    enum { DAY = 24 * 60 * 60 };
    char seconds[16];
    int64_t now = call->service.now / 1000;
    (void)snprintf(seconds, sizeof seconds, "%d", (int)(DAY - now % DAY));
    answer_error(call,
                 &(struct rpc_error){RPC_RESOURCE_EXHAUSTED, 0, text, "retry-after", seconds});
}

// What the admin is told of the device.
static void note_sync(struct call *call, enum rpc_code code, size_t answer_bytes)
{
    if (!call->method->is_sync || !call->service.request)
        return;
    const struct sync_request *request = call->service.request;
    struct contact heard = {.bytes_in = call->bytes_in, .bytes_out = answer_bytes};
    memcpy(heard.app, call->head.app, sizeof heard.app);
    if (code == RPC_OK) {
        heard.last_sync = call->service.now;
        heard.written = request->own ? request->own->seq : 0;
    } else {
        heard.error = (uint8_t)code;
        heard.error_time = call->service.now;
    }
    contacts_add(call->context->contacts, &call->service.caller, &heard);
}

// What is not the peer's fault: with the name by which an admin finds it in the log.
static void answer_internal(struct call *call, enum err err, const struct fault *fault)
{
    char text[sizeof fault->text + 40], id[REQUEST_ID_SIZE];
    const char *why = fault->text[0] ? fault->text : err_text(err);
    // Why the hub can do nothing now is told with its sentence, what else only by its kind.
    bool is_told = err == ERR_NOMEM || err == ERR_BUSY;
    request_id(call->context->secret, call->number, id);
    // That the store takes nothing is said once by the writer, and not for each.
    report_event(err == ERR_BUSY ? REPORT_DEBUG : REPORT_WARNING,
                 &(struct report_about){.event = "call_failed", .request = id},
                 "request %s: %s failed: %s", id, service_name(service_number(call->method)), why);
    (void)snprintf(text, sizeof text, "%s (request %s)", is_told ? why : err_text(err), id);
    answer_code(call, rpc_code_of(err), text);
}

static void answer_err(struct call *call, enum err err, const struct fault *fault)
{
    // The call asked for more than it may have, or the machine has no more.
    if (err == ERR_NOMEM && call->service.arena.err == ERR_LIMIT)
        err = ERR_LIMIT;
    note_sync(call, rpc_code_of(err), 0);
    if (err == ERR_QUOTA)
        answer_quota(call, fault->text);
    else if (rpc_is_peer_fault(err))
        answer_code(call, rpc_code_of(err), fault->text[0] ? fault->text : err_text(err));
    else
        answer_internal(call, err, fault);
}

// Frees the call unless the writer still has it.
static void finish(struct call *call)
{
    if (!call->is_writing)
        free_call(call);
}

// --- deadlines ---

static void on_deadline(void *arg)
{
    struct call *call = arg;
    answer_code(call, RPC_DEADLINE_EXCEEDED,
                "the deadline passed; the request may have been taken: repeat it");
    finish(call);
}

static void set_deadline(struct call *call, int64_t ms)
{
    int64_t deadline = loop_now(call->context->loop) + ms;
    if (call->deadline && call->deadline <= deadline)
        return;
    call->deadline = deadline;
    if (!call->timer)
        call->timer = loop_timer_new(call->context->loop, on_deadline, call);
    if (call->timer)
        loop_timer_set(call->timer, ms);
}

// --- the head ---

static bool refuse(struct rpc_error *error, enum rpc_code code, unsigned status, const char *text)
{
    *error = (struct rpc_error){.code = code, .status = status, .text = text};
    return false;
}

static bool find_method(struct call *call, struct rpc_error *error)
{
    call->method = service_find(call->head.path);
    if (!call->method)
        return call->head.protocol == RPC_GRPC
                   ? refuse(error, RPC_UNIMPLEMENTED, 0, "no such method")
                   : refuse(error, RPC_NOT_FOUND, 404, "no such method");
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
    size_t prefix = call->head.protocol == RPC_GRPC ? RPC_GRPC_PREFIX : 0;
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
            answer_internal(call, call->failed, &fault);
        else
            answer_error(call, &error);
        free_call(call);
        return;
    }
    note_carried(call);
    call->peer.carried = NULL;
    // The head's text is the stream's; only a GET is asked for it later.
    buf_put(&call->query, call->head.query);
    call->head.path = (struct bytes){NULL, 0};
    call->head.query = buf_bytes(&call->query);
    if (call->head.timeout_ms >= 0)
        set_deadline(call, call->head.timeout_ms);
}

void call_excess(struct http2_stream *stream, enum http2_excess excess)
{
    struct call *call = http2_user(stream);
    if (excess == HTTP2_BODY_TOO_LONG)
        answer_code(call, RPC_RESOURCE_EXHAUSTED, "the request is longer than its limit");
    else
        answer_code(call, RPC_UNAVAILABLE, "too much is under way: try again later");
    free_call(call);
}

void call_closed(struct http2_stream *stream)
{
    struct call *call = http2_user(stream);
    if (!call)
        return;
    call->stream = NULL;
    count_end(call, RPC_CANCELED);
    loop_timer_free(&call->timer);
    finish(call);
}

// --- the request ---

static void answer_response(struct call *call)
{
    struct http2_answer answer = {0};
    rpc_answer_begin(call->head.protocol, &answer);
    message_encode(call->method->response, call->service.response, &answer.body);
    rpc_answer_end(call->head.protocol, &answer);
    if (answer.body.err) {
        http2_answer_done(&answer);
        answer_err(call, answer.body.err, &(struct fault){.text = "the answer was too large"});
        return;
    }
    note_sync(call, RPC_OK, answer.body.n);
    count_end(call, RPC_OK);
    send_answer(call, &answer);
}

// Reads what the answer needs and sends it. The transaction ends before anything is encoded.
static void answer_call(struct call *call)
{
    struct fault fault = {0};
    enum err err = OK;
    if (call->method->answer) {
        struct txn *txn = gate_begin_read(call->context->gate);
        err = txn ? service_answer(call->method, &call->service, txn, &fault) : ERR_BUSY;
        gate_end_read(call->context->gate, &txn);
    }
    if (err)
        answer_err(call, err, &fault);
    else
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
        count_written(call);
    if (!item->err && call->method->is_attempt)
        attempts_give_back(call->context->attempts, call->peer.address);
    if (call->stream && item->err)
        answer_err(call, item->err, &item->fault);
    else if (call->stream)
        answer_call(call);
    free_call(call);
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

// True when the writer has it now.
static bool run(struct call *call, struct bytes message)
{
    struct fault fault = {0};
    enum err err = decode(call, message, &fault);
    if (!err)
        err = check_call(call, &fault);
    if (err)
        answer_err(call, err, &fault);
    else if (call->service.writes)
        write_call(call);
    else
        answer_call(call);
    return call->is_writing;
}

void call_request(struct http2_stream *stream)
{
    struct call *call = http2_user(stream);
    http2_take_body(stream, &call->body);
    call->bytes_in = call->body.n;
    call->begun_us = measure_now_us();
    call->service.now = loop_clock(call->context->loop);
    set_deadline(call, call->context->request_ms);
    struct bytes message;
    struct rpc_error error;
    bool is_sound =
        rpc_read_body(&call->head, buf_bytes(&call->body), &call->decoded, &message, &error);
    if (!is_sound)
        answer_error(call, &error);
    if (!is_sound || !run(call, message))
        free_call(call);
}
