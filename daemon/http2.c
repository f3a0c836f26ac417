#include "daemon/http2.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/http2_private.h"

enum {
    STREAM_WINDOW = 256 << 10,
    CONNECTION_WINDOW = 1 << 20,
    ANSWER_HEADERS_MAX = 16,
    ANSWER_TABLE = 512, // bytes of HPACK (RFC 7541 section 4)
};

static const char other_protocol_answer[] = "HTTP/1.1 505 HTTP Version Not Supported\r\n"
                                            "content-type: text/plain\r\n"
                                            "content-length: 29\r\n"
                                            "connection: close\r\n"
                                            "\r\n"
                                            "This hub speaks only HTTP/2.\n";

static struct http2_stream *stream_of(struct http2 *http2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(http2->session, id);
}

// --- what comes ---

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *http2 = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct http2_stream *stream = http2_stream_new(http2, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    (void)nghttp2_session_set_stream_user_data(session, stream->id, stream);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    (void)session;
    (void)flags;
    struct http2_stream *stream = stream_of(user, frame->hd.stream_id);
    // Trailers say nothing that is asked for here.
    if (stream && !stream->head_done)
        headers_put(&stream->headers, bytes_of(name, name_n), bytes_of(value, value_n));
    return 0;
}

// Frames that move nothing cost the peer little and the hub some: so many a second and no more.
static void count_calm(struct http2 *http2)
{
    if (++http2->calm_frames == HTTP2_CALM_FRAMES_MAX)
        (void)nghttp2_session_terminate_session(http2->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void take_head(struct http2_stream *stream, bool is_end)
{
    if (stream->head_done)
        return;
    stream->head_done = true;
    stream->ended = is_end;
    stream->http2->events->head(stream->http2->owner, stream);
}

static bool moves_nothing(const nghttp2_frame *frame)
{
    uint8_t type = frame->hd.type;
    return type == NGHTTP2_RST_STREAM || type == NGHTTP2_PING || type == NGHTTP2_SETTINGS ||
           type == NGHTTP2_PRIORITY ||
           (type == NGHTTP2_DATA && frame->hd.length == 0 &&
            !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM));
}

// Some clients (libcurl 7.88) reset each stream after its answer has come to its end.
static bool is_late_reset(struct http2 *http2, const nghttp2_frame *frame)
{
    if (frame->hd.type != NGHTTP2_RST_STREAM || stream_of(http2, frame->hd.stream_id) ||
        http2->late_resets == 0)
        return false;
    http2->late_resets--;
    return true;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct http2 *http2 = user;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        http2->greeted = true;
    if (moves_nothing(frame) && !is_late_reset(http2, frame))
        count_calm(http2);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct http2_stream *stream = stream_of(http2, frame->hd.stream_id);
    if (!stream)
        return 0;
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS)
        take_head(stream, is_end);
    if (is_end)
        http2_stream_end(stream);
    return 0;
}

static bool has_room(const struct http2 *http2, size_t n)
{
    const struct http2_room *room = http2->limits->room;
    return http2->bodies + n <= http2->limits->bodies_bytes && room->used + n <= room->max;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user)
{
    (void)session;
    (void)flags;
    struct http2 *http2 = user;
    struct http2_stream *stream = stream_of(http2, id);
    http2->body_bytes += n;
    if (!stream || stream->stage != STAGE_BODY)
        return 0;
    if (n > stream->body_max - stream->body.n) {
        http2->events->excess(http2->owner, stream, HTTP2_BODY_TOO_LONG);
        return 0;
    }
    size_t before = stream->body.n;
    if (has_room(http2, n))
        buf_put(&stream->body, bytes_of(p, n));
    if (stream->body.n != before + n) {
        http2->events->excess(http2->owner, stream, HTTP2_NO_ROOM);
        return 0;
    }
    http2->bodies += n;
    http2->limits->room->used += n;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    struct http2 *http2 = user;
    struct http2_stream *stream = stream_of(http2, id);
    if (!stream)
        return 0;
    http2->late_resets +=
        stream->ended && stream->stage == STAGE_ANSWER && code == NGHTTP2_NO_ERROR;
    http2_stream_free(stream);
    return 0;
}

