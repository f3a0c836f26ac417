#include "daemon/conns.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/conn_private.h"
#include "daemon/report.h"

enum {
    REST_MS = 2000,
    SWEEP_MS = 500,
    LINGER_MS = 2000,
    JUDGED_AFTER_MS = 1000,
    GREETED_AFTER_MS = 5000,
    USED_A_SECOND = 256, // bytes; what moves more keeps its place
    CUTS_A_SWEEP = 64,
    REFUSAL_REPORT_MS = 60000,
    UNSENT_IN_KERNEL = 128 << 10, // so that what waits is counted here and not hidden there
    OUT_MAX = 16 << 20,
};

// Closing with a linger of no time drops the kernel's queue and sends RST (RFC 9293
// section 3.10.7).
static void reset(struct conn *conn, enum conns_cut why)
{
    conn->conns->counts.cut[why]++;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn_close(conn);
}

// --- time ---

// What reached the peer or came from it as a body.
static uint64_t moved(const struct conn *conn, bool *has_unacknowledged)
{
    int waiting = 0;
    if (ioctl(conn->fd, SIOCOUTQ, &waiting) || waiting < 0)
        waiting = 0;
    *has_unacknowledged = waiting > 0;
    // What waits may count the connection's end, too.
    uint64_t arrived = conn->written > (uint64_t)waiting ? conn->written - (uint64_t)waiting : 0;
    return arrived + http2_body_bytes(conn->http2);
}

// False: it drips.
static bool makes_progress(struct conn *conn, int64_t now)
{
    const struct conn_options *options = &conn->conns->options;
    bool has_unacknowledged;
    uint64_t so_far = moved(conn, &has_unacknowledged);
    bool waits = has_unacknowledged || conn_unsent(conn) > 0 ||
                 (conn->state == STATE_OPEN && http2_waits_for_peer(conn->http2));
    if (!waits) {
        conn->window_since = 0;
        return true;
    }
    conn->idle_since = now;
    if (conn->conns->paused) { // nobody can move what is not read
        conn->window_since = now;
        conn->window_moved = so_far;
        return true;
    }
    if (conn->window_since && now - conn->window_since < options->progress_ms)
        return true;
    bool is_enough = !conn->window_since || so_far >= conn->window_moved + options->progress_bytes;
    conn->window_since = now;
    conn->window_moved = so_far;
    return is_enough;
}

static void check_time(struct conn *conn, int64_t now)
{
    const struct conn_options *options = &conn->conns->options;
    int64_t age = now - conn->state_since;
    if (conn->state == STATE_LINGERING
            ? age > LINGER_MS
            : !http2_is_greeted(conn->http2) && age > options->handshake_ms) {
        conn->conns->counts.cut[CONNS_CUT_HANDSHAKE] += conn->state != STATE_LINGERING;
        conn_close(conn);
        return;
    }
    if (conn->state == STATE_LINGERING)
        return;
    if (!makes_progress(conn, now)) {
        report_put(REPORT_DEBUG, "a connection that did not move was cut");
        reset(conn, CONNS_CUT_STALLED); // else the kernel goes on offering what nobody fetches
        return;
    }
    if (http2_streams(conn->http2) > 0)
        conn->idle_since = now;
    bool is_resting = now - conn->idle_since > REST_MS;
    if (is_resting && !conn->is_resting)
        http2_rest(conn->http2);
    conn->is_resting = is_resting;
    if (conn->state == STATE_OPEN && now - conn->idle_since > options->idle_ms) {
        http2_stop(conn->http2);
        conn_turn(conn);
    }
}

// Bytes a second that moved within its window, which has lasted for so long.
static uint64_t speed_of(const struct conn *conn, int64_t age_ms)
{
    bool has_unacknowledged;
    uint64_t so_far = moved(conn, &has_unacknowledged);
    // A connection's end that waits, too, makes it less than it was.
    uint64_t n = so_far > conn->window_moved ? so_far - conn->window_moved : 0;
    return n * 1000 / (uint64_t)age_ms;
}

// --- room ---

// Bytes a second that moved, of those that hold room and have been waited for long enough to tell.
// False: not of those.
static bool find_speed(const struct conn *conn, int64_t now, uint64_t *speed)
{
    int64_t age = now - conn->window_since;
    if (http2_held(conn->http2) == 0 || !conn->window_since || age < JUDGED_AFTER_MS)
        return false;
    *speed = speed_of(conn, age);
    return true;
}

static struct conn *slowest_holder(const struct conns *conns, int64_t now)
{
    struct conn *slowest = NULL;
    uint64_t least = UINT64_MAX, speed;
    for (struct conn *conn = conns->first; conn; conn = conn->next) {
        if (!find_speed(conn, now, &speed) || speed >= least)
            continue;
        least = speed;
        slowest = conn;
    }
    return slowest;
}

// Progress that would keep a connection while there is room keeps it no longer: a device with many
// connections could hold all of it and keep everybody out. Whoever moves least goes first.
static void make_room(struct conns *conns, int64_t now)
{
    const struct http2_room *room = conns->options.http2.room;
    size_t n = 0;
    for (struct conn *conn; n < CUTS_A_SWEEP && room->used > room->max / 4 * 3; n++) {
        conn = slowest_holder(conns, now);
        if (!conn)
            break;
        reset(conn, CONNS_CUT_ROOM);
    }
    if (n == 0 || (conns->cut_reported && now - conns->cut_reported < REFUSAL_REPORT_MS))
        return;
    conns->cut_reported = now;
    report_event(REPORT_WARNING, &(struct report_about){.event = "memory_short"},
                 "memory_bytes is held: %llu slow connections cut so far",
                 (unsigned long long)conns->counts.cut[CONNS_CUT_ROOM]);
}

