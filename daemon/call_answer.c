// The ends of a call: answers, errors, deadlines, and what is counted of them.

#include <stdio.h>
#include <stdlib.h>

#include "daemon/call_private.h"
#include "daemon/report.h"
#include "daemon/request_id.h"

// --- what is counted ---

void call_count_end(const struct call *call, enum rpc_code code)
{
    struct call_counts *counts = &call->context->counts;
    size_t method = service_number(call->method);
    counts->answers[method][code]++;
    counts->tokens_refused +=
        code == RPC_UNAUTHENTICATED && call->method && call->method->has_token;
    // A stream lasts as long as somebody listens.
    if (call->begun_us && !call->method->is_stream)
        measure_add(&counts->seconds[method], MEASURE_TIME, measure_now_us() - call->begun_us);
}

void call_count_written(const struct call *call)
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

void call_free(struct call *call)
{
    if (call->stream)
        http2_set_user(call->stream, NULL);
    loop_timer_free(&call->timer);
    loop_timer_free(&call->tick);
    buf_done(&call->query);
    buf_done(&call->body);
    buf_done(&call->decoded);
    arena_done(&call->service.arena);
    bytes_wipe(call, sizeof *call); // tokens
    free(call);
}

void call_send(struct call *call, struct http2_answer *answer)
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

void call_answer_error(struct call *call, const struct rpc_error *error)
{
    struct http2_answer answer = {0};
    char id[REQUEST_ID_SIZE];
    call->context->refused++;
    call_count_end(call, error->code);
    rpc_answer_error(call->head.protocol, error, &answer);
    request_id(call->context->secret, call->number, id);
    headers_put_text(&answer.headers, "x-request-id", id);
    call_send(call, &answer);
}

void call_answer_code(struct call *call, enum rpc_code code, const char *text)
{
    call_answer_error(call, &(struct rpc_error){.code = code, .text = text});
}

// A quota is of a day (UTC).
static void answer_quota(struct call *call, const char *text)
{
    enum { DAY = 24 * 60 * 60 };
    char seconds[16];
    int64_t now = call->service.now / 1000;
    (void)snprintf(seconds, sizeof seconds, "%d", (int)(DAY - now % DAY));
    call_answer_error(call,
                      &(struct rpc_error){RPC_RESOURCE_EXHAUSTED, 0, text, "retry-after", seconds});
}

// What the admin is told of the device.
void call_note_sync(struct call *call, enum rpc_code code, size_t answer_bytes)
{
    const struct sync_request *request = call->service.sync;
    if (!request && !(call->method->is_sync && call->service.request))
        return;
    struct contact heard = {.bytes_in = call->bytes_in, .bytes_out = answer_bytes};
    if (call->method->is_sync) // and not whoever carries a letter
        memcpy(heard.app, call->head.app, sizeof heard.app);
    if (code == RPC_OK) {
        heard.last_sync = call->service.now;
        heard.written = request && request->own ? request->own->seq : 0;
    } else {
        heard.error = (uint8_t)code;
        heard.error_time = call->service.now;
    }
    contacts_add(call->context->contacts, &call->service.caller, &heard);
}

// What is not the peer's fault: with the name by which an admin finds it in the log.
void call_answer_internal(struct call *call, enum err err, const struct fault *fault)
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
    call_answer_code(call, rpc_code_of(err), text);
}

void call_answer_err(struct call *call, enum err err, const struct fault *fault)
{
    // The call asked for more than it may have, or the machine has no more.
    if (err == ERR_NOMEM && call->service.arena.err == ERR_LIMIT)
        err = ERR_LIMIT;
    call_note_sync(call, rpc_code_of(err), 0);
    if (err == ERR_QUOTA)
        answer_quota(call, fault->text);
    else if (rpc_is_peer_fault(err))
        call_answer_code(call, rpc_code_of(err), fault->text[0] ? fault->text : err_text(err));
    else
        call_answer_internal(call, err, fault);
}

// Frees the call unless the writer still has it.
void call_finish(struct call *call)
{
    call_leave_slices(call);
    call_leave_streams(call);
    if (!call->is_writing)
        call_free(call);
}

// --- deadlines ---

static void on_deadline(void *arg)
{
    struct call *call = arg;
    if (call->is_streaming) {
        call_stream_end(call, RPC_DEADLINE_EXCEEDED,
                        "the deadline passed: go on from the last cursor");
        return;
    }
    call_answer_code(call, RPC_DEADLINE_EXCEEDED,
                     "the deadline passed; the request may have been taken: repeat it");
    call_finish(call);
}

void call_set_deadline(struct call *call, int64_t ms)
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
