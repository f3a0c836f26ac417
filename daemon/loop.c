#include "daemon/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS_MAX = 8 };

struct loop {
    struct event_base *base;
    bool stopped;
    bool clocks_read; // in this turn
    int64_t now;
    int64_t clock;
    struct loop_release *releases;
    struct loop_timer *signals[SIGNALS_MAX];
    size_t signals_n;
};

struct loop_watch {
    struct event *read;
    struct event *write;
    unsigned set;
    void (*ready)(void *arg, unsigned what);
    void *arg;
};

// Serves for signals too: both are one event and one call.
struct loop_timer {
    struct event *event;
    void (*due)(void *arg);
    void *arg;
};

struct loop_bell {
    int fd;
    struct loop_watch *watch;
    void (*rung)(void *arg);
    void *arg;
};

enum err loop_new(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return ERR_NOMEM;
    loop->base = event_base_new();
    if (!loop->base) {
        free(loop);
        return ERR_NOMEM;
    }
    *out = loop;
    return OK;
}

static void release_all(struct loop *loop)
{
    while (loop->releases) {
        struct loop_release *release = loop->releases;
        loop->releases = release->next;
        release->release(release->what);
    }
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    release_all(*loop);
    for (size_t i = 0; i < (*loop)->signals_n; i++)
        loop_timer_free(&(*loop)->signals[i]);
    event_base_free((*loop)->base);
    free(*loop);
    *loop = NULL;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        loop->clocks_read = false;
        if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
            break;
        release_all(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    (void)event_base_loopbreak(loop->base);
}

static int64_t read_clock(clockid_t which)
{
    struct timespec time;
    (void)clock_gettime(which, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Lazily, so that the reading comes after the turn's wait.
static void read_clocks(struct loop *loop)
{
    if (loop->clocks_read)
        return;
    loop->now = read_clock(CLOCK_MONOTONIC);
    loop->clock = read_clock(CLOCK_REALTIME);
    loop->clocks_read = true;
}

int64_t loop_now(struct loop *loop)
{
    read_clocks(loop);
    return loop->now;
}

int64_t loop_clock(struct loop *loop)
{
    read_clocks(loop);
    return loop->clock;
}

void loop_release_later(struct loop *loop, struct loop_release *release)
{
    release->next = loop->releases;
    loop->releases = release;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    const struct loop_watch *watch = arg;
    watch->ready(watch->arg, what & EV_WRITE ? LOOP_WRITE : LOOP_READ);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd,
                                  void (*ready)(void *arg, unsigned what), void *arg)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->ready = ready;
    watch->arg = arg;
    watch->read = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_ready, watch);
    watch->write = event_new(loop->base, fd, EV_WRITE | EV_PERSIST, on_ready, watch);
    if (!watch->read || !watch->write)
        loop_watch_free(&watch);
    return watch;
}

static void set_one(struct event *event, bool was, bool is)
{
    if (is && !was)
        (void)event_add(event, NULL);
    else if (was && !is)
        (void)event_del(event);
}

void loop_watch_set(struct loop_watch *watch, unsigned what)
{
    set_one(watch->read, watch->set & LOOP_READ, what & LOOP_READ);
    set_one(watch->write, watch->set & LOOP_WRITE, what & LOOP_WRITE);
    watch->set = what;
}

void loop_watch_free(struct loop_watch **watch)
{
    if (!*watch)
        return;
    if ((*watch)->read)
        event_free((*watch)->read);
    if ((*watch)->write)
        event_free((*watch)->write);
    free(*watch);
    *watch = NULL;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    const struct loop_timer *timer = arg;
    timer->due(timer->arg);
}

static struct loop_timer *new_timer(struct loop *loop, int number, short what, void (*due)(void *),
                                    void *arg)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    timer->due = due;
    timer->arg = arg;
    timer->event = event_new(loop->base, number, what, on_due, timer);
    if (!timer->event) {
        free(timer);
        return NULL;
    }
    return timer;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*due)(void *arg), void *arg)
{
    return new_timer(loop, -1, 0, due, arg);
}

void loop_timer_set(struct loop_timer *timer, int64_t ms)
{
    int64_t wait = ms < 0 ? 0 : ms;
    struct timeval time = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
    (void)event_add(timer->event, &time);
}

void loop_timer_free(struct loop_timer **timer)
{
    if (!*timer)
        return;
    event_free((*timer)->event);
    free(*timer);
    *timer = NULL;
}

enum err loop_signal(struct loop *loop, int number, void (*came)(void *arg), void *arg)
{
    assert(loop->signals_n < SIGNALS_MAX);
    struct loop_timer *watch = new_timer(loop, number, EV_SIGNAL | EV_PERSIST, came, arg);
    if (!watch)
        return ERR_NOMEM;
    loop->signals[loop->signals_n++] = watch;
    return event_add(watch->event, NULL) ? ERR_IO : OK;
}

static void on_rung(void *arg, unsigned what)
{
    (void)what;
    struct loop_bell *bell = arg;
    uint64_t count;
    if (read(bell->fd, &count, sizeof count) == sizeof count)
        bell->rung(bell->arg);
}

struct loop_bell *loop_bell_new(struct loop *loop, void (*rung)(void *arg), void *arg)
{
    struct loop_bell *bell = calloc(1, sizeof *bell);
    if (!bell)
        return NULL;
    bell->rung = rung;
    bell->arg = arg;
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bell->watch = bell->fd < 0 ? NULL : loop_watch_new(loop, bell->fd, on_rung, bell);
    if (!bell->watch) {
        loop_bell_free(&bell);
        return NULL;
    }
    loop_watch_set(bell->watch, LOOP_READ);
    return bell;
}

void loop_bell_ring(struct loop_bell *bell)
{
    uint64_t one = 1;
    while (write(bell->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void loop_bell_free(struct loop_bell **bell)
{
    if (!*bell)
        return;
    loop_watch_free(&(*bell)->watch);
    if ((*bell)->fd >= 0)
        (void)close((*bell)->fd);
    free(*bell);
    *bell = NULL;
}