// --- places ---

// Bytes a second that moved, of those that have been there for long enough to tell; 0 of those of
// whom nothing is awaited. False: not of those.
static bool find_worth(const struct conn *conn, int64_t now, uint64_t *speed)
{
    int64_t age = now - conn->window_since;
    *speed = 0;
    if (conn->state == STATE_LINGERING || !http2_is_greeted(conn->http2))
        return now - conn->state_since >= GREETED_AFTER_MS;
    if (!conn->window_since)
        return http2_streams(conn->http2) == 0 && now - conn->idle_since >= JUDGED_AFTER_MS;
    if (age < JUDGED_AFTER_MS)
        return false;
    *speed = speed_of(conn, age);
    return true;
}

// When all places are taken, by whomever, the one that is used least is given to who comes. False:
// all are used, or were given a moment ago.
static bool free_place(struct conns *conns)
{
    struct conn *least_used = NULL;
    uint64_t least = USED_A_SECOND, speed;
    int64_t now = loop_now(conns->loop);
    // From the youngest to the oldest.
    for (struct conn *conn = conns->first; conn; conn = conn->next) {
        if (!find_worth(conn, now, &speed) || speed > least)
            continue;
        least = speed;
        least_used = conn;
    }
    if (!least_used)
        return false;
    reset(least_used, CONNS_CUT_PLACE);
    return true;
}

static void on_sweep(void *arg)
{
    struct conns *conns = arg;
    int64_t now = loop_now(conns->loop);
    make_room(conns, now);
    for (struct conn *conn = conns->first, *next; conn; conn = next) {
        next = conn->next;
        check_time(conn, now);
    }
    if (conns->count > 0)
        loop_timer_set(conns->sweep, SWEEP_MS);
}

// --- the beginning of a connection ---

// Of IPv6 the network's half, which is what one household or phone is given.
static bool read_address(int fd, uint8_t address[ATTEMPTS_ADDRESS_SIZE])
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
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

static bool is_address_full(const struct conns *conns, const struct conn *conn)
{
    size_t same = 0;
    for (const struct conn *other = conns->first; other && conn->has_address; other = other->next)
        same +=
            other->has_address && memcmp(other->address, conn->address, ATTEMPTS_ADDRESS_SIZE) == 0;
    return same >= conns->options.connections_per_address;
}

static bool has_place(struct conns *conns, const struct conn *conn)
{
    return !conns->stopping && !is_address_full(conns, conn) &&
           (conns->count < conns->options.connections || free_place(conns));
}

static void refuse(struct conns *conns)
{
    int64_t now = loop_now(conns->loop);
    conns->counts.refused++;
    if (conns->refusal_reported && now - conns->refusal_reported < REFUSAL_REPORT_MS)
        return;
    conns->refusal_reported = now;
    report_event(REPORT_WARNING, &(struct report_about){.event = "connections_refused"},
                 "too many connections: %llu turned away so far",
                 (unsigned long long)conns->counts.refused);
}

static void set_socket_options(int fd)
{
    int on = 1, unsent_max = UNSENT_IN_KERNEL;
    // On a unix socket these fail, and nothing is lost.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof unsent_max);
}

static void enlist(struct conns *conns, struct conn *conn)
{
    conn->next = conns->first;
    if (conn->next)
        conn->next->previous = conn;
    conns->first = conn;
    conns->counts.taken++;
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
    conn_set_state(conn, STATE_OPEN);
    conn->idle_since = conn->state_since;
    enlist(conns, conn);
    set_socket_options(fd);
    if (conn_open(conn, kind, context))
        conn_set_watch(conn);
    else
        conn_close(conn);
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
        conn_close((*conns)->first);
    loop_timer_free(&(*conns)->sweep);
    buf_done(&(*conns)->text);
    buf_done(&(*conns)->frames);
    free(*conns);
    *conns = NULL;
}

void conns_resume(struct conns *conns)
{
    conns->paused = false;
    for (struct conn *conn = conns->first; conn; conn = conn->next)
        conn_set_watch(conn);
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
        if (!http2_is_greeted(conn->http2)) {
            conn_close(conn);
        } else if (conn->state == STATE_OPEN) {
            http2_stop(conn->http2);
            conn_turn(conn);
        }
    }
}

// A body of an answer that the peer has not acknowledged. Whoever asked for the write waits for
// nothing but HTTP/2's own frames, and is to get their answer.
static bool has_unsent(const struct conn *conn)
{
    int queued = 0;
    if (ioctl(conn->fd, SIOCOUTQ, &queued) || queued < 0)
        queued = 0;
    // A unix socket counts the kernel's own memory, too.
    uint64_t waiting = (uint64_t)queued < conn->written ? (uint64_t)queued : conn->written;
    return http2_unsent(conn->http2) > 0 || conn->answered > conn->written - waiting;
}

size_t conns_reset(struct conns *conns,
                   bool (*ends)(const struct call_carried *carried, bool has_unsent, void *arg),
                   void *arg)
{
    size_t n = 0;
    for (struct conn *conn = conns->first, *next; conn; conn = next) {
        next = conn->next;
        if (!conn->carried.any || !ends(&conn->carried, has_unsent(conn), arg))
            continue;
        reset(conn, CONNS_CUT_OFF);
        n++;
    }
    return n;
}

size_t conns_count(const struct conns *conns)
{
    return conns->count;
}

size_t conns_max(const struct conns *conns)
{
    return conns->options.connections;
}

const struct conns_counts *conns_counts(const struct conns *conns)
{
    return &conns->counts;
}
