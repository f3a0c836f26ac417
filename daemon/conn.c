#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/conn_private.h"

enum { SEND_A_TURN = 32 << 10 };

size_t conn_unsent(const struct conn *conn)
{
    return conn->out.n - conn->out_at;
}

// --- the end of a connection ---

static void free_conn(void *what)
{
    free(what);
}

void conn_close(struct conn *conn)
{
    struct conns *conns = conn->conns;
    if (conn->fd < 0)
        return;
    conns->counts.handshakes_failed += conn->channel.kind == CHANNEL_TLS && !conn->was_open;
    loop_watch_free(&conn->watch);
    loop_timer_free(&conn->again);
    http2_free(&conn->http2);
    channel_done(&conn->channel);
    buf_done(&conn->out);
    (void)close(conn->fd);
    conn->fd = -1;
    if (conn->next)
        conn->next->previous = conn->previous;
    *(conn->previous ? &conn->previous->next : &conns->first) = conn->next;
    conns->count--;
    // Callers up the stack may still look at it.
    conn->release = (struct loop_release){.release = free_conn, .what = conn};
    loop_release_later(conns->loop, &conn->release);
    if (conns->stopping && conns->count == 0)
        conns->gone(conns->gone_arg);
}

void conn_set_state(struct conn *conn, enum state state)
{
    conn->state = state;
    conn->state_since = loop_now(conn->conns->loop);
}

static void finish(struct conn *conn)
{
    if (conn->state != STATE_OPEN)
        return;
    channel_finish(&conn->channel, &conn->out);
    conn_set_state(conn, STATE_FINISHING);
}

// --- what goes ---

// False: the connection is closed. While somebody may be about to be cut off nobody is sent
// anything.
static bool write_out(struct conn *conn)
{
    while (conn_unsent(conn) > 0) {
        if (writer_is_deciding(conn->conns->options.calls->writer))
            return true;
        ssize_t n = send(conn->fd, conn->out.p + conn->out_at, conn_unsent(conn), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0) {
            conn_close(conn);
            return false;
        }
        conn->out_at += (size_t)n;
        conn->written += (size_t)n;
        conn->conns->counts.bytes_out += (size_t)n;
    }
    conn->out_at = 0;
    buf_done(&conn->out); // most connections are idle most of the time
    return true;
}

static bool flush(struct conn *conn, struct buf *frames)
{
    bool is_sent = !frames->err && !channel_send(&conn->channel, buf_bytes(frames), &conn->out);
    buf_reset(frames);
    return is_sent;
}

// Takes frames of HTTP/2 together, so that a record of TLS, which costs 22 bytes, is not spent on
// each; but for a stream's reset, for there are clients (libcurl 7.88) to whom it undoes an answer
// that they read at the same time. False: it failed.
static bool gather(struct conn *conn, struct buf *frames)
{
    struct bytes bytes;
    do {
        if (http2_output(conn->http2, &bytes))
            return false;
        if (http2_is_reset(bytes) && !flush(conn, frames))
            return false;
        buf_put(frames, bytes);
    } while (bytes.n > 0 && frames->n < CONN_FRAMES_SIZE);
    return true;
}

static size_t fill_max(const struct conn *conn)
{
    size_t max = conn->conns->options.queued_bytes;
    return max < SEND_A_TURN ? max : SEND_A_TURN;
}

// Takes from HTTP/2 as much as may be queued. False: it failed.
static bool fill_out(struct conn *conn)
{
    struct buf *frames = &conn->conns->frames;
    bool is_sound = true;
    bool any = true;
    buf_reset(frames);
    while (is_sound && any && channel_is_open(&conn->channel) &&
           conn_unsent(conn) < fill_max(conn)) {
        size_t before = http2_unsent(conn->http2);
        is_sound = gather(conn, frames);
        any = frames->n > 0;
        is_sound = flush(conn, frames) && is_sound;
        if (http2_unsent(conn->http2) < before)
            conn->answered = conn->written + conn_unsent(conn);
    }
    return is_sound;
}

static void drop_sent(struct conn *conn)
{
    if (conn->out_at < conn->conns->options.queued_bytes / 2)
        return;
    buf_drop(&conn->out, conn->out_at);
    conn->out_at = 0;
}

// Writes until the socket takes no more, there is no more, or others shall have their turn. False:
// closed.
static bool send_some(struct conn *conn)
{
    uint64_t until = conn->written + SEND_A_TURN;
    conn->is_cut = false;
    for (;;) {
        drop_sent(conn);
        if (conn->state == STATE_OPEN && !fill_out(conn)) {
            conn_close(conn);
            return false;
        }
        if (conn_unsent(conn) == 0)
            return true;
        if (!write_out(conn))
            return false;
        conn->is_cut = conn_unsent(conn) == 0 && conn->written >= until;
        if (conn_unsent(conn) > 0 || conn->is_cut)
            return true;
    }
}

