#include "bench/over_link.h"

#include <stdio.h>

#include "bench/figure.h"
#include "tests/e2e/check.h"

static void say(const char *row, const char *prefix, const char *name, double value)
{
    char figure_name[64];
    (void)snprintf(figure_name, sizeof figure_name, "%s_%s", prefix, name);
    figure(row, figure_name, value);
}

struct folkmoot_progress over_link_sync(struct link *link, struct device_host *phone,
                                        const char *row, const char *prefix)
{
    link_reset(link);
    int64_t begun = check_now_ms();
    struct folkmoot_progress progress = device_must_sync(phone);
    int64_t ended = check_now_ms();
    struct link_count count = link_count(link);
    say(row, prefix, "seconds", (double)(ended - begun) / 1000);
    say(row, prefix, "bytes", (double)(count.wire_up + count.wire_down));
    say(row, prefix, "bytes_up", (double)count.wire_up);
    say(row, prefix, "bytes_down", (double)count.wire_down);
    say(row, prefix, "payload", (double)(count.up + count.down));
    say(row, prefix, "messages", (double)(progress.bytes_out + progress.bytes_in));
    say(row, prefix, "requests", progress.requests);
    say(row, prefix, "turns", count.turns);
    say(row, prefix, "segments", (double)count.segments);
    return progress;
}
