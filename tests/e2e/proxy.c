#include "tests/e2e/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/check.h"

enum { PART_BYTES = 16 << 10, PAIRS_MAX = 4 };

struct proxy {
    pthread_t thread;
    int listener;
    int bell[2]; // a byte from the owner: drop the connection, look at the plan
    uint16_t port;
    uint16_t hub_port;
    pthread_mutex_t lock; // of all that follows
    pthread_cond_t heard;
    struct proxy_plan plan;
    struct proxy_count count;
    uint64_t asked; // bells rung
    uint64_t seen;  // bells that the thread has heard
    bool stop;
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// --- closing ---

static void close_as(int fd, enum proxy_end end)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (end == PROXY_RST)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

// --- passing ---

// How many of n bytes may pass this way, and whether the line is cut behind them.
static size_t admit(struct proxy *proxy, bool up, size_t n, bool *cut)
{
    pthread_mutex_lock(&proxy->lock);
    int64_t max = up ? proxy->plan.up : proxy->plan.down;
    uint64_t *passed = up ? &proxy->count.up : &proxy->count.down;
    uint64_t left = max < 0 ? UINT64_MAX : (uint64_t)max - *passed;
    *cut = n > left;
    size_t may = *cut ? (size_t)left : n;
    *passed += may;
    proxy->count.cut |= *cut;
    pthread_mutex_unlock(&proxy->lock);
    return may;
}

static bool send_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool send_slowly(int fd, const uint8_t *p, size_t n, const struct proxy_plan *plan)
{
    check_sleep_ms(plan->delay_ms);
    size_t step = plan->drip_bytes ? plan->drip_bytes : n;
    for (size_t at = 0; at < n; at += step) {
        if (plan->drip_bytes)
            check_sleep_ms(1);
        if (!send_all(fd, p + at, n - at < step ? n - at : step))
            return false;
    }
    return true;
}

// False when the connection is over.
static bool pass(struct proxy *proxy, int from, int to, bool up, const struct proxy_plan *plan)
{
    uint8_t part[PART_BYTES];
    ssize_t n = recv(from, part, sizeof part, 0);
    if (n <= 0)
        return false;
    bool cut;
    size_t may = admit(proxy, up, (size_t)n, &cut);
    return send_slowly(to, part, may, plan) && !cut;
}

// --- connections ---

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
    if (fd >= 0)
        no_delay(fd);
    return fd;
}

static bool is_cut(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    bool cut = proxy->count.cut;
    pthread_mutex_unlock(&proxy->lock);
    return cut;
}

// The proxy's two ends of one connection; client < 0: none.
struct pair {
    int client;
    int hub;
};

static void close_pair(struct pair *pair, enum proxy_end end)
{
    if (pair->client < 0)
        return;
    close_as(pair->hub, end);
    close_as(pair->client, end);
    pair->client = -1;
}

static void take(struct proxy *proxy, struct pair *pair, const struct proxy_plan *plan)
{
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    int hub = is_cut(proxy) ? -1 : connect_hub(proxy->hub_port);
    if (hub < 0) {
        close_as(client, plan->end);
        return;
    }
    no_delay(client);
    pthread_mutex_lock(&proxy->lock);
    proxy->count.connections++;
    pthread_mutex_unlock(&proxy->lock);
    *pair = (struct pair){client, hub};
}

// True: the owner wants the end.
static bool hear(struct proxy *proxy)
{
    uint8_t byte;
    ssize_t n = read(proxy->bell[0], &byte, 1);
    pthread_mutex_lock(&proxy->lock);
    proxy->seen += n == 1;
    pthread_cond_broadcast(&proxy->heard);
    bool stop = proxy->stop;
    pthread_mutex_unlock(&proxy->lock);
    return stop;
}

static void watch(struct proxy *proxy, const struct pair *pairs, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = proxy->bell[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = -1};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        bool open = pairs[i].client >= 0;
        if (!open)
            fds[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        fds[2 + 2 * i] = (struct pollfd){.fd = open ? pairs[i].client : -1, .events = POLLIN};
        fds[3 + 2 * i] = (struct pollfd){.fd = open ? pairs[i].hub : -1, .events = POLLIN};
    }
}

