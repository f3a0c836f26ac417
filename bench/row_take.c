// A hub on a disk takes in 10,000 records that a phone pushes over the loopback interface, and then
// serves them to others. Beside it the same records put into bare LMDB with as many commits.

#include "bench/asking.h"
#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/raw_lmdb.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "tests/e2e/check.h"
#include "tests/e2e/monitor.h"

enum { RECORDS = 10000, FEW = 300, ANSWER_WANTED = 1 << 20 };

static double commits_of(const struct hub *hub)
{
    return monitor_value(monitor_port(hub), "folkmoot_writer_commits_total");
}

static void take(size_t n)
{
    struct town town = {0};
    struct device_host phone;
    town_found(&town, TOWN_DISK);
    town_add_phone(&town, "phone", &phone);
    town_write(&town, &phone, n);
    double cpu = cost_cpu_seconds(town.hub.pid), commits = commits_of(&town.hub);
    phone.carried_seconds = 0;
    struct folkmoot_progress progress = device_must_sync(&phone);
    commits = commits_of(&town.hub) - commits;
    figure("take", "ms", phone.carried_seconds * 1000);
    figure("take", "cpu_ms", (cost_cpu_seconds(town.hub.pid) - cpu) * 1000);
    figure("take", "requests", progress.requests);
    figure("take", "commits", commits);
    figure("take", "lmdb_ms", raw_lmdb_seconds(town.hub.dir, n, n / (size_t)commits + 1) * 1000);
    device_close(&phone);
    town_close(&town);
}

static void serve(struct town *town, const char *name, const char *cpu_name)
{
    double cpu = cost_cpu_seconds(town->hub.pid);
    struct asking asking;
    asking_pull(&asking, &town->peer, ANSWER_WANTED);
    figure("serve", name, asking.seconds * 1000);
    figure("serve", cpu_name, (cost_cpu_seconds(town->hub.pid) - cpu) * 1000);
    figure("serve", "bytes", (double)asking.bytes);
    asking_done(&asking);
}

void row_take(const struct plan *plan)
{
    size_t n = plan->quick ? FEW : RECORDS;
    for (unsigned i = 0; i < plan->runs; i++)
        take(n);
    for (unsigned i = 0; i < plan->runs; i++) {
        struct town town;
        town_open(&town, n, TOWN_MEMORY, false, "");
        serve(&town, "ms", "cpu_ms");
        serve(&town, "again_ms", "again_cpu_ms");
        town_close(&town);
    }
}
