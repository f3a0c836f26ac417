// One thread follows the log from its beginning, again and again, while others ask; TSan watches.

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "proto/schema.h"
#include "sync/search_private.h"
#include "tests/sync/crowd.h"

enum { ASKING = 2, NEEDS = 1500, ROUNDS = 10 };

static struct world world;
static struct search *search;
static atomic_bool is_over;

static void fill(void)
{
    struct arena arena ARENA_CLEANUP;
    struct crowd crowd;
    arena_init(&arena, WORLD_ARENA_MAX);
    crowd_init(&crowd, &world, 0, &arena);
    for (int i = 0; i < NEEDS; i++) {
        char title[40];
        (void)snprintf(title, sizeof title, "need%d of water", i);
        (void)crowd_need(&crowd, title);
    }
    crowd_push(&crowd);
    crowd_done(&crowd);
}

static void *ask_always(void *arg)
{
    struct search_query query = {.n = 0};
    struct search_candidate *candidates = arg;
    world_must(!search_query_read(bytes_of_text("of water"), &query, NULL), "no question");
    while (!atomic_load(&is_over)) {
        struct search_told told;
        struct search_size size;
        size_t n = 0;
        struct search_ask ask = {&query, KIND_NEED, 0, UINT64_MAX};
        world_must(!search_candidates(search, &ask, candidates, &n, &told), "no answer");
        world_must(n <= SEARCH_CANDIDATES_MAX, "too many");
        search_size(search, &size);
    }
    return NULL;
}

int main(void)
{
    static struct search_candidate candidates[ASKING][SEARCH_CANDIDATES_MAX];
    pthread_t threads[ASKING];
    struct search_size size;
    world_open(&world, 1);
    world_begin(&world, 1);
    fill();
    search = search_new(world.community, 1);
    world_must(search != NULL, "no memory");
    for (size_t i = 0; i < ASKING; i++)
        world_must(!pthread_create(&threads[i], NULL, ask_always, candidates[i]), "no thread");
    for (int round = 0; round < ROUNDS; round++) {
        bool is_behind = true;
        while (is_behind) {
            struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
            world_must(!search_follow(search, txn, &is_behind), "the log could not be followed");
        }
        search_size(search, &size);
        world_must(size.documents == NEEDS, "not all is indexed");
        if (round + 1 < ROUNDS)
            search_empty(search);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < ASKING; i++)
        (void)pthread_join(threads[i], NULL);
    search_free(&search);
    world_close(&world);
    return 0;
}
