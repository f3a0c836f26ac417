#pragma once

// What the call*.c files share: a call, and the ways in which it ends.

#include "daemon/call.h"

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
    struct call *next_slice;  // of the calls whose answers are being made
    bool is_sliced;           // it is among them
    struct call *next_stream; // of the calls that are told again and again
    bool is_streaming;        // it is among them
    struct loop_timer *tick;  // when to look whether there is news
    int64_t told;             // by loop_now: when something was sent last
    uint64_t bytes_in;
    uint64_t number;   // of the calls of this process
    uint64_t begun_us; // when the request was whole; 0: it is not
    enum err failed;   // the hub itself, at the head
};

// --- call_answer.c ---

// Frees the call; call_finish: unless the writer still has it.
void call_free(struct call *call);
void call_finish(struct call *call);
void call_send(struct call *call, struct http2_answer *answer);
void call_answer_error(struct call *call, const struct rpc_error *error);
void call_answer_code(struct call *call, enum rpc_code code, const char *text);
// An error of the core, or of this hub (internal): then with the name by which an admin finds it.
void call_answer_err(struct call *call, enum err err, const struct fault *fault);
void call_answer_internal(struct call *call, enum err err, const struct fault *fault);
void call_note_sync(struct call *call, enum rpc_code code, size_t answer_bytes);
void call_count_end(const struct call *call, enum rpc_code code);
void call_count_written(const struct call *call);
// The earlier one holds.
void call_set_deadline(struct call *call, int64_t ms);

// --- call_slices.c ---

void call_leave_slices(struct call *call);
// Behind all others that wait for a slice, unless it was begun. False: out of memory.
bool call_enter_slices(struct call *call) must_check;

// --- call_stream.c ---

// Answers for the first time, and from then on when there is news; or with an error.
void call_stream_begin(struct call *call);
void call_stream_end(struct call *call, enum rpc_code code, const char *text);
void call_leave_streams(struct call *call);

// --- call.c ---

// Reads what the answer needs and sends it, or has the call wait for another slice.
void call_answer(struct call *call);
