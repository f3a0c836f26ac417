#include "bench/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/check.h"

enum { PAIRS_MAX = 64, UP = 0, DOWN = 1, STILL_MS = 60, OPENING_UP = 2, OPENING_DOWN = 1 };

static const int64_t ns_a_ms = 1000000;
static const int64_t ns_a_second = 1000000000;

struct segment {
    STAILQ_ENTRY(segment) next;
    int64_t start; // when the line begins with it
    int64_t due;   // when it is at the other end
    size_t n;      // 0: the sender has ended
    uint8_t bytes[LINK_SEGMENT];
};

// One direction of a connection.
struct way {
    int from;
    int to;
    STAILQ_HEAD(segments, segment) waiting;
    size_t queued; // bytes
    size_t passed; // of the first segment
    bool ended;    // nothing more comes
    bool shut;     // and the other end has been told
    bool stuck;    // the other end takes nothing now
};

struct pair {
    bool open;
    int64_t ready; // when the connection is made
    struct way ways[2];
};

// One direction of the line.
struct lane {
    int64_t free;         // when it has sent all that it was given
    struct segment *last; // given; NULL: it is under way already
    struct way *last_way;
};

struct link {
    pthread_t thread;
    int listener;
    int bell[2];
    uint16_t port;
    uint16_t hub_port;
    struct link_line line;
    struct pair pairs[PAIRS_MAX]; // of the thread, as are the lanes
    struct lane lanes[2];
    pthread_mutex_t lock; // of all that follows
    struct link_count count;
    int direction; // of the last turn; -1: none yet
    int64_t moved; // when a byte last came or went
    size_t under_way[2];
    bool drop;
    bool stop;
};

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * ns_a_second + t.tv_nsec;
}

// --- counting ---

static void count_opening(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    link->count.connections++;
    link->count.wire_up += (uint64_t)OPENING_UP * LINK_HEADER;
    link->count.wire_down += (uint64_t)OPENING_DOWN * LINK_HEADER;
    link->count.segments += OPENING_UP + OPENING_DOWN;
    pthread_mutex_unlock(&link->lock);
}

static void count_bytes(struct link *link, int direction, size_t n, bool new_segment)
{
    size_t wire = n + (new_segment ? LINK_HEADER : 0);
    pthread_mutex_lock(&link->lock);
    *(direction == UP ? &link->count.up : &link->count.down) += n;
    *(direction == UP ? &link->count.wire_up : &link->count.wire_down) += wire;
    link->count.segments += new_segment;
    // What crosses the other's bytes on the line is no answer to them.
    if (link->direction != direction && link->under_way[!direction] == 0) {
        link->count.turns++;
        link->direction = direction;
    }
    link->under_way[direction] += n;
    link->moved = now_ns();
    pthread_mutex_unlock(&link->lock);
}

static void count_gone(struct link *link, int direction, size_t n)
{
    pthread_mutex_lock(&link->lock);
    link->under_way[direction] -= n;
    link->moved = now_ns();
    pthread_mutex_unlock(&link->lock);
}

// --- onto the line ---

static int64_t sending_ns(const struct link *link, size_t n)
{
    return link->line.rate_bits ? (int64_t)n * 8 * ns_a_second / link->line.rate_bits : 0;
}

static void put_segment(struct link *link, int direction, struct way *way, const uint8_t *p,
                        size_t n)
{
    struct lane *lane = &link->lanes[direction];
    struct segment *segment = malloc(sizeof *segment);
    CHECK(segment, "out of memory");
    int64_t now = now_ns();
    segment->start = lane->free > now ? lane->free : now;
    lane->free = segment->start + (n ? sending_ns(link, n + LINK_HEADER) : 0);
    segment->due = lane->free + link->line.latency_ms * ns_a_ms;
    segment->n = n;
    memcpy(segment->bytes, p, n);
    STAILQ_INSERT_TAIL(&way->waiting, segment, next);
    way->queued += n;
    lane->last = n ? segment : NULL;
    lane->last_way = way;
    if (n)
        count_bytes(link, direction, n, true);
}

// Into the sender's last segment, while that waits for the line and nobody's stands behind it. How
// much of it.
static size_t fill_up(struct link *link, int direction, struct way *way, const uint8_t *p, size_t n)
{
    struct lane *lane = &link->lanes[direction];
    struct segment *segment = lane->last;
    if (!segment || lane->last_way != way || segment->start <= now_ns())
        return 0;
    size_t room = LINK_SEGMENT - segment->n;
    size_t take = n < room ? n : room;
    memcpy(segment->bytes + segment->n, p, take);
    segment->n += take;
    segment->due += sending_ns(link, take);
    lane->free += sending_ns(link, take);
    way->queued += take;
    if (take)
        count_bytes(link, direction, take, false);
    return take;
}