void conn_set_watch(struct conn *conn)
{
    bool reads =
        conn->state == STATE_LINGERING || (conn->state == STATE_OPEN && !conn->conns->paused &&
                                           conn_unsent(conn) < conn->conns->options.queued_bytes);
    loop_watch_set(conn->watch, (reads ? LOOP_READ : 0u) |
                                    (conn_unsent(conn) > 0 || conn->is_cut ? LOOP_WRITE : 0u));
}

static void pause_all(struct conns *conns)
{
    conns->paused = true;
    for (struct conn *conn = conns->first; conn; conn = conn->next)
        conn_set_watch(conn);
}

// Gives out a request, sends what there is, and sees whether the end has come.
void conn_turn(struct conn *conn)
{
    if (conn->state == STATE_OPEN && http2_dispatch(conn->http2))
        loop_timer_set(conn->again, 0);
    if (!conn->conns->paused && writer_is_full(conn->conns->options.calls->writer))
        pause_all(conn->conns);
    if (!send_some(conn))
        return;
    if (conn->state == STATE_OPEN && http2_is_done(conn->http2)) {
        finish(conn);
        if (!write_out(conn))
            return;
    }
    if (conn->state == STATE_FINISHING && conn_unsent(conn) == 0) {
        (void)shutdown(conn->fd, SHUT_WR);
        conn_set_state(conn, STATE_LINGERING);
    }
    conn_set_watch(conn);
}

static void on_again(void *arg)
{
    conn_turn(arg);
}

// --- what comes ---

static void note_handshake(struct conn *conn)
{
    if (conn->was_open || !channel_is_open(&conn->channel))
        return;
    conn->was_open = true;
    conn->conns->counts.handshakes += conn->channel.kind == CHANNEL_TLS;
}

// False: the peer broke the protocol or has ended it; what is to be said stands in `out`.
static bool feed(struct conn *conn, struct bytes wire)
{
    struct conns *conns = conn->conns;
    buf_reset(&conns->text);
    enum err channel_err = channel_feed(&conn->channel, wire, &conns->text, &conn->out);
    enum err err = OK;
    note_handshake(conn);
    if (conns->text.n > 0)
        err = http2_feed(conn->http2, buf_bytes(&conns->text), loop_now(conns->loop));
    if (err && !channel_err && !fill_out(conn))
        return false;
    return !err && !channel_err;
}

static void read_some(struct conn *conn)
{
    struct conns *conns = conn->conns;
    ssize_t n = recv(conn->fd, conns->wire, sizeof conns->wire, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(conn);
        return;
    }
    conns->counts.bytes_in += (size_t)n;
    if (conn->state == STATE_OPEN && !feed(conn, bytes_of(conns->wire, (size_t)n)))
        finish(conn);
}

static void on_ready(void *arg, unsigned what)
{
    struct conn *conn = arg;
    if (what == LOOP_READ)
        read_some(conn);
    if (conn->fd >= 0)
        conn_turn(conn);
}

// --- the calls' side ---

static void wake(void *arg)
{
    struct conn *conn = arg;
    loop_timer_set(conn->again, 0);
}

static void on_head(void *owner, struct http2_stream *stream)
{
    struct conn *conn = owner;
    struct call_peer peer = {
        .address = conn->has_address ? conn->address : NULL,
        .tls_key = channel_key_hash(&conn->channel),
        .carried = &conn->carried,
        .wake = wake,
        .arg = conn,
    };
    call_head(conn->conns->options.calls, &peer, stream);
}

static void on_request(void *owner, struct http2_stream *stream)
{
    (void)owner;
    call_request(stream);
}

static void on_excess(void *owner, struct http2_stream *stream, enum http2_excess excess)
{
    (void)owner;
    call_excess(stream, excess);
}

static void on_closed(void *owner, struct http2_stream *stream)
{
    (void)owner;
    call_closed(stream);
}

static const struct http2_events events = {on_head, on_request, on_excess, on_closed};

bool conn_open(struct conn *conn, enum channel_kind kind, const struct tls_context *context)
{
    struct conns *conns = conn->conns;
    conn->watch = loop_watch_new(conns->loop, conn->fd, on_ready, conn);
    conn->again = loop_timer_new(conns->loop, on_again, conn);
    return conn->watch && conn->again && !channel_init(&conn->channel, kind, context) &&
           !http2_new(&conns->options.http2, &events, conn, &conn->http2);
}
