// What the index of words costs: folkmoot-bench-search TEXTS RECORDS (texts as bench/texts.py makes
// them). A hub in this process takes so many needs with words; then the log is followed from its
// beginning, questions are asked, one record is added, and one is erased.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/texts.h"
#include "proto/schema.h"
#include "tests/sync/crowd.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { ASKED = 20, SHARE = 1000 };

static struct world world;

// Of this thread, in microseconds.
static double cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

// Adds needs in pushes of SHARE, each with memory of its own.
static void fill(size_t records)
{
    for (size_t i = 0; i < records;) {
        struct arena arena ARENA_CLEANUP;
        struct crowd crowd;
        arena_init(&arena, WORLD_ARENA_MAX);
        crowd_init(&crowd, &world, 1, &arena);
        for (size_t k = 0; k < SHARE && i < records; k++, i++) {
            char text[TEXT_BYTES];
            struct envelope envelope = {.kind = KIND_NEED, .time = (int64_t)i};
            texts_get(i, text);
            (void)crowd_add(&crowd, &envelope,
                            handmade_text(&arena, FIELD_WORDS, bytes_of_text(text)));
        }
        crowd_push(&crowd);
        crowd_done(&crowd);
    }
}

static double follow(struct search *search)
{
    bool is_behind = true;
    double begun = cpu_us();
    while (is_behind) {
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        world_must(!search_follow(search, txn, &is_behind), "the log could not be followed");
    }
    return cpu_us() - begun;
}

static void ask(struct search *search, const char *words)
{
    double best = 0;
    size_t found = 0;
    for (int i = 0; i < ASKED; i++) {
        struct arena arena ARENA_CLEANUP;
        struct search_response response;
        struct search_request request = {.text = bytes_of_text(words), .page_size = 20};
        struct hub_caller caller = world_caller(&world, 1);
        arena_init(&arena, WORLD_ARENA_MAX);
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        double begun = cpu_us();
        world_must(!hub_search(txn, &caller, search, &request, &arena, &response, NULL),
                   "no answer");
        double us = cpu_us() - begun;
        best = i == 0 || us < best ? us : best;
        found = response.records.n;
    }
    printf("  \"%s\": %.2f ms, %zu on the page\n", words, best / 1000, found);
}

int main(int argc, char **argv)
{
    static const char *const questions[] = {
        "water", "park repair", "the", "s", "sch", "senior center", "traffic light near the scho",
        "zzzz"};
    struct search_size size;
    if (argc != 3)
        return 2;
    size_t records = strtoul(argv[2], NULL, 10);
    texts_open(argv[1]);
    world_open(&world, 2);
    world_begin(&world, 1);
    fill(records);
    struct search *search = search_new(world.community, 1);
    world_must(search != NULL, "no memory");
    double us = follow(search);
    search_size(search, &size);
    printf("%zu records, %zu segments: %.1f us a record to index, %.1f bytes a record\n", records,
           size.segments, us / (double)records, (double)size.bytes / (double)records);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        ask(search, questions[i]);
    // By the other device, for whose chain nobody else wrote.
    struct world_change need = said_need(&world, 0, "one more", NULL);
    while (!said_is_live(world.hub, world.community, &need.record))
        (void)network_sync(&world, 0);
    printf("one more record: %.0f us\n", follow(search));
    said_erase(&world, 0, 0, &need);
    while (said_is_live(world.hub, world.community, &need.record))
        (void)network_sync(&world, 0);
    printf("one erased, and all rewritten: %.0f ms\n", follow(search) / 1000);
    search_free(&search);
    world_close(&world);
    return 0;
}