// False when the connection is over.
static bool take_bytes(struct link *link, int direction, struct way *way)
{
    uint8_t part[16 << 10];
    ssize_t got = recv(way->from, part, sizeof part, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    size_t n = (size_t)got;
    size_t at = fill_up(link, direction, way, part, n);
    while (at < n) {
        size_t most = n - at < LINK_SEGMENT ? n - at : LINK_SEGMENT;
        put_segment(link, direction, way, part + at, most);
        at += most;
    }
    if (n == 0) {
        way->ended = true;
        put_segment(link, direction, way, part, 0);
    }
    return true;
}

// --- off the line ---

static void drop_first(struct link *link, int direction, struct way *way)
{
    struct segment *segment = STAILQ_FIRST(&way->waiting);
    STAILQ_REMOVE_HEAD(&way->waiting, next);
    if (link->lanes[direction].last == segment)
        link->lanes[direction].last = NULL;
    way->queued -= segment->n;
    way->passed = 0;
    count_gone(link, direction, segment->n);
    free(segment);
}

// Hands on what has arrived. False when the connection is over.
static bool deliver(struct link *link, int direction, struct way *way)
{
    struct segment *segment;
    int64_t now = now_ns();
    way->stuck = false;
    while ((segment = STAILQ_FIRST(&way->waiting)) && segment->due <= now) {
        size_t left = segment->n - way->passed;
        ssize_t sent =
            left ? send(way->to, segment->bytes + way->passed, left, MSG_DONTWAIT | MSG_NOSIGNAL)
                 : 0;
        if (sent < 0) {
            way->stuck = errno == EAGAIN;
            return way->stuck || errno == EINTR;
        }
        if (segment->n == 0) {
            (void)shutdown(way->to, SHUT_WR);
            way->shut = true;
        }
        way->passed += (size_t)sent;
        if (way->passed == segment->n)
            drop_first(link, direction, way);
    }
    return true;
}

// --- connections ---

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int connect_hub(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void close_pair(struct link *link, struct pair *pair)
{
    if (!pair->open)
        return;
    for (int i = UP; i <= DOWN; i++)
        while (!STAILQ_EMPTY(&pair->ways[i].waiting))
            drop_first(link, i, &pair->ways[i]);
    close(pair->ways[UP].from);
    close(pair->ways[UP].to);
    pair->open = false;
}

static void open_pair(struct link *link, struct pair *pair)
{
    int client = accept4(link->listener, NULL, NULL, SOCK_CLOEXEC);
    int hub = client < 0 ? -1 : connect_hub(link->hub_port);
    if (hub < 0) {
        if (client >= 0)
            close(client);
        return;
    }
    no_delay(client);
    no_delay(hub);
    *pair = (struct pair){.open = true,
                          .ways = {{.from = client, .to = hub}, {.from = hub, .to = client}}};
    STAILQ_INIT(&pair->ways[UP].waiting);
    STAILQ_INIT(&pair->ways[DOWN].waiting);
    pair->ready = now_ns() + (int64_t)link->line.latency_ms * 2 * ns_a_ms;
    count_opening(link);
}

// --- the loop ---

static struct pollfd watch_way(const struct way *way, bool reads)
{
    return (struct pollfd){.fd = reads ? way->from : -1, .events = POLLIN};
}

// What to wait for, and until when at the most.
static int64_t watch(struct link *link, struct pollfd *fds)
{
    int64_t now = now_ns();
    int64_t next = now + ns_a_second;
    fds[0] = (struct pollfd){.fd = link->bell[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = -1};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &link->pairs[i];
        struct pollfd *at = &fds[2 + 2 * i];
        at[0] = at[1] = (struct pollfd){.fd = -1};
        if (!pair->open) {
            fds[1] = (struct pollfd){.fd = link->listener, .events = POLLIN};
            continue;
        }
        if (pair->ready > now && pair->ready < next)
            next = pair->ready;
        for (int d = UP; d <= DOWN; d++) {
            struct way *way = &pair->ways[d];
            const struct segment *first = STAILQ_FIRST(&way->waiting);
            at[d] = watch_way(way, !way->ended && way->queued < LINK_QUEUE && pair->ready <= now);
            int64_t due = !first ? next : way->stuck ? now + ns_a_ms : first->due;
            next = due < next ? due : next;
        }
    }
    return next > now ? next - now : 0;
}

static void carry(struct link *link, struct pair *pair, const struct pollfd *fds)
{
    bool open = true;
    for (int d = UP; d <= DOWN && open; d++) {
        if (fds[d].fd >= 0 && fds[d].revents)
            open = take_bytes(link, d, &pair->ways[d]);
        open = open && deliver(link, d, &pair->ways[d]);
    }
    if (!open || (pair->ways[UP].shut && pair->ways[DOWN].shut))
        close_pair(link, pair);
}

// True: the owner wants the end.
static bool hear(struct link *link)
{
    uint8_t byte;
    (void)!read(link->bell[0], &byte, 1);
    pthread_mutex_lock(&link->lock);
    bool stop = link->stop;
    bool drop = link->drop;
    pthread_mutex_unlock(&link->lock);
    for (size_t i = 0; i < PAIRS_MAX && drop; i++)
        close_pair(link, &link->pairs[i]);
    pthread_mutex_lock(&link->lock);
    link->drop = false;
    pthread_mutex_unlock(&link->lock);
    return stop;
}

static void let_in(struct link *link)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (!link->pairs[i].open) {
            open_pair(link, &link->pairs[i]);
            return;
        }
    }
}

