#include "storage/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/txn_private.h"

// The paths of one creation, each ended by a zero byte.
struct paths {
    struct buf path;
    struct buf parent;
    struct buf fresh; // NAME.new
    struct buf file;  // a file in it
};

static const char *text_of(const struct buf *buf)
{
    return (const char *)buf->p;
}

static void paths_done(struct paths *paths)
{
    buf_done(&paths->path);
    buf_done(&paths->parent);
    buf_done(&paths->fresh);
    buf_done(&paths->file);
}

static void put_parent(struct buf *parent, struct bytes path)
{
    size_t n = path.n;
    while (n && path.p[n - 1] != '/')
        n--;
    while (n > 1 && path.p[n - 1] == '/')
        n--;
    buf_put(parent, n ? bytes_of(path.p, n) : bytes_of_text("."));
    buf_put_u8(parent, 0);
}

static enum err paths_init(struct paths *paths, const char *path)
{
    struct bytes name = bytes_of_text(path);
    while (name.n > 1 && name.p[name.n - 1] == '/')
        name.n--;
    buf_put(&paths->path, name);
    buf_put_u8(&paths->path, 0);
    put_parent(&paths->parent, name);
    buf_put(&paths->fresh, name);
    buf_put(&paths->fresh, bytes_of(".new", sizeof ".new"));
    if (paths->path.err || paths->parent.err)
        return ERR_NOMEM;
    return paths->fresh.err;
}

static enum err fail_errno(struct fault *fault, const char *what, const char *path)
{
    int cause = errno;
    return fault_set(fault, txn_err_of(cause), "cannot %s %s: %s", what, path, strerror(cause));
}

static enum err remove_file(struct paths *paths, const char *name, struct fault *fault)
{
    buf_reset(&paths->file);
    buf_put_format(&paths->file, "%s/%s", text_of(&paths->fresh), name);
    buf_put_u8(&paths->file, 0);
    if (paths->file.err)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    if (unlink(text_of(&paths->file)) == 0 || errno == ENOENT || errno == ENOTDIR)
        return OK;
    return fail_errno(fault, "remove", text_of(&paths->file));
}

// Only what a creation makes is removed: a directory of that name that holds anything else stays.
static enum err remove_leftover(struct paths *paths, struct fault *fault)
{
    enum err err = remove_file(paths, "data.mdb", fault);
    if (!err)
        err = remove_file(paths, "lock.mdb", fault);
    if (err)
        return err;
    if (rmdir(text_of(&paths->fresh)) == 0 || errno == ENOENT)
        return OK;
    return fail_errno(fault, "remove what an interrupted creation left,", text_of(&paths->fresh));
}

static enum err sync_directory(const char *path, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(fault, "open", path);
    enum err err = fsync(fd) == 0 ? OK : fail_errno(fault, "sync", path);
    close(fd);
    return err;
}

// One transaction makes all tables and writes the format.
static enum err fill(struct store *store)
{
    struct txn *txn = txn_begin_write(store);
    for (int i = 0; i < TABLE_COUNT && !txn_error(txn); i++)
        txn_fail(txn, txn_err_of(mdb_dbi_open(txn->mdb, txn_table_name((enum table)i), MDB_CREATE,
                                              &store->tables[i])));
    uint8_t format[4];
    be32_put(format, FORMAT_VERSION);
    table_put(txn, TABLE_META, bytes_of_text(FORMAT_KEY), BYTES(format));
    return txn_commit(&txn);
}

static enum err fill_fresh(const char *path, size_t map_size, struct fault *fault)
{
    struct store store = {.path = path};
    enum err err = txn_env_new(map_size, &store.env, fault);
    if (err)
        return err;
    err = txn_env_open(store.env, path, 0, fault);
    if (!err) {
        err = fill(&store);
        if (err)
            fault_set(fault, err, "cannot write a new database in %s: %s", path, err_text(err));
    }
    mdb_env_close(store.env);
    return err;
}

static enum err put_in_place(const struct paths *paths, struct fault *fault)
{
    const char *path = text_of(&paths->path);
    if (rename(text_of(&paths->fresh), path) == 0)
        return sync_directory(text_of(&paths->parent), fault);
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return fault_set(fault, ERR_DAMAGED,
                         "%s is not a database of Folkmoot and is not empty: choose another place",
                         path);
    return fail_errno(fault, "create", path);
}

static bool has_database(struct paths *paths)
{
    buf_reset(&paths->file);
    buf_put_format(&paths->file, "%s/data.mdb", text_of(&paths->path));
    buf_put_u8(&paths->file, 0);
    return !paths->file.err && access(text_of(&paths->file), F_OK) == 0;
}

static enum err create_locked(struct paths *paths, size_t map_size, struct fault *fault)
{
    if (has_database(paths))
        return OK;
    enum err err = remove_leftover(paths, fault);
    if (err)
        return err;
    const char *fresh = text_of(&paths->fresh);
    if (mkdir(fresh, 0700) != 0)
        return fail_errno(fault, "create", fresh);
    err = fill_fresh(fresh, map_size, fault);
    if (!err)
        err = sync_directory(fresh, fault);
    if (!err)
        err = put_in_place(paths, fault);
    // If this fails too, the next creation does it, or says why it cannot.
    if (err)
        remove_leftover(paths, NULL);
    return err;
}

enum err create_settle(const char *path, struct fault *fault)
{
    struct paths paths = {0};
    enum err err = paths_init(&paths, path);
    if (err)
        fault_set(fault, err, "out of memory");
    else if (access(text_of(&paths.parent), R_OK) == 0)
        err = sync_directory(text_of(&paths.parent), fault);
    paths_done(&paths);
    return err;
}

static int lock_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result;
    do
        result = flock(fd, LOCK_EX);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return fd;
    close(fd);
    return -1;
}

enum err create_store(const char *path, size_t map_size, struct fault *fault)
{
    struct paths paths = {0};
    enum err err = paths_init(&paths, path);
    if (err) {
        paths_done(&paths);
        return fault_set(fault, err, "out of memory");
    }
    // The lock goes with the descriptor, so that a crash leaves none.
    int lock = lock_directory(text_of(&paths.parent));
    if (lock < 0) {
        err = fail_errno(fault, "open", text_of(&paths.parent));
    } else {
        err = create_locked(&paths, map_size, fault);
        close(lock);
    }
    paths_done(&paths);
    return err;
}