// --- what goes ---

// An answer before the request's end: the rest of the body is not wanted (RFC 9113 section 8.1).
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *http2 = user;
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        count_calm(http2); // a peer may also make the hub reset its streams
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    const struct http2_stream *stream = stream_of(http2, frame->hd.stream_id);
    if (stream && !stream->ended && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    return 0;
}

static size_t fill_fields(const struct headers *headers, nghttp2_nv *fields, size_t n)
{
    struct bytes name, value;
    for (size_t at = 0; n < ANSWER_HEADERS_MAX && headers_next(headers, &at, &name, &value); n++)
        fields[n] = (nghttp2_nv){.name = (uint8_t *)name.p,
                                 .value = (uint8_t *)value.p,
                                 .namelen = name.n,
                                 .valuelen = value.n};
    return n;
}

static void send_trailers(struct http2_stream *stream)
{
    nghttp2_nv fields[ANSWER_HEADERS_MAX];
    size_t n = fill_fields(&stream->answer.trailers, fields, 0);
    (void)nghttp2_submit_trailer(stream->http2->session, stream->id, fields, n);
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *p, size_t max,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)user;
    struct http2_stream *stream = source->ptr;
    const struct buf *body = &stream->answer.body;
    size_t n = body->n - stream->sent < max ? body->n - stream->sent : max;
    if (n > 0)
        memcpy(p, body->p + stream->sent, n);
    http2_stream_note_sent(stream, n);
    if (n == 0 && stream->is_open) {
        http2_stream_set_stage(stream, STAGE_OPEN);
        return NGHTTP2_ERR_DEFERRED;
    }
    if (stream->sent == body->n && !stream->is_open) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->answer.trailers.count > 0) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            send_trailers(stream);
        }
    }
    return (ssize_t)n;
}

static void submit(struct http2_stream *stream)
{
    char status[12];
    int status_n = snprintf(status, sizeof status, "%u", stream->answer.status);
    nghttp2_nv fields[ANSWER_HEADERS_MAX];
    fields[0] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t) ":status",
                             .namelen = 7,
                             .value = (uint8_t *)status,
                             .valuelen = (size_t)status_n};
    size_t n = fill_fields(&stream->answer.headers, fields, 1);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_answer};
    bool is_bare =
        !stream->is_open && stream->answer.body.n == 0 && stream->answer.trailers.count == 0;
    (void)nghttp2_submit_response(stream->http2->session, stream->id, fields, n,
                                  is_bare ? NULL : &body);
}

void http2_answer(struct http2_stream *stream, struct http2_answer *answer)
{
    assert(stream->stage != STAGE_ANSWER);
    struct http2 *http2 = stream->http2;
    if (stream->stage == STAGE_READY)
        http2_stream_leave_ready(stream);
    http2_stream_drop_body(stream);
    http2_stream_set_stage(stream, STAGE_ANSWER);
    stream->answer = *answer;
    *answer = (struct http2_answer){0};
    http2->queued += stream->answer.body.n;
    http2->limits->room->used += stream->answer.body.n;
    const struct http2_answer *kept = &stream->answer;
    if (kept->headers.text.err || kept->body.err || kept->trailers.text.err)
        (void)nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_INTERNAL_ERROR);
    else
        submit(stream);
}

void http2_answer_open(struct http2_stream *stream, struct http2_answer *answer)
{
    stream->is_open = true;
    http2_answer(stream, answer);
}

static void go_on(struct http2_stream *stream)
{
    http2_stream_set_stage(stream, STAGE_ANSWER);
    (void)nghttp2_session_resume_data(stream->http2->session, stream->id);
}

void http2_more(struct http2_stream *stream, struct buf *bytes)
{
    struct buf *body = &stream->answer.body;
    assert(stream->is_open);
    if (stream->sent == body->n) {
        stream->sent = 0;
        buf_reset(body);
    }
    size_t before = body->n;
    buf_put(body, buf_bytes(bytes));
    stream->http2->queued += body->n - before;
    stream->http2->limits->room->used += body->n - before;
    if (body->err || bytes->err)
        (void)nghttp2_submit_rst_stream(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_INTERNAL_ERROR);
    buf_done(bytes);
    go_on(stream);
}

