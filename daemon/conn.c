#include "daemon/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "daemon/log.h"

enum {
    READ_SIZE = 16 << 10,
    SWEEP_MS = 500,
    LINGER_MS = 2000,
    REFUSAL_LOG_MS = 60000,
    UNSENT_IN_KERNEL = 128 << 10, // so that what waits is counted here and not hidden there
    OUT_MAX = 16 << 20,
};

enum state {
    STATE_OPEN,
    STATE_FINISHING, // sends what is left, reads nothing
    STATE_LINGERING, // has shut its end, waits for the peer to shut its own
};

struct conn {
    struct conns *conns;
    struct conn *next;
    struct conn *previous;
    struct loop_release release;
    enum state state;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *again; // a turn without anything to read
    struct channel channel;
    struct http2 *http2;
    struct buf out;
    size_t out_at;
    bool has_address;
    uint8_t address[ATTEMPTS_ADDRESS_SIZE];
    int64_t state_since;
    int64_t idle_since;
    int64_t window_since; // 0: not waiting for the peer
    uint64_t window_moved;
    uint64_t written;
};

struct conns {
    struct conn_options options;
    struct loop *loop;
    struct conn *first;
    size_t count;
    uint64_t refused;
    int64_t refusal_logged;
    bool paused;
    bool stopping;
    void (*gone)(void *arg);
    void *gone_arg;
    struct loop_timer *sweep;
    uint8_t wire[READ_SIZE];
    struct buf text; // of one feed
};

static size_t unsent(const struct conn *conn)
{
    return conn->out.n - conn->out_at;
}

// --- the end of a connection ---

static void free_conn(void *what)
{
    free(what);
}

static void close_conn(struct conn *conn)
{
    struct conns *conns = conn->conns;
    if (conn->fd < 0)
        return;
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

static void set_state(struct conn *conn, enum state state)
{
    conn->state = state;
    conn->state_since = loop_now(conn->conns->loop);
}

static void finish(struct conn *conn)
{
    if (conn->state != STATE_OPEN)
        return;
    channel_finish(&conn->channel, &conn->out);
    set_state(conn, STATE_FINISHING);
}

// --- what goes ---

// False: the connection is closed.
static bool write_out(struct conn *conn)
{
    while (unsent(conn) > 0) {
        ssize_t n = send(conn->fd, conn->out.p + conn->out_at, unsent(conn), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0) {
            close_conn(conn);
            return false;
        }
        conn->out_at += (size_t)n;
        conn->written += (size_t)n;
    }
    conn->out_at = 0;
    buf_reset(&conn->out);
    return true;
}

// Takes from HTTP/2 as much as may be queued. False: it failed.
static bool fill_out(struct conn *conn)
{
    while (channel_is_open(&conn->channel) && unsent(conn) < conn->conns->options.queued_bytes) {
        struct bytes bytes;
        if (http2_output(conn->http2, &bytes))
            return false;
        if (bytes.n == 0)
            return true;
        if (channel_send(&conn->channel, bytes, &conn->out))
            return false;
    }
    return true;
}

static void drop_sent(struct conn *conn)
{
    if (conn->out_at < conn->conns->options.queued_bytes / 2)
        return;
    buf_drop(&conn->out, conn->out_at);
    conn->out_at = 0;
}

// Writes until the socket takes no more or there is no more. False: closed.
static bool send_all(struct conn *conn)
{
    do {
        drop_sent(conn);
        if (conn->state == STATE_OPEN && !fill_out(conn)) {
            close_conn(conn);
            return false;
        }
        if (!write_out(conn))
            return false;
    } while (conn->state == STATE_OPEN && unsent(conn) == 0 && conn->out.n == 0 &&
             fill_out(conn) && unsent(conn) > 0);
    return true;
}

static void set_watch(struct conn *conn)
{
    bool reads = conn->state == STATE_LINGERING ||
                 (conn->state == STATE_OPEN && !conn->conns->paused &&
                  unsent(conn) < conn->conns->options.queued_bytes);
    loop_watch_set(conn->watch,
                   (reads ? LOOP_READ : 0u) | (unsent(conn) > 0 ? LOOP_WRITE : 0u));
}

static void pause_all(struct conns *conns)
{
    conns->paused = true;
    for (struct conn *conn = conns->first; conn; conn = conn->next)
        set_watch(conn);
}

// Gives out a request, sends what there is, and sees whether the end has come.
static void turn(struct conn *conn)
{
    if (conn->state == STATE_OPEN && http2_dispatch(conn->http2))
        loop_timer_set(conn->again, 0);
    if (!conn->conns->paused && writer_is_full(conn->conns->options.calls->writer))
        pause_all(conn->conns);
    if (!send_all(conn))
        return;
    if (conn->state == STATE_OPEN && http2_is_done(conn->http2)) {
        finish(conn);
        if (!write_out(conn))
            return;
    }
    if (conn->state == STATE_FINISHING && unsent(conn) == 0) {
        (void)shutdown(conn->fd, SHUT_WR);
        set_state(conn, STATE_LINGERING);
    }
    set_watch(conn);
}

static void on_again(void *arg)
{
    turn(arg);
}

// --- what comes ---

// False: the peer broke the protocol or has ended it; what is to be said stands in `out`.
static bool feed(struct conn *conn, struct bytes wire)
{
    struct conns *conns = conn->conns;
    buf_reset(&conns->text);
    enum err channel_err = channel_feed(&conn->channel, wire, &conns->text, &conn->out);
    enum err err = OK;
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
        close_conn(conn);
        return;
    }
    if (conn->state == STATE_OPEN && !feed(conn, bytes_of(conns->wire, (size_t)n)))
        finish(conn);
}

