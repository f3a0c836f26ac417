// How soon a hub that holds much accepts connections, what it then has in memory of its own, and
// what a record takes on the disk.

#include "bench/asking.h"
#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "tests/e2e/check.h"

enum { MANY = 100000, MILLION = 1000000, FEW = 200 };

static void start(struct town *town, const char *ms, const char *mib)
{
    hub_stop(&town->hub);
    double begun = cost_now_seconds();
    hub_start(&town->hub);
    figure("start", ms, (cost_now_seconds() - begun) * 1000);
    town_peer_says(town, 1);
    figure("start", mib, cost_kib(town->hub.pid, "Private_Dirty") / 1024);
}

static void measure(const struct plan *plan, size_t records, const char *ms, const char *mib)
{
    struct town town;
    town_open(&town, records, TOWN_DISK, false, "");
    for (unsigned i = 0; i < plan->runs; i++)
        start(&town, ms, mib);
    town_close(&town);
}

void row_start(const struct plan *plan)
{
    measure(plan, plan->quick ? FEW : MANY, "ms", "private_mib");
    if (!plan->quick)
        measure(plan, MILLION, "million_ms", "million_private_mib");
}

void row_disk(const struct plan *plan)
{
    struct town town;
    size_t n = plan->quick ? FEW : MANY;
    town_open(&town, n, TOWN_DISK, false, "");
    hub_stop(&town.hub);
    figure("disk", "bytes_a_record", town_disk_bytes(&town) / (double)n);
    town_close(&town);
}
