#include "daemon/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/belong.h"
#include "daemon/file.h"
#include "daemon/folder.h"
#include "daemon/identity.h"
#include "daemon/keeping.h"
#include "daemon/place.h"
#include "sync/verify.h"

static enum err fail(struct fault *fault, const char *what, const char *path)
{
    int code = errno;
    return fault_set(fault, code == ENOSPC || code == EDQUOT ? ERR_FULL : ERR_IO,
                     "cannot %s %s: %s", what, path, strerror(code));
}

// --- places ---

// Those of the calls below, all in state_dir: on one file system, and nobody else's.
struct places {
    char database[PATH_MAX];
    char restoring[PATH_MAX]; // becomes the database
    char orders[PATH_MAX];
    char new_orders[PATH_MAX];
    char verifying[PATH_MAX];
};

static enum err find_places(const struct config *config, struct places *places, struct fault *fault)
{
    const struct {
        const char *name;
        char *path;
    } all[] = {{"db", places->database},
               {"db.restoring", places->restoring},
               {"db/orders", places->orders},
               {"db.restoring/orders", places->new_orders},
               {"db.verifying", places->verifying}};
    enum err err = OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && !err; i++)
        err = place_in_state(config, all[i].name, all[i].path, fault);
    return err;
}

static enum err open_store(const struct config *config, const char *path, bool read_only,
                           struct store **store, struct fault *fault)
{
    const struct store_options options = {.map_size = config->database_bytes,
                                          .read_only = read_only};
    return store_open(path, &options, store, fault);
}

// --- streams ---

// A file that has no name, so that nothing of it stays.
static enum err open_unnamed(const char *folder, int *fd, struct fault *fault)
{
    *fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd >= 0 ? OK : fail(fault, "write in", folder);
}

static enum err dump_to(const struct config *config, const char *database, int fd,
                        const struct scrub *scrub, struct dump *dump, struct fault *fault)
{
    struct store *store = NULL;
    enum err err = open_store(config, database, true, &store, fault);
    if (!err)
        err = dump_write(store, fd, scrub, dump, fault);
    store_close(&store);
    return err;
}

// Into a new store.
static enum err load_from(const struct config *config, int fd, const char *path, bool is_copy,
                          struct dump *dump, struct fault *fault)
{
    struct store *store = NULL;
    enum err err = lseek(fd, 0, SEEK_SET) == 0 ? OK : fail(fault, "read", "the copy");
    if (!err)
        err = open_store(config, path, false, &store, fault);
    if (!err)
        err = dump_read(store, fd, is_copy, dump, fault);
    store_close(&store);
    return err;
}

// A backup, or a directory with a database: its stream.
static enum err open_copy(const struct config *config, const char *file, const struct scrub *scrub,
                          int *fd, struct fault *fault)
{
    struct stat st;
    struct dump dump;
    if (stat(file, &st) != 0)
        return fail(fault, "read", file);
    if (!S_ISDIR(st.st_mode)) {
        *fd = open(file, O_RDONLY | O_CLOEXEC);
        return *fd >= 0 ? OK : fail(fault, "read", file);
    }
    enum err err = open_unnamed(config->state_dir, fd, fault);
    return err ? err : dump_to(config, file, *fd, scrub, &dump, fault);
}

// --- backing up ---

static enum err pour(int from, int to, struct fault *fault)
{
    off_t at = 0;
    struct stat st;
    if (fstat(from, &st) != 0)
        return fail(fault, "read", "the copy");
    while (at < st.st_size) {
        ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
        if (n <= 0 && errno != EINTR)
            return fail(fault, "write to", "standard output");
    }
    return OK;
}

