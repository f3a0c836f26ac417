#pragma once

// What http2.c (the session), http2_stream.c (one request and its answer, and the accounts of what
// a connection holds) and http2_memory.c share. For these files alone.

#include <nghttp2/nghttp2.h>

#include "daemon/http2.h"

struct http2 {
    nghttp2_session *session;
    const struct http2_limits *limits;
    const struct http2_events *events;
    void *owner;
    struct http2_stream *streams;
    size_t streams_n;
    struct http2_stream *ready; // whole requests, oldest first
    struct http2_stream **ready_end;
    size_t in_work;
    size_t bodies;  // bytes of bodies kept
    size_t queued;  // bytes of answers not yet sent
    size_t waiting; // streams whose body has to come or whose answer has to go
    uint64_t body_bytes;
    int64_t calm_second;
    unsigned calm_frames;
    uint64_t late_resets; // that may still come for free: one for each answered request
    void *frame;          // nghttp2's buffer; NULL: none
    size_t frame_n;
    bool greeted;
    bool broken;
    bool other_protocol; // the first bytes were no HTTP/2
};

// STAGE_OPEN: all of an answer is sent that there is so far.
enum stage { STAGE_BODY, STAGE_READY, STAGE_WORK, STAGE_ANSWER, STAGE_OPEN };

struct http2_stream {
    struct http2 *http2;
    int32_t id;
    struct http2_stream *next;
    struct http2_stream *previous;
    struct http2_stream *next_ready;
    enum stage stage;
    bool head_done;
    bool ended; // by the peer
    struct headers headers;
    struct buf body;
    size_t body_max;
    struct http2_answer answer;
    size_t sent;
    bool is_open; // more of the answer may come
    void *user;
};

// --- http2_memory.c ---

// What nghttp2 takes memory by; the session ends before http2.
nghttp2_mem http2_memory(struct http2 *http2);

// --- http2_stream.c ---

// The session owns it; body and head are empty. NULL: out of memory.
struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id) must_check;
// Tells `closed` first.
void http2_stream_free(struct http2_stream *stream);
// Keeps the session's counts right.
void http2_stream_set_stage(struct http2_stream *stream, enum stage stage);
// The peer has said all: to the end of the queue, unless it is answered already.
void http2_stream_end(struct http2_stream *stream);
void http2_stream_leave_ready(struct http2_stream *stream);
void http2_stream_drop_body(struct http2_stream *stream);
// So many bytes of the answer are out of the session's hands.
void http2_stream_note_sent(struct http2_stream *stream, size_t n);
