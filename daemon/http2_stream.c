#include <stdlib.h>

#include "daemon/http2_private.h"

void http2_answer_done(struct http2_answer *answer)
{
    headers_done(&answer->headers);
    buf_done(&answer->body);
    headers_done(&answer->trailers);
}

// --- accounts ---

static bool is_waiting(const struct http2_stream *stream)
{
    return stream->stage == STAGE_BODY || stream->stage == STAGE_ANSWER;
}

void http2_stream_set_stage(struct http2_stream *stream, enum stage stage)
{
    struct http2 *http2 = stream->http2;
    http2->waiting -= is_waiting(stream);
    http2->in_work -= stream->stage == STAGE_WORK;
    stream->stage = stage;
    http2->waiting += is_waiting(stream);
    http2->in_work += stage == STAGE_WORK;
}

void http2_stream_drop_body(struct http2_stream *stream)
{
    stream->http2->bodies -= stream->body.n;
    stream->http2->limits->room->used -= stream->body.n;
    buf_done(&stream->body);
}

void http2_stream_note_sent(struct http2_stream *stream, size_t n)
{
    stream->sent += n;
    stream->http2->queued -= n;
    stream->http2->limits->room->used -= n;
}

void http2_stream_leave_ready(struct http2_stream *stream)
{
    struct http2 *http2 = stream->http2;
    for (struct http2_stream **at = &http2->ready; *at; at = &(*at)->next_ready) {
        if (*at != stream)
            continue;
        *at = stream->next_ready;
        if (http2->ready_end == &stream->next_ready)
            http2->ready_end = at;
        return;
    }
}

// --- streams ---

struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id)
{
    struct http2_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->http2 = http2;
    stream->id = id;
    stream->stage = STAGE_READY; // which no account counts
    http2_stream_set_stage(stream, STAGE_BODY);
    stream->headers.size_max = http2->limits->header_bytes;
    stream->headers.text.max = http2->limits->header_bytes;
    stream->next = http2->streams;
    if (stream->next)
        stream->next->previous = stream;
    http2->streams = stream;
    http2->streams_n++;
    return stream;
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2 *http2 = stream->http2;
    http2->events->closed(http2->owner, stream);
    if (stream->stage == STAGE_READY)
        http2_stream_leave_ready(stream);
    http2_stream_set_stage(stream, STAGE_READY);
    http2_stream_drop_body(stream);
    http2_stream_note_sent(stream, stream->answer.body.n - stream->sent);
    if (stream->next)
        stream->next->previous = stream->previous;
    *(stream->previous ? &stream->previous->next : &http2->streams) = stream->next;
    http2->streams_n--;
    headers_done(&stream->headers);
    http2_answer_done(&stream->answer);
    free(stream);
}

void http2_stream_end(struct http2_stream *stream)
{
    struct http2 *http2 = stream->http2;
    stream->ended = true;
    if (stream->stage != STAGE_BODY)
        return;
    http2_stream_set_stage(stream, STAGE_READY);
    stream->next_ready = NULL;
    *http2->ready_end = stream;
    http2->ready_end = &stream->next_ready;
}

// --- what is told ---

size_t http2_streams(const struct http2 *http2)
{
    return http2->streams_n;
}

bool http2_waits_for_peer(const struct http2 *http2)
{
    return http2->waiting > 0;
}

size_t http2_held(const struct http2 *http2)
{
    return http2->bodies + http2->queued;
}

size_t http2_unsent(const struct http2 *http2)
{
    return http2->queued;
}

size_t http2_stream_unsent(const struct http2_stream *stream)
{
    return stream->answer.body.n - stream->sent;
}

uint64_t http2_body_bytes(const struct http2 *http2)
{
    return http2->body_bytes;
}

const struct headers *http2_headers(const struct http2_stream *stream)
{
    return &stream->headers;
}

bool http2_headers_cut(const struct http2_stream *stream)
{
    return stream->headers.text.err != OK;
}

bool http2_has_no_body(const struct http2_stream *stream)
{
    return stream->ended;
}

void http2_accept_body(struct http2_stream *stream, size_t max)
{
    stream->body_max = max;
}

void http2_take_body(struct http2_stream *stream, struct buf *body)
{
    stream->http2->bodies -= stream->body.n;
    stream->http2->limits->room->used -= stream->body.n;
    *body = stream->body;
    stream->body = (struct buf){0};
}

void *http2_user(const struct http2_stream *stream)
{
    return stream->user;
}

void http2_set_user(struct http2_stream *stream, void *user)
{
    stream->user = user;
}
