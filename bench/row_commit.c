// One device pushes one change after the other, each with a commit of its own; then a hundred
// devices do at once. Beside it a put and a commit of bare LMDB on the same disk.

#include <stdlib.h>

#include "bench/figure.h"
#include "bench/load.h"
#include "bench/raw_lmdb.h"
#include "bench/rows.h"
#include "bench/texts.h"
#include "bench/town.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/mass.h"

enum { DEVICES = 100, ALONE = 1000, EACH = 50, FEW_DEVICES = 5, FEW = 10 };

// A device's pushes of one change each, made beforehand.
struct pushes {
    struct peer peer;
    struct buf requests[ALONE];
    struct bytes borrowed[ALONE];
};

static struct load_line prepare(struct pushes *pushes, size_t n, size_t text)
{
    char words[TEXT_BYTES];
    const char *one = words;
    for (size_t i = 0; i < n; i++) {
        texts_get(text + i, words);
        buf_reset(&pushes->requests[i]);
        mass_texts(&pushes->peer, &one, 1, &pushes->requests[i], &pushes->peer);
        pushes->borrowed[i] = buf_bytes(&pushes->requests[i]);
    }
    return (struct load_line){pushes->peer.token, pushes->borrowed, n};
}

static double run(struct town *town, struct pushes *pushes, size_t devices, size_t each)
{
    struct load_line lines[DEVICES];
    struct load_result result;
    for (size_t i = 0; i < devices; i++)
        lines[i] = prepare(&pushes[i], each, i * each);
    uint64_t before = hub_log_size(&town->hub);
    struct load *load = load_new(town->hub.port, devices);
    load_run(load, lines, 0, NULL, NULL, &result);
    load_free(&load);
    free(result.latencies);
    uint64_t grown = hub_log_size(&town->hub) - before;
    CHECK(grown == devices * each, "%llu changes were taken, not %zu", (unsigned long long)grown,
          devices * each);
    return (double)(devices * each) / result.seconds;
}

static void measure(bool quick)
{
    struct town town;
    struct peer peers[DEVICES];
    size_t devices = quick ? FEW_DEVICES : DEVICES, alone = quick ? FEW : ALONE;
    struct pushes *pushes = calloc(devices, sizeof *pushes);
    CHECK(pushes, "out of memory");
    town_found(&town, TOWN_DISK);
    town_add_peers(&town, peers, devices);
    for (size_t i = 0; i < devices; i++)
        pushes[i].peer = peers[i];
    figure("commit", "lmdb_a_second", (double)alone / raw_lmdb_seconds(town.hub.dir, alone, 1));
    figure("commit", "one_a_second", run(&town, pushes, 1, alone));
    figure("commit", "group_a_second", run(&town, pushes, devices, quick ? FEW : EACH));
    for (size_t i = 0; i < devices; i++)
        for (size_t j = 0; j < ALONE; j++)
            buf_done(&pushes[i].requests[j]);
    free(pushes);
    town_close(&town);
}

void row_commit(const struct plan *plan)
{
    for (unsigned i = 0; i < plan->runs; i++)
        measure(plan->quick);
}
