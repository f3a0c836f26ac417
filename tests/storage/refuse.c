#include "tests/storage/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cipher.h"

static const char *refused;
static unsigned left; // calls until the one that is; 0: none is
static int with;
static bool has_refused;

void refuse(const char *kind, unsigned nth, int error)
{
    refused = kind;
    left = nth;
    with = error;
    has_refused = false;
}

bool refuse_end(void)
{
    left = 0;
    return has_refused;
}

static bool is_refused(const char *name, const char *kind)
{
    if (left == 0 || (strcmp(refused, name) != 0 && strcmp(refused, kind) != 0))
        return false;
    if (--left > 0)
        return false;
    has_refused = true;
    errno = with;
    return true;
}

#define WRAP(type, name, kind, parameters, arguments, failure)                                     \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_refused(#name, kind) ? failure : __real_##name arguments;                        \
    }

// --- memory ---

WRAP(void *, malloc, REFUSE_MEMORY, (size_t n), (n), NULL)
WRAP(void *, calloc, REFUSE_MEMORY, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, REFUSE_MEMORY, (void *p, size_t n), (p, n), NULL)
WRAP(char *, strdup, REFUSE_MEMORY, (const char *text), (text), NULL)
WRAP(enum err, cipher_encrypt, REFUSE_MEMORY,
     (const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out), (key, in, out), ERR_NOMEM)
WRAP(enum err, cipher_decrypt, REFUSE_MEMORY,
     (const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out), (key, in, out), ERR_NOMEM)

// What zstd says when it has no memory.
static const size_t zstd_error = (size_t)-64;

WRAP(ZSTD_CCtx *, ZSTD_createCCtx, REFUSE_MEMORY, (void), (), NULL)
WRAP(ZSTD_DCtx *, ZSTD_createDCtx, REFUSE_MEMORY, (void), (), NULL)
WRAP(size_t, ZSTD_CCtx_setParameter, REFUSE_MEMORY,
     (ZSTD_CCtx * zstd, ZSTD_cParameter parameter, int value), (zstd, parameter, value), zstd_error)
WRAP(size_t, ZSTD_DCtx_setParameter, REFUSE_MEMORY,
     (ZSTD_DCtx * zstd, ZSTD_dParameter parameter, int value), (zstd, parameter, value), zstd_error)
WRAP(size_t, ZSTD_compressStream2, REFUSE_MEMORY,
     (ZSTD_CCtx * zstd, ZSTD_outBuffer *out, ZSTD_inBuffer *in, ZSTD_EndDirective directive),
     (zstd, out, in, directive), zstd_error)

// --- LMDB ---

WRAP(int, mdb_env_create, REFUSE_LMDB, (MDB_env * *env), (env), with)
WRAP(int, mdb_env_set_maxdbs, REFUSE_LMDB, (MDB_env * env, MDB_dbi n), (env, n), with)
WRAP(int, mdb_env_set_mapsize, REFUSE_LMDB, (MDB_env * env, size_t n), (env, n), with)
WRAP(int, mdb_env_open, REFUSE_LMDB,
     (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode), (env, path, flags, mode),
     with)
WRAP(int, mdb_txn_begin, REFUSE_LMDB,
     (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn), (env, parent, flags, txn),
     with)
WRAP(int, mdb_dbi_open, REFUSE_LMDB,
     (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi), (txn, name, flags, dbi), with)
WRAP(int, mdb_get, REFUSE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
     (txn, dbi, key, data), with)
WRAP(int, mdb_put, REFUSE_LMDB,
     (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
     (txn, dbi, key, data, flags), with)
WRAP(int, mdb_del, REFUSE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
     (txn, dbi, key, data), with)
WRAP(int, mdb_cursor_open, REFUSE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor),
     (txn, dbi, cursor), with)
WRAP(int, mdb_cursor_get, REFUSE_LMDB,
     (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op), (cursor, key, data, op),
     with)

WRAP(int, mdb_stat, REFUSE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *about), (txn, dbi, about),
     with)

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
// It frees the transaction in any case.
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!is_refused("mdb_txn_commit", REFUSE_LMDB))
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return with;
}

// --- files ---

WRAP(int, access, REFUSE_FILES, (const char *path, int mode), (path, mode), -1)
WRAP(int, fdatasync, REFUSE_FILES, (int fd), (fd), -1)
WRAP(int, flock, REFUSE_FILES, (int fd, int operation), (fd, operation), -1)
WRAP(int, fstat, REFUSE_FILES, (int fd, struct stat *st), (fd, st), -1)
WRAP(int, fsync, REFUSE_FILES, (int fd), (fd), -1)
WRAP(int, ftruncate, REFUSE_FILES, (int fd, off_t size), (fd, size), -1)
WRAP(off_t, lseek, REFUSE_FILES, (int fd, off_t at, int from), (fd, at, from), -1)
WRAP(int, mkdir, REFUSE_FILES, (const char *path, mode_t mode), (path, mode), -1)
WRAP(void *, mmap, REFUSE_FILES, (void *p, size_t n, int protection, int flags, int fd, off_t at),
     (p, n, protection, flags, fd, at), MAP_FAILED)
WRAP(int, rename, REFUSE_FILES, (const char *from, const char *to), (from, to), -1)
WRAP(int, rmdir, REFUSE_FILES, (const char *path), (path), -1)
WRAP(int, stat, REFUSE_FILES, (const char *path, struct stat *st), (path, st), -1)
WRAP(int, statvfs, REFUSE_FILES, (const char *path, struct statvfs *about), (path, about), -1)
WRAP(int, unlink, REFUSE_FILES, (const char *path), (path), -1)
WRAP(enum err, cipher_random, REFUSE_FILES, (void *out, size_t n), (out, n), ERR_IO)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
// Whatever is made here is made with this mode.
int __wrap_open(const char *path, int flags, ...)
{
    return is_refused("open", REFUSE_FILES) ? -1 : __real_open(path, flags, 0600);
}

int __real_close(int fd);
int __wrap_close(int fd);
// It closes in any case.
int __wrap_close(int fd)
{
    bool fails = is_refused("close", REFUSE_FILES);
    int result = __real_close(fd);
    if (!fails)
        return result;
    errno = with;
    return -1;
}

#define WRAP_TRANSFER(name, parameters, arguments, half)                                           \
    ssize_t __real_##name parameters;                                                              \
    ssize_t __wrap_##name parameters;                                                              \
    ssize_t __wrap_##name parameters                                                               \
    {                                                                                              \
        if (!is_refused(#name, REFUSE_FILES))                                                      \
            return __real_##name arguments;                                                        \
        return with == REFUSE_SHORT ? __real_##name half : -1;                                     \
    }

WRAP_TRANSFER(pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), (fd, p, n / 2, at))
WRAP_TRANSFER(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at),
              (fd, p, n / 2, at))
WRAP_TRANSFER(read, (int fd, void *p, size_t n), (fd, p, n), (fd, p, n / 2 + 1))
WRAP_TRANSFER(write, (int fd, const void *p, size_t n), (fd, p, n), (fd, p, n / 2 + 1))
