#include "daemon/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/measure.h"

enum { SIGNALS_MAX = 8, LATER_US = 1000 };

// What yields: a turn begins with all that has come, and ends with some of these.
struct later {
    struct later *next;
    struct later *previous;
    void (*run)(struct later *later);
    bool is_waiting;
};

struct loop {
    struct event_base *base;
    bool stopped;
    bool clocks_read; // in this turn
    int64_t now;
    int64_t clock;
    struct later later; // the ring of those that wait
    struct loop_release *releases;
    struct loop_timer *signals[SIGNALS_MAX];
    size_t signals_n;
};

struct loop_watch {
    struct later later; // to be told that it may be written to
    struct loop *loop;
    struct event *read;
    struct event *write;
    unsigned set;
    void (*ready)(void *arg, unsigned what);
    void *arg;
};

// Serves for signals too: both are one event and one call.
struct loop_timer {
    struct later later;
    struct loop *loop;
    bool yields;
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
    loop->later.next = loop->later.previous = &loop->later;
    *out = loop;
    return OK;
}

// --- what yields ---

static void wait_for_turn(struct loop *loop, struct later *later)
{
    if (later->is_waiting)
        return;
    later->is_waiting = true;
    later->previous = loop->later.previous;
    later->next = &loop->later;
    later->previous->next = later;
    loop->later.previous = later;
}

static void leave(struct later *later)
{
    if (!later->is_waiting)
        return;
    later->is_waiting = false;
    later->previous->next = later->next;
    later->next->previous = later->previous;
}

static bool has_later(const struct loop *loop)
{
    return loop->later.next != &loop->later;
}

// One at least, whatever has come.
static void run_later(struct loop *loop)
{
    uint64_t until = measure_now_us() + LATER_US;
    bool is_time = true;
    while (is_time && has_later(loop) && !loop->stopped) {
        struct later *later = loop->later.next;
        leave(later);
        later->run(later);
        is_time = measure_now_us() < until;
    }
}

// --- the loop ---

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
        int waits = has_later(loop) ? EVLOOP_NONBLOCK : 0;
        if (event_base_loop(loop->base, EVLOOP_ONCE | waits) < 0)
            break;
        run_later(loop);
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

static void write_later(struct later *later)
{
    const struct loop_watch *watch = (struct loop_watch *)(void *)later;
    if (watch->set & LOOP_WRITE)
        watch->ready(watch->arg, LOOP_WRITE);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct loop_watch *watch = arg;
    if (what & EV_WRITE)
        wait_for_turn(watch->loop, &watch->later);
    else
        watch->ready(watch->arg, LOOP_READ);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd,
                                  void (*ready)(void *arg, unsigned what), void *arg)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->later.run = write_later;
    watch->loop = loop;
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
    leave(&(*watch)->later);
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
    struct loop_timer *timer = arg;
    if (timer->yields)
        wait_for_turn(timer->loop, &timer->later);
    else
        timer->due(timer->arg);
}

static void be_due_later(struct later *later)
{
    const struct loop_timer *timer = (struct loop_timer *)(void *)later;
    timer->due(timer->arg);
}

static struct loop_timer *new_timer(struct loop *loop, int number, short what, void (*due)(void *),
                                    void *arg)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    timer->later.run = be_due_later;
    timer->loop = loop;
    timer->due = due;
    timer->arg = arg;
    timer->event = event_new(loop->base, number, what, on_due, timer);
    if (!timer->event)
        loop_timer_free(&timer);
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

void loop_timer_yields(struct loop_timer *timer)
{
    timer->yields = true;
}

void loop_timer_free(struct loop_timer **timer)
{
    if (!*timer)
        return;
    leave(&(*timer)->later);
    if ((*timer)->event)
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