static void note_bytes(int fd, struct copied *copied)
{
    struct stat st;
    copied->bytes = fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum err backup_to_output(const struct config *config, const struct places *places,
                                 const struct scrub *scrub, struct copied *copied,
                                 struct fault *fault)
{
    int fd = -1;
    enum err err = open_unnamed(config->state_dir, &fd, fault);
    if (!err)
        err = dump_to(config, places->database, fd, scrub, &copied->dump, fault);
    if (!err)
        err = pour(fd, STDOUT_FILENO, fault);
    note_bytes(fd, copied);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err sync_parent(const char *file, struct fault *fault)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", file);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return folder_sync(slash ? folder : ".", fault);
}

static enum err backup_to_file(const struct config *config, const struct places *places,
                               const char *file, const struct scrub *scrub, struct copied *copied,
                               struct fault *fault)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s.new", file);
    if (n < 0 || n >= (int)sizeof path)
        return fault_set(fault, ERR_LIMIT, "the file's name is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(fault, "write", path);
    enum err err = dump_to(config, places->database, fd, scrub, &copied->dump, fault);
    note_bytes(fd, copied);
    (void)close(fd);
    if (!err && rename(path, file) != 0)
        err = fail(fault, "write", file);
    if (err)
        (void)unlink(path);
    return err ? err : sync_parent(file, fault);
}

enum err copies_backup(const struct config *config, const char *file, const struct scrub *scrub,
                       struct copied *copied, struct fault *fault)
{
    struct places places;
    *copied = (struct copied){.bytes = 0};
    enum err err = find_places(config, &places, fault);
    if (err)
        return err;
    return strcmp(file, "-") == 0 ? backup_to_output(config, &places, scrub, copied, fault)
                                  : backup_to_file(config, &places, file, scrub, copied, fault);
}

// --- in the database's place ---

static enum err copy_orders(const struct places *places, struct fault *fault)
{
    struct stat st = {.st_size = 0};
    int from = open(places->orders, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return errno == ENOENT ? OK : fail(fault, "read", places->orders);
    int to = open(places->new_orders, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum err err = to >= 0 && fstat(from, &st) == 0 ? OK : fail(fault, "copy", places->orders);
    for (off_t at = 0; !err && at < st.st_size;) {
        if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
            err = fail(fault, "copy", places->orders);
    }
    if (!err && fsync(to) != 0)
        err = fail(fault, "sync", places->new_orders);
    if (to >= 0)
        (void)close(to);
    (void)close(from);
    return err ? err : folder_sync(places->restoring, fault);
}

// Those that went with another machine's disk.
static enum err forget_orders(struct gate *gate, struct fault *fault)
{
    struct txn *txn = gate_begin_write(gate);
    if (!txn)
        return fault_set(fault, ERR_BUSY, "the database cannot be written");
    store_orders_lost(txn);
    enum err err = gate_commit(gate, &txn);
    return err ? fault_set(fault, err, "the database cannot be written: %s", err_text(err)) : OK;
}

static enum err begin_anew(const struct config *config, const struct places *places,
                           const struct identity *identity, int64_t now, struct fault *fault)
{
    struct gate *gate = NULL;
    enum err err = gate_open(places->restoring, config->database_bytes, &gate, fault);
    if (!err)
        err = belong_check(gate, identity->key, fault);
    if (!err)
        err = forget_orders(gate, fault);
    if (!err)
        err = keeping_begin_anew(gate, identity->seed, now, fault);
    if (!err)
        err = keeping_restore(gate, now, fault);
    gate_close(&gate);
    return err;
}

static void name_kept(const struct config *config, char kept[PATH_MAX])
{
    char name[64];
    struct tm parts;
    time_t now = time(NULL);
    (void)strftime(name, sizeof name, "db.before-%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
    struct fault ignored;
    if (place_in_state(config, name, kept, &ignored))
        kept[0] = '\0';
}

// At no instant is there none.
static enum err exchange(const struct config *config, const struct places *places,
                         struct copied *copied, struct fault *fault)
{
    enum err err = folder_give(places->restoring, config->state_dir, fault);
    if (!err)
        err = folder_sync(config->state_dir, fault);
    if (err)
        return err;
    if (rename(places->restoring, places->database) == 0)
        return folder_sync(config->state_dir, fault);
    if (renameat2(AT_FDCWD, places->restoring, AT_FDCWD, places->database, RENAME_EXCHANGE) != 0)
        return fail(fault, "put in its place", places->database);
    name_kept(config, copied->kept);
    if (copied->kept[0] && rename(places->restoring, copied->kept) != 0)
        (void)snprintf(copied->kept, sizeof copied->kept, "%s", places->restoring);
    return folder_sync(config->state_dir, fault);
}

static void note_size(const struct places *places, struct copied *copied)
{
    char path[PATH_MAX + 16];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/data.mdb", places->database);
    copied->bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum err make_restored(const struct config *config, const struct places *places,
                              const char *file, const struct identity *identity, int64_t now,
                              const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    int fd = -1;
    folder_remove(places->restoring);
    enum err err = open_copy(config, file, scrub, &fd, fault);
    if (!err)
        err = load_from(config, fd, places->restoring, true, &copied->dump, fault);
    if (fd >= 0)
        (void)close(fd);
    if (!err)
        err = copy_orders(places, fault);
    if (!err)
        err = begin_anew(config, places, identity, now, fault);
    if (!err)
        err = exchange(config, places, copied, fault);
    if (err)
        folder_remove(places->restoring);
    return err;
}

// One that is made anew is trusted by no device.
static enum err read_identity(const struct config *config, struct identity *identity,
                              struct fault *fault)
{
    char path[PATH_MAX];
    bool made;
    enum err err = place_identity(config, path, fault);
    if (!err && access(path, F_OK) != 0)
        err = fault_set(fault, ERR_NOT_FOUND,
                        "put the hub's identity key back first, for devices trust no other: %s",
                        path);
    return err ? err : identity_open(path, identity, &made, fault);
}

static enum err lock(const struct config *config, int *fd, struct fault *fault)
{
    char path[PATH_MAX];
    enum err err = place_lock(config, fd, fault);
    if (err == ERR_EXISTS)
        return fault_set(fault, err, "the hub runs: stop it first");
    if (!err)
        err = place_in_state(config, "lock", path, fault);
    return err ? err : folder_give(path, config->state_dir, fault);
}

enum err copies_restore(const struct config *config, const char *file, int64_t now,
                        const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct places places;
    struct identity identity = {{0}, {0}};
    int locked = -1;
    *copied = (struct copied){.bytes = 0};
    enum err err = find_places(config, &places, fault);
    if (!err)
        err = lock(config, &locked, fault);
    if (!err)
        err = read_identity(config, &identity, fault);
    if (!err)
        err = make_restored(config, &places, file, &identity, now, scrub, copied, fault);
    if (!err)
        note_size(&places, copied);
    identity_done(&identity);
    if (locked >= 0)
        (void)close(locked);
    return err;
}

static enum err make_compact(const struct config *config, const struct places *places,
                             const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    int fd = -1;
    folder_remove(places->restoring);
    enum err err = open_copy(config, places->database, scrub, &fd, fault);
    if (!err)
        err = load_from(config, fd, places->restoring, false, &copied->dump, fault);
    if (fd >= 0)
        (void)close(fd);
    if (!err)
        err = copy_orders(places, fault);
    if (!err)
        err = exchange(config, places, copied, fault);
    folder_remove(err ? places->restoring : copied->kept);
    copied->kept[0] = '\0';
    return err;
}

enum err copies_compact(const struct config *config, const struct scrub *scrub,
                        struct copied *copied, struct fault *fault)
{
    struct places places;
    int locked = -1;
    *copied = (struct copied){.bytes = 0};
    enum err err = find_places(config, &places, fault);
    if (!err)
        err = lock(config, &locked, fault);
    if (!err)
        err = make_compact(config, &places, scrub, copied, fault);
    if (!err)
        note_size(&places, copied);
    if (locked >= 0)
        (void)close(locked);
    return err;
}

// --- verifying ---

static enum err verify_folder(const struct config *config, const char *path, const char *scratch,
                              const struct scrub *scrub, struct fault *fault)
{
    struct store *store = NULL;
    struct store *folded = NULL;
    enum err err = open_store(config, path, true, &store, fault);
    if (!err)
        err = open_store(config, scratch, false, &folded, fault);
    if (!err)
        err = verify_store(store, folded, scrub, fault);
    store_close(&folded);
    store_close(&store);
    return err;
}

static enum err verify_copy(const struct config *config, const struct places *places, int fd,
                            const char *scratch, const struct scrub *scrub, struct dump *dump,
                            struct fault *fault)
{
    char copy[PATH_MAX + 8];
    (void)snprintf(copy, sizeof copy, "%s/copy", places->verifying);
    enum err err = load_from(config, fd, copy, false, dump, fault);
    return err ? err : verify_folder(config, copy, scratch, scrub, fault);
}

// A database that nobody changes is read where it is; of one that a hub writes to, a copy is.
static enum err verify_own(const struct config *config, const struct places *places,
                           const char *scratch, const struct scrub *scrub, struct dump *dump,
                           struct fault *fault)
{
    int locked = -1;
    int fd = -1;
    enum err err = place_lock(config, &locked, fault);
    if (!err) {
        err = verify_folder(config, places->database, scratch, scrub, fault);
        (void)close(locked);
        return err;
    }
    if (err != ERR_EXISTS)
        return err;
    err = open_copy(config, places->database, scrub, &fd, fault);
    if (!err)
        err = verify_copy(config, places, fd, scratch, scrub, dump, fault);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err verify_other(const struct config *config, const struct places *places,
                             const char *what, const char *scratch, const struct scrub *scrub,
                             struct dump *dump, struct fault *fault)
{
    struct stat st;
    if (stat(what, &st) != 0)
        return fail(fault, "read", what);
    if (S_ISDIR(st.st_mode))
        return verify_folder(config, what, scratch, scrub, fault);
    int fd = open(what, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(fault, "read", what);
    enum err err = verify_copy(config, places, fd, scratch, scrub, dump, fault);
    (void)close(fd);
    return err;
}

enum err copies_verify(const struct config *config, const char *what, const struct scrub *scrub,
                       struct dump *dump, struct fault *fault)
{
    struct places places;
    char scratch[PATH_MAX + 8];
    *dump = (struct dump){.rows = 0};
    enum err err = find_places(config, &places, fault);
    if (err)
        return err;
    folder_remove(places.verifying);
    err = file_make_directory(places.verifying, fault);
    if (err)
        return err;
    (void)snprintf(scratch, sizeof scratch, "%s/folded", places.verifying);
    err = what ? verify_other(config, &places, what, scratch, scrub, dump, fault)
               : verify_own(config, &places, scratch, scrub, dump, fault);
    copies_tidy(config);
    return err;
}

void copies_tidy(const struct config *config)
{
    struct places places;
    struct fault ignored;
    if (!find_places(config, &places, &ignored))
        folder_remove(places.verifying);
}
