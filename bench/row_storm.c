// 500 phones do a first pull of 10,000 records each, all at once, while one other says something
// new, again and again: how long its syncs take, against how long they take when it is alone.

#include <pthread.h>
#include <stdlib.h>

#include "bench/asking.h"
#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/rows.h"
#include "bench/texts.h"
#include "bench/town.h"
#include "tests/e2e/check.h"
#include "tests/e2e/mass.h"
#include "tests/e2e/strain.h"

enum {
    RECORDS = 10000,
    PHONES = 500,
    FEW_PHONES = 10,
    FEW = 300,
    SMALL = 1000, // small syncs of the one that is alone
    ANSWER_WANTED = 256 << 10,
    BODIES = 20000,
};

// The one that does small syncs.
struct one {
    pthread_t thread;
    struct load *load;
    struct load_line line;
    struct bytes *bodies;
    struct buf *requests;
    volatile int stop;
    struct load_result result;
};

static void one_prepare(struct one *one, struct peer *peer, size_t n)
{
    char words[TEXT_BYTES];
    const char *each = words;
    *one = (struct one){.bodies = calloc(n, sizeof *one->bodies),
                        .requests = calloc(n, sizeof *one->requests)};
    CHECK(one->bodies && one->requests, "out of memory");
    for (size_t i = 0; i < n; i++) {
        texts_get(i, words);
        mass_texts(peer, &each, 1, &one->requests[i], peer);
        one->bodies[i] = buf_bytes(&one->requests[i]);
    }
    one->line = (struct load_line){peer->token, one->bodies, n};
}

static void one_done(struct one *one)
{
    for (size_t i = 0; i < one->line.n; i++)
        buf_done(&one->requests[i]);
    load_free(&one->load);
    free(one->result.latencies);
    free(one->requests);
    free(one->bodies);
}

static void *one_run(void *arg)
{
    struct one *one = arg;
    load_run(one->load, &one->line, 0, &one->stop, NULL, &one->result);
    return NULL;
}

// p99 and median in milliseconds.
static void say(struct one *one, const char *p99, const char *p50)
{
    struct load_result *result = &one->result;
    figure("storm", p99, cost_percentile(result->latencies, result->calls, 0.99) * 1000);
    figure("storm", p50, cost_percentile(result->latencies, result->calls, 0.5) * 1000);
}

static void alone(struct town *town, struct peer *peer, size_t n)
{
    struct one one;
    one_prepare(&one, peer, n);
    one.load = load_new(town->hub.port, 1);
    (void)one_run(&one);
    say(&one, "idle_p99_ms", "idle_p50_ms");
    one_done(&one);
}

static void storm(struct town *town, struct peer *peer, const struct asking *asking, size_t phones)
{
    struct one one;
    struct load_result result;
    struct load_line *lines = calloc(phones, sizeof *lines);
    CHECK(lines, "out of memory");
    for (size_t i = 0; i < phones; i++)
        lines[i] = (struct load_line){town->peer.token, asking->borrowed, asking->n};
    one_prepare(&one, peer, BODIES);
    one.load = load_new(town->hub.port, 1);
    struct load *load = load_new(town->hub.port, phones);
    double rss = cost_kib(town->hub.pid, "Rss");
    CHECK(pthread_create(&one.thread, NULL, one_run, &one) == 0, "pthread_create");
    load_run(load, lines, 0, NULL, NULL, &result);
    one.stop = 1;
    pthread_join(one.thread, NULL);
    CHECK(one.result.calls < BODIES, "the small syncs had come to their end");
    say(&one, "p99_ms", "p50_ms");
    figure("storm", "small_syncs", (double)one.result.calls);
    figure("storm", "seconds", result.seconds);
    figure("storm", "client_busy", result.cpu_seconds / result.seconds);
    figure("storm", "served_mib", (double)result.bytes / (1 << 20));
    figure("storm", "memory_before_mib", rss / 1024);
    figure("storm", "memory_peak_mib", cost_kib(town->hub.pid, "VmHWM") / 1024);
    free(result.latencies);
    load_free(&load);
    one_done(&one);
    free(lines);
}

void row_storm(const struct plan *plan)
{
    for (unsigned i = 0; i < plan->runs; i++) {
        struct town town;
        struct asking asking;
        struct peer peers[2];
        town_open(&town, plan->quick ? FEW : RECORDS, TOWN_DISK, false, TOWN_CROWD);
        CHECK(strain_may_open(&town.hub, 4096), "so many descriptors are not permitted");
        town_add_peers(&town, peers, 2);
        asking_pull(&asking, &town.peer, ANSWER_WANTED);
        alone(&town, &peers[0], plan->quick ? FEW : SMALL);
        storm(&town, &peers[1], &asking, plan->quick ? FEW_PHONES : PHONES);
        asking_done(&asking);
        town_close(&town);
    }
}
