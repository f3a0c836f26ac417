// Transactions: their first error, the damage that they met, and what a commit notes beside the
// rows.

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "storage/orders.h"
#include "storage/store.h"
#include "storage/txn_private.h"

// What txn_begin_* answer when there is no memory for a transaction. Never written to: it has its
// error already.
static struct txn txn_no_memory = {.err = ERR_NOMEM};

enum err txn_number(struct txn *txn, const char *name, uint64_t *number)
{
    struct bytes value;
    enum err err = table_get(txn, TABLE_META, bytes_of_text(name), &value);
    *number = !err && value.n == 8 ? be64_get(value.p) : 0;
    return err == ERR_NOT_FOUND ? OK : err;
}

static void put_number(struct txn *txn, const char *name, uint64_t number)
{
    uint8_t value[8];
    be64_put(value, number);
    table_put(txn, TABLE_META, bytes_of_text(name), BYTES(value));
}

static struct txn *begin(struct store *store, bool write)
{
    struct txn *txn = calloc(1, sizeof *txn);
    if (!txn)
        return &txn_no_memory;
    txn->store = store;
    txn->write = write;
    if (atomic_load(&store->broken)) {
        txn->err = ERR_IO;
        return txn;
    }
    if (write && store->read_only) {
        txn->err = ERR_WRONG_STATE;
        return txn;
    }
    unsigned flags = write ? 0 : MDB_RDONLY;
    int result = mdb_txn_begin(store->env, NULL, flags, &txn->mdb);
    if (result == MDB_READERS_FULL) {
        store_check_readers(store);
        result = mdb_txn_begin(store->env, NULL, flags, &txn->mdb);
    }
    if (result) {
        txn->mdb = NULL;
        txn->err = txn_err_of(result);
    }
    return txn;
}

struct txn *txn_begin_read(struct store *store)
{
    return begin(store, false);
}

struct txn *txn_begin_write(struct store *store)
{
    return begin(store, true);
}

enum err txn_error(const struct txn *txn)
{
    return txn->err;
}

uint64_t txn_damage(const struct txn *txn)
{
    return txn->damage;
}

enum err txn_damaged(struct txn *txn)
{
    // What could not be looked at is no damage.
    if (txn->err && txn->err != ERR_DAMAGED)
        return txn->err;
    // The one without memory is everybody's.
    if (txn != &txn_no_memory)
        txn->damage++;
    return ERR_DAMAGED;
}

enum err txn_fail(struct txn *txn, enum err err)
{
    if (err == ERR_DAMAGED)
        err = txn_damaged(txn);
    if (!txn->err && err)
        txn->err = err;
    return txn->err;
}

bool txn_failed(struct txn *txn, enum err err)
{
    if (err == ERR_NOMEM)
        txn_fail(txn, err);
    return err != OK;
}

void txn_forgive(struct txn *txn, uint64_t damage)
{
    if (txn != &txn_no_memory)
        txn->damage = damage;
}

bool txn_ride(struct txn *txn, const struct txn_rider *rider, void *arg)
{
    if (txn == &txn_no_memory)
        return false;
    assert(txn->write && !txn->rider);
    txn->rider = rider;
    txn->rider_arg = arg;
    return true;
}

void *txn_riding(const struct txn *txn, const struct txn_rider *rider)
{
    return txn->rider == rider ? txn->rider_arg : NULL;
}

static void end(struct txn **txn)
{
    struct txn *ended = *txn;
    *txn = NULL;
    if (ended == &txn_no_memory)
        return;
    if (ended->rider)
        ended->rider->done(ended->rider_arg);
    if (ended->mdb)
        mdb_txn_abort(ended->mdb);
    buf_done(&ended->scratch);
    buf_done(&ended->destroyed);
    buf_done(&ended->orders);
    for (size_t i = 0; i < TXN_BODIES; i++) {
        if (ended->bodies[i].p)
            bytes_wipe(ended->bodies[i].p, ended->bodies[i].cap);
        buf_done(&ended->bodies[i]);
    }
    packer_done(&ended->packer);
    free(ended);
}

