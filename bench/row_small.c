// A hub that holds 100,000 records and a phone that has them: ten new ones each way over the bad
// line, by a new connection, by one that resumes, and by one that is open; and nothing new.

#include <stdio.h>

#include "bench/over_link.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "tests/e2e/check.h"

enum { RECORDS = 100000, FEW = 200, NEW = 10, IDLE_SECONDS = 5 };

static void exchange(struct town *town, struct link *link, const char *how)
{
    town_peer_says(town, NEW);
    town_write(town, &town->phone, NEW);
    struct folkmoot_progress progress = over_link_sync(link, &town->phone, "ten", how);
    CHECK(progress.pushed == NEW && progress.pulled == NEW, "%u up and %u down", progress.pushed,
          progress.pulled);
}

static void run(struct town *town, struct link *link, unsigned idle_seconds)
{
    device_route(&town->phone, link_port(link));
    exchange(town, link, "cold");
    check_sleep_ms((idle_seconds + 1) * 1000); // the hub closes what is idle, and takes leave
    exchange(town, link, "resumed");
    exchange(town, link, "warm");
    (void)over_link_sync(link, &town->phone, "nothing", "warm");
}

void row_small(const struct plan *plan)
{
    struct town town;
    char more[32];
    unsigned idle_seconds = plan->quick ? 1 : IDLE_SECONDS;
    (void)snprintf(more, sizeof more, "idle_seconds = %u\n", idle_seconds);
    town_open(&town, plan->quick ? FEW : RECORDS, TOWN_MEMORY, true, more);
    device_must_sync(&town.phone);
    struct link *link = link_new(town.hub.port, plan->quick ? &link_quick : &link_bad);
    for (unsigned i = 0; i < plan->runs; i++)
        run(&town, link, idle_seconds);
    link_free(&link);
    town_close(&town);
}
