// Syncs with nothing new over many open connections, as fast as the hub answers; then connections
// that only stay.

#include <stdlib.h>

#include "bench/asking.h"
#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "tests/e2e/check.h"
#include "tests/e2e/strain.h"

enum { RECORDS = 1000, CONNECTIONS = 50, CALLS = 60000, IDLE = 10000, FEW = 200, FILES = 32 };

// Beside the rate, how busy client and hub were: whoever was not at 1 waited for the other.
static void run(const struct town *town, struct bytes body, size_t calls)
{
    struct load_line lines[CONNECTIONS];
    struct load_result result;
    for (size_t i = 0; i < CONNECTIONS; i++)
        lines[i] = (struct load_line){town->peer.token, &body, 1};
    struct load *load = load_new(town->hub.port, CONNECTIONS);
    load_run(load, lines, CONNECTIONS, NULL, NULL, &result);
    free(result.latencies);
    double cpu = cost_cpu_seconds(town->hub.pid);
    load_run(load, lines, calls, NULL, NULL, &result);
    cpu = cost_cpu_seconds(town->hub.pid) - cpu;
    load_free(&load);
    figure("noop", "a_second", (double)result.calls / result.seconds);
    figure("noop", "a_cpu_second", (double)result.calls / cpu);
    figure("noop", "hub_busy", cpu / result.seconds);
    figure("noop", "client_busy", result.cpu_seconds / result.seconds);
    free(result.latencies);
}

void row_noop(const struct plan *plan)
{
    struct town town;
    struct asking asking;
    town_open(&town, plan->quick ? FEW : RECORDS, TOWN_MEMORY, false, TOWN_CROWD);
    asking_pull(&asking, &town.peer, 1 << 20);
    for (unsigned i = 0; i < plan->runs; i++)
        run(&town, asking_nothing(&asking), plan->quick ? FEW : CALLS);
    asking_done(&asking);
    town_close(&town);
}

static void stay(const struct town *town, size_t n)
{
    pid_t hub = town->hub.pid;
    struct load *warm = load_new(town->hub.port, 1); // what the first connection costs once
    double rss = cost_kib(hub, "Rss"), dirty = cost_kib(hub, "Private_Dirty");
    struct load *load = load_new(town->hub.port, n);
    check_sleep_ms(4000); // the hub gives back what they need no more
    double rss_now = cost_kib(hub, "Rss");
    figure("idle", "connections", (double)n);
    figure("idle", "kib_each", (rss_now - rss) / (double)n);
    figure("idle", "private_kib_each", (cost_kib(hub, "Private_Dirty") - dirty) / (double)n);
    figure("idle", "mib", rss_now / 1024);
    figure("idle", "pss_mib", cost_kib(hub, "Pss") / 1024);
    load_free(&load);
    load_free(&warm);
}

void row_idle(const struct plan *plan)
{
    size_t n = plan->quick ? FEW : IDLE;
    for (unsigned i = 0; i < plan->runs; i++) {
        struct town town;
        town_open(&town, plan->quick ? FEW : RECORDS, TOWN_MEMORY, false, TOWN_CROWD);
        CHECK(strain_may_open(&town.hub, n + FILES), "so many descriptors are not permitted");
        stay(&town, n);
        town_close(&town);
    }
}
