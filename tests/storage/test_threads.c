// Two readers and two writers share one store: each reader sees whole transactions only, and the
// writers take turns.

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "storage/table.h"
#include "tests/storage/scratch.h"

enum { WRITERS = 2, READERS = 2, ROUNDS = 200, ROWS = 8 };

static struct store *store;
static atomic_bool failed;
static atomic_int writers_left = WRITERS;

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    atomic_store(&failed, true);
}

static uint32_t row(struct txn *txn, uint32_t i)
{
    struct key key = {0};
    struct bytes value;
    key_u32(&key, i);
    return table_get(txn, TABLE_NAME, key_of(&key), &value) ? 0 : be32_get(value.p);
}

// Counts all rows up together.
static void *write_rounds(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct txn *txn = txn_begin_write(store);
        uint32_t v = row(txn, 0) + 1;
        for (uint32_t i = 0; i < ROWS; i++) {
            struct key key = {0};
            uint8_t value[600] = {0};
            key_u32(&key, i);
            be32_put(value, v);
            table_put(txn, TABLE_NAME, key_of(&key), BYTES(value));
        }
        check(txn_commit(&txn) == OK, "a commit failed");
    }
    atomic_fetch_sub(&writers_left, 1);
    return arg;
}

static void *read_rounds(void *arg)
{
    uint32_t last = 0;
    while (atomic_load(&writers_left)) {
        struct txn *txn = txn_begin_read(store);
        uint32_t v = row(txn, 0);
        // LMDB tells a reader the number of the last commit, and then gives it the page of meta
        // data for even or odd numbers: one who is held up between the two may see a commit that
        // is being written, and the next time the one before.
        check(v + 1 >= last, "what was read went back in time");
        for (uint32_t i = 1; i < ROWS; i++)
            check(row(txn, i) == v, "half a transaction was read");
        check(txn_commit(&txn) == OK, "a reader failed");
        last = v;
        store_check_readers(store);
        uint64_t used;
        uint64_t max;
        store_size(store, &used, &max);
        check(used <= max, "more is used than there is");
    }
    return arg;
}

struct shared {
    struct scratch scratch;
    atomic_int open; // now, by open_and_close
};

// Only one of several openers at once may have it.
static void *open_and_close(void *arg)
{
    struct shared *shared = arg;
    for (int round = 0; round < 50; round++) {
        struct store *mine = NULL;
        enum err err = store_open(shared->scratch.path, NULL, &mine, NULL);
        check(err == OK || err == ERR_WRONG_STATE, "an opening failed");
        if (err)
            continue;
        check(atomic_fetch_add(&shared->open, 1) == 0, "opened twice at once");
        atomic_fetch_sub(&shared->open, 1);
        store_close(&mine);
    }
    return arg;
}

static void run(int n, void *(*const work[])(void *), void *arg)
{
    pthread_t threads[WRITERS + READERS];
    for (int i = 0; i < n; i++)
        check(pthread_create(&threads[i], NULL, work[i], arg) == 0, "no thread");
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    struct shared shared = {0};
    scratch_init(&shared.scratch);
    store = scratch_open(&shared.scratch);
    run(WRITERS + READERS,
        (void *(*const[])(void *)){write_rounds, write_rounds, read_rounds, read_rounds}, NULL);
    struct txn *txn = txn_begin_read(store);
    check(row(txn, 0) == WRITERS * ROUNDS, "a round was lost");
    txn_abort(&txn);
    store_close(&store);
    run(3, (void *(*const[])(void *)){open_and_close, open_and_close, open_and_close}, &shared);
    scratch_done(&shared.scratch);
    return atomic_load(&failed) ? 1 : 0;
}
