// Curves for the plots: bytes of a push by how many records it has, and how long a small sync takes
// by how many others sync as fast as they can.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/asking.h"
#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/over_link.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "tests/e2e/check.h"

enum { RECORDS = 1000, FEW = 200, CALLS = 300, QUICK_CALLS = 20, CONNECTIONS_MAX = 512 };

// Without latency: only bytes are asked.
static const struct link_line fast = {0};

static void batch(size_t n)
{
    struct town town;
    char name[32];
    town_found(&town, TOWN_MEMORY);
    town_add_phone(&town, "phone", &town.phone);
    device_must_sync(&town.phone);
    struct link *link = link_new(town.hub.port, &fast);
    device_route(&town.phone, link_port(link));
    device_must_sync(&town.phone); // the connection is open
    town_write(&town, &town.phone, n);
    (void)snprintf(name, sizeof name, "batch_%zu", n);
    (void)over_link_sync(link, &town.phone, "curves", name);
    link_free(&link);
    device_close(&town.phone);
    town_close(&town);
}

struct others {
    struct load *load;
    struct load_line *lines;
    volatile int stop;
    struct load_result result;
};

static void *run_others(void *arg)
{
    struct others *others = arg;
    load_run(others->load, others->lines, SIZE_MAX - 1, &others->stop, NULL, &others->result);
    return NULL;
}

static void say(size_t connections, struct load_result *result)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p99", 0.99}};
    char name[48];
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        (void)snprintf(name, sizeof name, "load_%zu_%s_ms", connections, shares[i].name);
        figure("curves", name,
               cost_percentile(result->latencies, result->calls, shares[i].share) * 1000);
    }
}

// One client asks again and again; `connections` others do, too.
static void latency(const struct town *town, struct bytes body, size_t connections, size_t calls)
{
    struct load_line lines[CONNECTIONS_MAX];
    struct load_result result;
    pthread_t thread;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        lines[i] = (struct load_line){town->peer.token, &body, 1};
    struct others others = {.lines = lines};
    struct load *one = load_new(town->hub.port, 1);
    if (connections) {
        others.load = load_new(town->hub.port, connections);
        CHECK(pthread_create(&thread, NULL, run_others, &others) == 0, "pthread_create");
    }
    load_run(one, lines, calls, NULL, NULL, &result);
    if (connections) {
        others.stop = 1;
        pthread_join(thread, NULL);
        free(others.result.latencies);
        load_free(&others.load);
    }
    say(connections, &result);
    free(result.latencies);
    load_free(&one);
}

void row_curves(const struct plan *plan)
{
    static const size_t batches[] = {1, 3, 10, 30, 100, 300, 1000};
    static const size_t connections[] = {0, 1, 4, 16, 64, 256, 512};
    struct town town;
    struct asking asking;
    for (size_t i = 0; i < (plan->quick ? 2 : sizeof batches / sizeof *batches); i++)
        batch(batches[i]);
    town_open(&town, plan->quick ? FEW : RECORDS, TOWN_MEMORY, false, TOWN_CROWD);
    asking_pull(&asking, &town.peer, 1 << 20);
    for (size_t i = 0; i < (plan->quick ? 2 : sizeof connections / sizeof *connections); i++)
        latency(&town, asking_nothing(&asking), connections[i], plan->quick ? QUICK_CALLS : CALLS);
    asking_done(&asking);
    town_close(&town);
}
