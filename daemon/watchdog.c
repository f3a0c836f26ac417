#include "daemon/watchdog.h"

#include <stdlib.h>

#include "daemon/notify.h"

struct watchdog {
    struct writer *writer;
    struct loop_timer *timer;
    int64_t half_ms;
};

static void on_alive(void *arg)
{
    struct watchdog *watchdog = arg;
    notify_alive();
    loop_timer_set(watchdog->timer, watchdog->half_ms);
}

static void on_half(void *arg)
{
    struct watchdog *watchdog = arg;
    writer_ask(watchdog->writer, on_alive, watchdog);
}

enum err watchdog_start(struct loop *loop, struct writer *writer, struct watchdog **out,
                        struct fault *fault)
{
    int64_t interval_ms = notify_watchdog_ms();
    *out = NULL;
    if (interval_ms <= 0)
        return OK;
    struct watchdog *watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    watchdog->writer = writer;
    watchdog->half_ms = interval_ms / 2;
    watchdog->timer = loop_timer_new(loop, on_half, watchdog);
    if (!watchdog->timer) {
        watchdog_stop(&watchdog);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    loop_timer_set(watchdog->timer, watchdog->half_ms);
    *out = watchdog;
    return OK;
}

void watchdog_stop(struct watchdog **watchdog)
{
    if (!*watchdog)
        return;
    loop_timer_free(&(*watchdog)->timer);
    free(*watchdog);
    *watchdog = NULL;
}