static void on_ready(void *arg, unsigned what)
{
    struct conn *conn = arg;
    if (what == LOOP_READ)
        read_some(conn);
    if (conn->fd >= 0)
        turn(conn);
}

// --- time ---

// What reached the peer or came from it as a body.
static uint64_t moved(const struct conn *conn, bool *has_unacknowledged)
{
    int waiting = 0;
    if (ioctl(conn->fd, SIOCOUTQ, &waiting) || waiting < 0)
        waiting = 0;
    *has_unacknowledged = waiting > 0;
    return conn->written - (uint64_t)waiting + http2_body_bytes(conn->http2);
}

// False: it drips.
static bool makes_progress(struct conn *conn, int64_t now)
{
    const struct conn_options *options = &conn->conns->options;
    bool has_unacknowledged;
    uint64_t so_far = moved(conn, &has_unacknowledged);
    bool waits = has_unacknowledged || unsent(conn) > 0 ||
                 (conn->state == STATE_OPEN && http2_waits_for_peer(conn->http2));
    if (!waits) {
        conn->window_since = 0;
        return true;
    }
    conn->idle_since = now;
    if (conn->window_since && now - conn->window_since < options->progress_ms)
        return true;
    bool is_enough =
        !conn->window_since || so_far >= conn->window_moved + options->progress_bytes;
    conn->window_since = now;
    conn->window_moved = so_far;
    return is_enough;
}

static void check_time(struct conn *conn, int64_t now)
{
    const struct conn_options *options = &conn->conns->options;
    int64_t age = now - conn->state_since;
    if (conn->state == STATE_LINGERING ? age > LINGER_MS
                                       : !http2_is_greeted(conn->http2) &&
                                             age > options->handshake_ms) {
        close_conn(conn);
        return;
    }
    if (conn->state == STATE_LINGERING)
        return;
    if (!makes_progress(conn, now)) {
        log_put(LOG_DEBUG, "a connection that did not move was cut");
        close_conn(conn);
        return;
    }
    if (http2_streams(conn->http2) > 0)
        conn->idle_since = now;
    if (conn->state == STATE_OPEN && now - conn->idle_since > options->idle_ms) {
        http2_stop(conn->http2);
        turn(conn);
    }
}

