#include "tests/torture/fail.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fail_what what;
static uint64_t left; // calls until the one that fails; 0: none does
static bool has_failed;
static uint64_t counted;
static bool is_paused;

void fail_arm(enum fail_what of_what, uint64_t n)
{
    what = of_what;
    left = n;
    counted = 0;
    has_failed = false;
}

bool fail_disarm(void)
{
    left = 0;
    return has_failed;
}

bool fail_pause(bool pauses)
{
    bool before = is_paused;
    is_paused = pauses;
    return before;
}

uint64_t fail_counted(void)
{
    return counted;
}

static bool concerns(enum fail_call call)
{
    switch (what) {
    case FAIL_MEMORY:
        return call == CALL_FOR_MEMORY;
    case FAIL_ROW_GONE:
        return call == CALL_FOR_A_ROW;
    case FAIL_ROW_MISSING:
    case FAIL_ROW_DAMAGED:
        return call == CALL_THAT_READS;
    case FAIL_STORAGE:
    case FAIL_STORAGE_LATE:
        break;
    }
    return call == CALL_THAT_READS || call == CALL_OF_STORAGE;
}

bool fail_now(enum fail_call call)
{
    if (left == 0 || is_paused || !concerns(call))
        return false;
    counted++;
    if (--left > 0)
        return false;
    has_failed = true;
    return true;
}

static bool fails(bool is_memory)
{
    return fail_now(is_memory ? CALL_FOR_MEMORY : CALL_OF_STORAGE);
}

// --- memory ---

#define WRAP_MEMORY(name, parameters, arguments)                                                   \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        if (!fails(true))                                                                          \
            return __real_##name arguments;                                                        \
        errno = ENOMEM;                                                                            \
        return NULL;                                                                               \
    }

WRAP_MEMORY(malloc, (size_t n), (n))
WRAP_MEMORY(calloc, (size_t n, size_t size), (n, size))
WRAP_MEMORY(realloc, (void *p, size_t n), (p, n))
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return fails(true) ? NULL : __real_strdup(text);
}

// --- storage ---

// A failure that comes late is one of a call that changes something: else there is nothing late.
#define WRAP_STORAGE(type, name, parameters, arguments, failure)                                   \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (!fails(false))                                                                         \
            return __real_##name arguments;                                                        \
        if (what == FAIL_STORAGE_LATE)                                                             \
            (void)__real_##name arguments;                                                         \
        errno = EIO;                                                                               \
        return failure;                                                                            \
    }

WRAP_STORAGE(int, mdb_put,
             (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
             (txn, dbi, key, data, flags), EIO)
WRAP_STORAGE(int, mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
             (txn, dbi, key, data), EIO)
WRAP_STORAGE(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1)
WRAP_STORAGE(int, fdatasync, (int fd), (fd), -1)
WRAP_STORAGE(int, fsync, (int fd), (fd), -1)
WRAP_STORAGE(int, rename, (const char *from, const char *to), (from, to), -1)

// One row fails at a time, so that there is one to keep.
static int damage(MDB_val *data)
{
    static uint8_t row[1 << 20];
    size_t n = data->mv_size < sizeof row ? data->mv_size : sizeof row;
    memcpy(row, data->mv_data, n);
    row[n / 2] ^= 1;
    *data = (MDB_val){n, row};
    return 0;
}

#define WRAP_READ(name, parameters, arguments)                                                     \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        if (what == FAIL_ROW_DAMAGED) {                                                            \
            int rc = __real_##name arguments;                                                      \
            bool is_row = rc == 0 && data && data->mv_size;                                        \
            return is_row && fail_now(CALL_THAT_READS) ? damage(data) : rc;                        \
        }                                                                                          \
        if (!fail_now(CALL_THAT_READS))                                                            \
            return __real_##name arguments;                                                        \
        if (what == FAIL_STORAGE_LATE)                                                             \
            (void)__real_##name arguments;                                                         \
        return what == FAIL_ROW_MISSING ? MDB_NOTFOUND : EIO;                                      \
    }

WRAP_READ(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data))
WRAP_READ(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
          (cursor, key, data, op))

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
void *__real_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __real_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor);
int __wrap_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor);
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int __wrap_fstat(int fd, struct stat *st)
{
    errno = EIO;
    return fails(false) ? -1 : __real_fstat(fd, st);
}

void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return fails(false) ? MAP_FAILED : __real_mmap(at, n, protection, flags, fd, offset);
}

int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    return fails(false) ? EIO : __real_mdb_txn_begin(env, parent, flags, txn);
}

int __wrap_mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor)
{
    return fails(false) ? ENOMEM : __real_mdb_cursor_open(txn, dbi, cursor);
}

// It frees the transaction in any case.
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!fails(false))
        return __real_mdb_txn_commit(txn);
    if (what == FAIL_STORAGE_LATE)
        (void)__real_mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return EIO;
}