// The words are gone from the files only now; what fails is done when the store is opened anew.
static enum err destroy_keys(struct txn *txn)
{
    enum { ROW = 12 };
    enum err err = OK;
    for (size_t at = 0; at + ROW <= txn->destroyed.n && !err; at += ROW)
        err = seal_destroy(txn->store->seal, be32_get(txn->destroyed.p + at),
                           be64_get(txn->destroyed.p + at + 4));
    if (err)
        atomic_store(&txn->store->broken, true);
    return err ? ERR_IO : OK; // it did take place, but the store has to be opened anew
}

// How many the database knows of, and the check of the last: so a file with another history is
// noticed.
static void put_orders(struct txn *txn, uint64_t n, uint32_t check)
{
    uint8_t value[12];
    be64_put(value, n);
    be32_put(value + 8, check);
    table_put(txn, TABLE_META, bytes_of_text(ORDERS_KEY), BYTES(value));
}

static enum err note_orders(struct txn *txn)
{
    uint64_t n;
    enum err err = txn->destroyed.err ? txn->destroyed.err : txn->orders.err;
    if (err || txn->orders.n == 0)
        return err;
    err = orders_append(txn->store->path, buf_bytes(&txn->orders), &n);
    if (!err)
        put_orders(txn, n, be32_get(txn->orders.p + txn->orders.n - 4));
    return err ? err : txn->err;
}

enum err txn_orders(struct txn *txn, uint64_t *n, bool *fits)
{
    struct bytes value;
    uint32_t check;
    enum err err = table_get(txn, TABLE_META, bytes_of_text(ORDERS_KEY), &value);
    bool is_known = !err && value.n == 12;
    *n = is_known ? be64_get(value.p) : 0;
    *fits = false;
    if (err && err != ERR_NOT_FOUND)
        return err;
    uint32_t known = is_known ? be32_get(value.p + 8) : 0;
    err = orders_check(txn->store->path, *n, &check);
    *fits = !err && check == known;
    return err == ERR_NOT_FOUND ? OK : err;
}

bool store_orders_known(struct txn *txn)
{
    uint64_t known;
    uint64_t there;
    uint32_t check = 0;
    bool fits;
    enum err err = txn_orders(txn, &known, &fits);
    if (!err)
        err = orders_count(txn->store->path, &there);
    if (!err)
        err = orders_check(txn->store->path, there, &check);
    if (txn_fail(txn, err) || (fits && known == there))
        return false;
    put_orders(txn, there, check);
    return true;
}

void store_orders_lost(struct txn *txn)
{
    uint64_t known;
    bool fits;
    if (!txn_fail(txn, txn_orders(txn, &known, &fits)) && !fits)
        put_orders(txn, 0, 0);
}

static enum err note_commit(struct txn *txn)
{
    // A commit without writes is none.
    if (txn->writes)
        put_number(txn, COMMIT_KEY, mdb_txn_id(txn->mdb));
    return txn->err;
}

// LMDB says EIO where a write came to its end for want of room.
static bool is_disk_full(const struct store *store)
{
    struct statvfs about;
    uint64_t least = 256 << 10;
    return !statvfs(store->path, &about) && (uint64_t)about.f_bavail * about.f_frsize < least;
}

enum err txn_commit(struct txn **txn)
{
    struct txn *ended = *txn;
    assert(ended->walks == 0);
    if (!ended->err && ended->rider)
        ended->rider->settle(ended, ended->rider_arg);
    enum err err = ended->err ? ended->err : note_orders(ended);
    if (!err)
        err = note_commit(ended);
    if (!err) {
        int result = mdb_txn_commit(ended->mdb);
        ended->mdb = NULL;
        err = txn_err_of(result == EIO && is_disk_full(ended->store) ? ENOSPC : result);
        // LMDB's own codes come before anything was written; an errno may come from the middle.
        if (result > 0)
            atomic_store(&ended->store->broken, true);
        if (!err)
            err = destroy_keys(ended);
    }
    end(txn);
    return err;
}

void txn_abort(struct txn **txn)
{
    if (!*txn)
        return;
    assert((*txn)->walks == 0);
    end(txn);
}
