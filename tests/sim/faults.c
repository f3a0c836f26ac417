#include "tests/sim/faults.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t operations;
static uint64_t dies_at; // 0: never
static enum faults_last last;
static bool dead;

void faults_arm(uint64_t n, enum faults_last of_last)
{
    dies_at = operations + n;
    last = of_last;
}

bool faults_clear(void)
{
    bool was = dead;
    dead = false;
    dies_at = 0;
    return was;
}

bool faults_dead(void)
{
    return dead;
}

uint64_t faults_operations(void)
{
    return operations;
}

// Whether the operation is carried out, and whether its caller is told that it failed.
struct verdict {
    bool runs;
    bool fails;
};

static struct verdict operation(void)
{
    if (dead)
        return (struct verdict){false, true};
    dead = ++operations == dies_at;
    return (struct verdict){!dead || last == FAULTS_LAST_DONE, dead};
}

// Declares what stands under the name, and defines what is called instead.
#define WRAP(type, name, parameters, arguments, failure)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        struct verdict verdict = operation();                                                      \
        type result = failure;                                                                     \
        if (verdict.runs)                                                                          \
            result = __real_##name arguments;                                                      \
        if (!verdict.fails)                                                                        \
            return result;                                                                         \
        errno = EIO;                                                                               \
        return failure;                                                                            \
    }

WRAP(int, mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data),
     EIO)
WRAP(int, mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
     (txn, dbi, key, data, flags), EIO)
WRAP(int, mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data),
     EIO)
WRAP(int, mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
     (cursor, key, data, op), EIO)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at), -1)
WRAP(int, fdatasync, (int fd), (fd), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    return operation().fails ? EIO : __real_mdb_txn_begin(env, parent, flags, txn);
}

// It frees the transaction in any case.
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    struct verdict verdict = operation();
    if (!verdict.runs)
        mdb_txn_abort(txn);
    int code = verdict.runs ? __real_mdb_txn_commit(txn) : EIO;
    return verdict.fails ? EIO : code;
}
