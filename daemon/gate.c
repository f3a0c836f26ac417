#include "daemon/gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sync/counts.h"

struct gate {
    pthread_rwlock_t lock; // held for reading by whoever is in a transaction
    struct store *store;   // NULL: could not be opened again
    bool only_reads;       // it could be opened only to be read
    struct store_options options;
    char *path;
};

enum err gate_open(const char *path, size_t map_size, struct gate **out, struct fault *fault)
{
    struct gate *gate = calloc(1, sizeof *gate);
    if (!gate)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    gate->options.map_size = map_size;
    gate->options.keeps_orders = true;
    gate->path = strdup(path);
    if (!gate->path || pthread_rwlock_init(&gate->lock, NULL)) {
        free(gate->path);
        free(gate);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    enum err err = store_open(path, &gate->options, &gate->store, fault);
    // Where they cannot be made there is no picture, and all else goes on.
    enum err counted = err ? OK : counts_make(gate->store);
    (void)counted;
    if (err)
        gate_close(&gate);
    else
        *out = gate;
    return err;
}

void gate_close(struct gate **gate)
{
    if (!*gate)
        return;
    if ((*gate)->store)
        store_close(&(*gate)->store);
    (void)pthread_rwlock_destroy(&(*gate)->lock);
    free((*gate)->path);
    free(*gate);
    *gate = NULL;
}

static struct txn *begin(struct gate *gate, bool writes)
{
    (void)pthread_rwlock_rdlock(&gate->lock);
    if (gate->store && !(writes && gate->only_reads))
        return writes ? txn_begin_write(gate->store) : txn_begin_read(gate->store);
    (void)pthread_rwlock_unlock(&gate->lock);
    return NULL;
}

struct txn *gate_begin_read(struct gate *gate)
{
    return begin(gate, false);
}

struct txn *gate_begin_write(struct gate *gate)
{
    return begin(gate, true);
}

void gate_end_read(struct gate *gate, struct txn **txn)
{
    gate_abort(gate, txn);
}

enum err gate_commit(struct gate *gate, struct txn **txn)
{
    enum err err = txn_commit(txn);
    (void)pthread_rwlock_unlock(&gate->lock);
    return err;
}

void gate_abort(struct gate *gate, struct txn **txn)
{
    if (!*txn)
        return;
    txn_abort(txn);
    (void)pthread_rwlock_unlock(&gate->lock);
}

enum err gate_reopen(struct gate *gate, struct fault *fault)
{
    (void)pthread_rwlock_wrlock(&gate->lock);
    if (gate->store)
        store_close(&gate->store);
    gate->store = NULL;
    enum err err = store_open(gate->path, &gate->options, &gate->store, fault);
    struct store_options to_read = gate->options;
    to_read.read_only = true;
    gate->only_reads = err != OK;
    if (err && store_open(gate->path, &to_read, &gate->store, NULL))
        gate->store = NULL;
    (void)pthread_rwlock_unlock(&gate->lock);
    return err;
}

bool gate_can_write(struct gate *gate)
{
    (void)pthread_rwlock_rdlock(&gate->lock);
    bool can = gate->store && !gate->only_reads;
    (void)pthread_rwlock_unlock(&gate->lock);
    return can;
}

enum err gate_orders_each(struct gate *gate, bool (*each)(const struct store_order *, void *),
                          void *arg)
{
    (void)pthread_rwlock_rdlock(&gate->lock);
    enum err err = gate->store ? store_orders_each(gate->store, each, arg) : ERR_BUSY;
    (void)pthread_rwlock_unlock(&gate->lock);
    return err;
}

void gate_check_readers(struct gate *gate)
{
    (void)pthread_rwlock_rdlock(&gate->lock);
    if (gate->store)
        store_check_readers(gate->store);
    (void)pthread_rwlock_unlock(&gate->lock);
}

const char *gate_path(const struct gate *gate)
{
    return gate->path;
}

void gate_size(struct gate *gate, uint64_t *used, uint64_t *max)
{
    *used = 0;
    *max = 0;
    (void)pthread_rwlock_rdlock(&gate->lock);
    if (gate->store)
        store_size(gate->store, used, max);
    (void)pthread_rwlock_unlock(&gate->lock);
}