void http2_end(struct http2_stream *stream, struct headers *trailers)
{
    assert(stream->is_open);
    stream->is_open = false;
    headers_done(&stream->answer.trailers);
    stream->answer.trailers = *trailers;
    *trailers = (struct headers){.size = 0};
    go_on(stream);
}

// --- the session ---

static int new_session(struct http2 *http2)
{
    nghttp2_session_callbacks *callbacks;
    int code = nghttp2_session_callbacks_new(&callbacks);
    if (code)
        return code;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_option *option = NULL;
    nghttp2_mem memory = http2_memory(http2);
    code = nghttp2_option_new(&option);
    if (!code) {
        // Priorities are not asked for, and an answer repeats few fields.
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_deflate_dynamic_table_size(option, ANSWER_TABLE);
        code = nghttp2_session_server_new3(&http2->session, callbacks, http2, option, &memory);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return code;
}

static int greet(const struct http2 *http2)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, http2->limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)http2->limits->header_bytes},
    };
    int code = nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                                       sizeof settings / sizeof *settings);
    return code ? code
                : nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0,
                                                        CONNECTION_WINDOW);
}

enum err http2_new(const struct http2_limits *limits, const struct http2_events *events,
                   void *owner, struct http2 **out)
{
    struct http2 *http2 = calloc(1, sizeof *http2);
    if (!http2)
        return ERR_NOMEM;
    http2->limits = limits;
    http2->events = events;
    http2->owner = owner;
    http2->ready_end = &http2->ready;
    if (new_session(http2) || greet(http2)) {
        http2_free(&http2);
        return ERR_NOMEM;
    }
    *out = http2;
    return OK;
}

void http2_free(struct http2 **http2)
{
    if (!*http2)
        return;
    nghttp2_session_del((*http2)->session);
    while ((*http2)->streams)
        http2_stream_free((*http2)->streams);
    free(*http2);
    *http2 = NULL;
}

enum err http2_feed(struct http2 *http2, struct bytes bytes, int64_t now)
{
    if (now / 1000 != http2->calm_second) {
        http2->calm_second = now / 1000;
        http2->calm_frames = 0;
    }
    ssize_t n = nghttp2_session_mem_recv(http2->session, bytes.p, bytes.n);
    if (n == (ssize_t)bytes.n)
        return OK;
    http2->broken = true;
    http2->other_protocol = n == NGHTTP2_ERR_BAD_CLIENT_MAGIC;
    return ERR_MALFORMED;
}

enum err http2_output(struct http2 *http2, struct bytes *bytes)
{
    *bytes = (struct bytes){NULL, 0};
    if (http2->other_protocol) {
        http2->other_protocol = false;
        *bytes = bytes_of_text(other_protocol_answer);
        return OK;
    }
    if (http2->broken && !http2->greeted)
        return OK;
    const uint8_t *p;
    ssize_t n = nghttp2_session_mem_send(http2->session, &p);
    if (n < 0)
        return ERR_NOMEM;
    *bytes = bytes_of(p, (size_t)n);
    return OK;
}

bool http2_is_reset(struct bytes bytes)
{
    enum { TYPE_AT = 3 }; // RFC 9113 section 4.1
    return bytes.n > TYPE_AT && bytes.p[TYPE_AT] == NGHTTP2_RST_STREAM;
}

static bool may_dispatch(const struct http2 *http2)
{
    return http2->ready && http2->in_work < HTTP2_IN_WORK_MAX &&
           http2->queued < http2->limits->queued_bytes;
}

bool http2_dispatch(struct http2 *http2)
{
    if (!may_dispatch(http2))
        return false;
    struct http2_stream *stream = http2->ready;
    http2_stream_leave_ready(stream);
    http2_stream_set_stage(stream, STAGE_WORK);
    http2->events->request(http2->owner, stream);
    return may_dispatch(http2);
}

void http2_stop(struct http2 *http2)
{
    (void)nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(http2->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

bool http2_is_done(const struct http2 *http2)
{
    return !nghttp2_session_want_read(http2->session) &&
           !nghttp2_session_want_write(http2->session);
}

bool http2_is_greeted(const struct http2 *http2)
{
    return http2->greeted;
}