static void *run(void *arg)
{
    struct link *link = arg;
    struct pollfd fds[2 + 2 * PAIRS_MAX];
    for (bool stop = false; !stop;) {
        int64_t wait = watch(link, fds);
        const struct timespec most = {wait / ns_a_second, wait % ns_a_second};
        if (ppoll(fds, sizeof fds / sizeof *fds, &most, NULL) < 0)
            continue;
        for (size_t i = 0; i < PAIRS_MAX; i++)
            if (link->pairs[i].open)
                carry(link, &link->pairs[i], &fds[2 + 2 * i]);
        if (fds[1].fd >= 0 && fds[1].revents)
            let_in(link);
        if (fds[0].revents)
            stop = hear(link);
    }
    for (size_t i = 0; i < PAIRS_MAX; i++)
        close_pair(link, &link->pairs[i]);
    return NULL;
}

// --- the owner's side ---

struct link *link_new(uint16_t hub_port, const struct link_line *line)
{
    struct link *link = calloc(1, sizeof *link);
    CHECK(link, "out of memory");
    struct sockaddr_in address = loopback(0);
    socklen_t n = sizeof address;
    link->hub_port = hub_port;
    link->line = *line;
    link->direction = -1;
    link->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(link->listener, (struct sockaddr *)&address, n) == 0, "bind: %s", strerror(errno));
    CHECK(listen(link->listener, PAIRS_MAX) == 0, "listen: %s", strerror(errno));
    CHECK(getsockname(link->listener, (struct sockaddr *)&address, &n) == 0, "getsockname");
    link->port = ntohs(address.sin_port);
    CHECK(pipe(link->bell) == 0, "pipe: %s", strerror(errno));
    pthread_mutex_init(&link->lock, NULL);
    CHECK(pthread_create(&link->thread, NULL, run, link) == 0, "pthread_create");
    return link;
}

uint16_t link_port(const struct link *link)
{
    return link->port;
}

static void ring(struct link *link)
{
    CHECK(write(link->bell[1], "", 1) == 1, "the bell of the line");
}

void link_drop(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    link->drop = true;
    pthread_mutex_unlock(&link->lock);
    ring(link);
    for (bool dropping = true; dropping;) {
        check_sleep_ms(1);
        pthread_mutex_lock(&link->lock);
        dropping = link->drop;
        pthread_mutex_unlock(&link->lock);
    }
}

struct link_count link_count(struct link *link)
{
    struct link_count count;
    for (bool still = false; !still;) {
        check_sleep_ms(5);
        pthread_mutex_lock(&link->lock);
        still = link->under_way[UP] + link->under_way[DOWN] == 0 &&
                now_ns() - link->moved > STILL_MS * ns_a_ms;
        count = link->count;
        pthread_mutex_unlock(&link->lock);
    }
    return count;
}

void link_reset(struct link *link)
{
    (void)link_count(link);
    pthread_mutex_lock(&link->lock);
    link->count = (struct link_count){0};
    link->direction = -1;
    pthread_mutex_unlock(&link->lock);
}

void link_free(struct link **link)
{
    if (!*link)
        return;
    pthread_mutex_lock(&(*link)->lock);
    (*link)->stop = true;
    pthread_mutex_unlock(&(*link)->lock);
    ring(*link);
    pthread_join((*link)->thread, NULL);
    close((*link)->listener);
    close((*link)->bell[0]);
    close((*link)->bell[1]);
    pthread_mutex_destroy(&(*link)->lock);
    free(*link);
    *link = NULL;
}
