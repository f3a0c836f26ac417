#pragma once

// The server's side of HTTP/2 (RFC 9113) by nghttp2: bytes in, bytes out, no sockets, no clock. A
// stream's head is shown before a byte of its body is kept, so that it can be refused for its
// head. Requests that are whole wait until http2_dispatch gives them out. The loop's thread.

#include "daemon/headers.h"

struct http2;
struct http2_stream;

// Bytes of bodies and answers that all connections hold together.
struct http2_room {
    size_t used;
    size_t max;
};

struct http2_limits {
    uint32_t streams;    // open at once on a connection
    size_t header_bytes; // of a request's head, as RFC 9113 counts them
    size_t bodies_bytes; // of unfinished bodies on a connection
    size_t queued_bytes; // of unsent answers, above which further requests wait
    struct http2_room *room;
};

enum {
    HTTP2_IN_WORK_MAX = 8,       // requests of one connection given out and not answered
    HTTP2_CALM_FRAMES_MAX = 100, // in a second: resets, pings, settings, empty data
};

enum http2_excess { HTTP2_BODY_TOO_LONG, HTTP2_NO_ROOM };

// What the session tells its owner. From each of them http2_answer may be called, nothing else that
// sends.
struct http2_events {
    // The head is whole: answer it or accept its body.
    void (*head)(void *owner, struct http2_stream *stream);
    // The request is whole; given out by http2_dispatch.
    void (*request)(void *owner, struct http2_stream *stream);
    // The body grew over what was accepted; answer it.
    void (*excess)(void *owner, struct http2_stream *stream, enum http2_excess excess);
    // The stream is gone, answered or not: the pointer is void after this.
    void (*closed)(void *owner, struct http2_stream *stream);
};

struct http2_answer {
    unsigned status;
    struct headers headers;
    struct buf body;
    struct headers trailers; // none: no trailers
};

void http2_answer_done(struct http2_answer *answer);

// limits and events stay the caller's and outlive the session.
enum err http2_new(const struct http2_limits *limits, const struct http2_events *events,
                   void *owner, struct http2 **out) must_check;
// Tells `closed` of every stream that is left.
void http2_free(struct http2 **http2);

// Takes bytes; now in ms. ERR_MALFORMED: send what http2_output still gives, then close.
enum err http2_feed(struct http2 *http2, struct bytes bytes, int64_t now) must_check;
// The next bytes to send, borrowed until the next call; n is 0 when there are none now.
enum err http2_output(struct http2 *http2, struct bytes *bytes) must_check;
// Nothing has moved for a while: gives back memory that the next frame takes again.
void http2_rest(struct http2 *http2);
// Whether they are a frame that ends a stream early.
bool http2_is_reset(struct bytes bytes);
// Gives out one request that is whole, if the connection's limits allow. True: call again soon.
bool http2_dispatch(struct http2 *http2) must_check;
// Takes no further streams (GOAWAY); those that are there go on.
void http2_stop(struct http2 *http2);

// Nothing more will be read or sent.
bool http2_is_done(const struct http2 *http2);
// The peer has said its preface and settings.
bool http2_is_greeted(const struct http2 *http2);
size_t http2_streams(const struct http2 *http2);
// Whether a body has to come or an answer to go.
bool http2_waits_for_peer(const struct http2 *http2);
// Bytes of answers that are not out of the session's hands.
size_t http2_unsent(const struct http2 *http2);
// Bytes of the room that it holds.
size_t http2_held(const struct http2 *http2);
// Bytes of bodies that came so far.
uint64_t http2_body_bytes(const struct http2 *http2);

const struct headers *http2_headers(const struct http2_stream *stream);
// Whether the head was too long: what was kept of it is not whole.
bool http2_headers_cut(const struct http2_stream *stream);
// Whether the head was the whole request.
bool http2_has_no_body(const struct http2_stream *stream);
void http2_accept_body(struct http2_stream *stream, size_t max);
// The body becomes the caller's. Only from `request` on.
void http2_take_body(struct http2_stream *stream, struct buf *body);
// Answers once, and takes what the answer holds; empties it in any case.
void http2_answer(struct http2_stream *stream, struct http2_answer *answer);
// The same of an answer that is not whole yet: what it holds goes out, and what http2_more appends,
// until http2_end, with trailers (none: no fields). They take what they are given.
void http2_answer_open(struct http2_stream *stream, struct http2_answer *answer);
void http2_more(struct http2_stream *stream, struct buf *bytes);
void http2_end(struct http2_stream *stream, struct headers *trailers);
// Bytes of its answer that are not out of the session's hands.
size_t http2_stream_unsent(const struct http2_stream *stream);
void *http2_user(const struct http2_stream *stream);
void http2_set_user(struct http2_stream *stream, void *user);