static void on_sweep(void *arg)
{
    struct conns *conns = arg;
    int64_t now = loop_now(conns->loop);
    for (struct conn *conn = conns->first, *next; conn; conn = next) {
        next = conn->next;
        check_time(conn, now);
    }
    if (conns->count > 0)
        loop_timer_set(conns->sweep, SWEEP_MS);
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

// --- the beginning of a connection ---

// Of IPv6 the network's half, which is what one household or phone is given.
static bool read_address(int fd, uint8_t address[ATTEMPTS_ADDRESS_SIZE])
{
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    memset(address, 0, ATTEMPTS_ADDRESS_SIZE);
    if (getpeername(fd, (struct sockaddr *)(void *)&peer, &n))
        return false;
    if (peer.ss_family == AF_INET) {
        memcpy(address + 8, &((struct sockaddr_in *)(void *)&peer)->sin_addr, 4);
        return true;
    }
    if (peer.ss_family == AF_INET6)
        memcpy(address, &((struct sockaddr_in6 *)(void *)&peer)->sin6_addr, 8);
    return peer.ss_family == AF_INET6;
}

static bool has_place(const struct conns *conns, const struct conn *conn)
{
    size_t same = 0;
    if (conns->stopping || conns->count >= conns->options.connections)
        return false;
    for (const struct conn *other = conns->first; other && conn->has_address; other = other->next)
        same += other->has_address &&
                memcmp(other->address, conn->address, ATTEMPTS_ADDRESS_SIZE) == 0;
    return same < conns->options.connections_per_address;
}

static void refuse(struct conns *conns)
{
    int64_t now = loop_now(conns->loop);
    conns->refused++;
    if (conns->refusal_logged && now - conns->refusal_logged < REFUSAL_LOG_MS)
        return;
    conns->refusal_logged = now;
    log_put(LOG_WARNING, "too many connections: %llu turned away so far",
            (unsigned long long)conns->refused);
}

static void set_socket_options(int fd)
{
    int on = 1, unsent_max = UNSENT_IN_KERNEL;
    // On a unix socket these fail, and nothing is lost.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof unsent_max);
}

static bool open_conn(struct conn *conn, enum channel_kind kind, const struct tls_context *context)
{
    struct conns *conns = conn->conns;
    conn->watch = loop_watch_new(conns->loop, conn->fd, on_ready, conn);
    conn->again = loop_timer_new(conns->loop, on_again, conn);
    return conn->watch && conn->again && !channel_init(&conn->channel, kind, context) &&
           !http2_new(&conns->options.http2, &events, conn, &conn->http2);
}

static void enlist(struct conns *conns, struct conn *conn)
{
    conn->next = conns->first;
    if (conn->next)
        conn->next->previous = conn;
    conns->first = conn;
    if (conns->count++ == 0)
        loop_timer_set(conns->sweep, SWEEP_MS);
}

void conns_take(struct conns *conns, int fd, enum channel_kind kind,
                const struct tls_context *context)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        (void)close(fd);
        return;
    }
    // Behind a proxy all addresses are the proxy's and say nothing.
    conn->has_address = kind == CHANNEL_TLS && read_address(fd, conn->address);
    if (!has_place(conns, conn)) {
        refuse(conns);
        (void)close(fd);
        free(conn);
        return;
    }
    conn->conns = conns;
    conn->fd = fd;
    conn->out.max = OUT_MAX;
    set_state(conn, STATE_OPEN);
    conn->idle_since = conn->state_since;
    enlist(conns, conn);
    set_socket_options(fd);
    if (open_conn(conn, kind, context))
        set_watch(conn);
    else
        close_conn(conn);
}

// --- all of them ---

enum err conns_new(const struct conn_options *options, struct conns **out)
{
    struct conns *conns = calloc(1, sizeof *conns);
    if (!conns)
        return ERR_NOMEM;
    conns->options = *options;
    conns->loop = options->calls->loop;
    conns->sweep = loop_timer_new(conns->loop, on_sweep, conns);
    if (!conns->sweep) {
        free(conns);
        return ERR_NOMEM;
    }
    *out = conns;
    return OK;
}

void conns_free(struct conns **conns)
{
    if (!*conns)
        return;
    (*conns)->stopping = false;
    while ((*conns)->first)
        close_conn((*conns)->first);
    loop_timer_free(&(*conns)->sweep);
    buf_done(&(*conns)->text);
    free(*conns);
    *conns = NULL;
}

void conns_resume(struct conns *conns)
{
    conns->paused = false;
    for (struct conn *conn = conns->first; conn; conn = conn->next)
        set_watch(conn);
}

void conns_stop(struct conns *conns, void (*gone)(void *arg), void *arg)
{
    conns->stopping = true;
    conns->gone = gone;
    conns->gone_arg = arg;
    if (conns->count == 0) {
        gone(arg);
        return;
    }
    for (struct conn *conn = conns->first, *next; conn; conn = next) {
        next = conn->next;
        if (conn->state == STATE_OPEN) {
            http2_stop(conn->http2);
            turn(conn);
        }
    }
}

size_t conns_count(const struct conns *conns)
{
    return conns->count;
}

uint64_t conns_refused(const struct conns *conns)
{
    return conns->refused;
}