static void carry(struct proxy *proxy, struct pair *pair, const struct pollfd *ends,
                  const struct proxy_plan *plan)
{
    bool open = pair->client >= 0;
    if (open && ends[0].revents)
        open = pass(proxy, pair->client, pair->hub, true, plan);
    if (open && ends[1].revents)
        open = pass(proxy, pair->hub, pair->client, false, plan);
    if (!open)
        close_pair(pair, is_cut(proxy) ? plan->end : PROXY_FIN);
}

// One turn: what came is passed on, who knocks is let in. The owner's bell closes all.
static bool turn(struct proxy *proxy, struct pair *pairs)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX];
    watch(proxy, pairs, fds);
    if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
        return errno == EINTR;
    pthread_mutex_lock(&proxy->lock);
    struct proxy_plan plan = proxy->plan;
    pthread_mutex_unlock(&proxy->lock);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (fds[0].revents)
            close_pair(&pairs[i], is_cut(proxy) ? plan.end : PROXY_FIN);
        else
            carry(proxy, &pairs[i], &fds[2 + 2 * i], &plan);
    }
    for (size_t i = 0; i < PAIRS_MAX && fds[1].revents && !fds[0].revents; i++) {
        if (pairs[i].client >= 0)
            continue;
        take(proxy, &pairs[i], &plan);
        break;
    }
    return !fds[0].revents || !hear(proxy);
}

static void *run(void *arg)
{
    struct pair pairs[PAIRS_MAX];
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i] = (struct pair){-1, -1};
    while (turn(arg, pairs))
        ;
    return NULL;
}

// --- the owner's side ---

// Rings, and waits until the thread has let go of its connection.
static void ring(struct proxy *proxy, bool stop)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->stop = stop;
    uint64_t mine = ++proxy->asked;
    CHECK(write(proxy->bell[1], "", 1) == 1, "the proxy's bell");
    while (proxy->seen < mine)
        pthread_cond_wait(&proxy->heard, &proxy->lock);
    pthread_mutex_unlock(&proxy->lock);
}

struct proxy *proxy_new(uint16_t hub_port)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    CHECK(proxy, "out of memory");
    struct sockaddr_in address = loopback(0);
    socklen_t n = sizeof address;
    proxy->hub_port = hub_port;
    proxy->plan = proxy_open_line;
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(proxy->listener, (struct sockaddr *)&address, n) == 0, "bind: %s", strerror(errno));
    CHECK(listen(proxy->listener, 16) == 0, "listen: %s", strerror(errno));
    CHECK(getsockname(proxy->listener, (struct sockaddr *)&address, &n) == 0, "getsockname");
    proxy->port = ntohs(address.sin_port);
    CHECK(pipe(proxy->bell) == 0, "pipe: %s", strerror(errno));
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->heard, NULL);
    CHECK(pthread_create(&proxy->thread, NULL, run, proxy) == 0, "pthread_create");
    return proxy;
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_set(struct proxy *proxy, const struct proxy_plan *plan)
{
    ring(proxy, false);
    pthread_mutex_lock(&proxy->lock);
    proxy->plan = *plan;
    proxy->count = (struct proxy_count){0};
    pthread_mutex_unlock(&proxy->lock);
}

struct proxy_count proxy_count(struct proxy *proxy)
{
    ring(proxy, false);
    pthread_mutex_lock(&proxy->lock);
    struct proxy_count count = proxy->count;
    pthread_mutex_unlock(&proxy->lock);
    return count;
}

void proxy_free(struct proxy **proxy)
{
    if (!*proxy)
        return;
    ring(*proxy, true);
    pthread_join((*proxy)->thread, NULL);
    close((*proxy)->listener);
    close((*proxy)->bell[0]);
    close((*proxy)->bell[1]);
    pthread_mutex_destroy(&(*proxy)->lock);
    pthread_cond_destroy(&(*proxy)->heard);
    free(*proxy);
    *proxy = NULL;
}
