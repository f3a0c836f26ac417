#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/belong.h"
#include "daemon/copies_private.h"
#include "daemon/folder.h"
#include "daemon/identity.h"
#include "daemon/keeping.h"
#include "daemon/place.h"
#include "daemon/report.h"

enum { KEPT_A_SECOND = 100 };

// --- in the database's place ---

static enum err copy_orders(const struct places *places, struct fault *fault)
{
    struct stat st = {.st_size = 0};
    int from = open(places->orders, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (from < 0)
        return errno == ENOENT ? OK : whole_fail(fault, "read", places->orders);
    if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(from);
        return fault_set(fault, ERR_WRONG_STATE, "%s is no file", places->orders);
    }
    int to = open(places->new_orders, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum err err = to >= 0 ? OK : whole_fail(fault, "copy", places->orders);
    for (off_t at = 0; !err && at < st.st_size;) {
        if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
            err = whole_fail(fault, "copy", places->orders);
    }
    if (!err && fsync(to) != 0)
        err = whole_fail(fault, "sync", places->new_orders);
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

// imported: the number of the one community that is older; 0: all are.
static enum err begin_anew(const struct config *config, const struct places *places,
                           const struct identity *identity, uint32_t imported, int64_t now,
                           struct fault *fault)
{
    struct gate *gate = NULL;
    enum err err = gate_open(places->restoring, config->database_bytes, &gate, fault);
    if (!err)
        err = belong_check(gate, identity->key, fault);
    if (!err)
        err = imported ? OK : forget_orders(gate, fault);
    if (!err)
        err = keeping_begin_anew(gate, imported, identity->seed, now, fault);
    if (!err)
        err = keeping_restore(gate, imported, now, fault);
    gate_close(&gate);
    return err;
}

// Under a name that nothing has.
static bool keep(const struct config *config, const struct places *places, char kept[PATH_MAX])
{
    char name[80], at[64];
    struct tm parts;
    time_t now = time(NULL);
    struct fault ignored;
    (void)strftime(at, sizeof at, "db.before-%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
    for (int i = 1; i <= KEPT_A_SECOND; i++) {
        (void)snprintf(name, sizeof name, i == 1 ? "%s" : "%s-%d", at, i);
        if (!place_in_state(config, name, kept, &ignored) &&
            renameat2(AT_FDCWD, places->restoring, AT_FDCWD, kept, RENAME_NOREPLACE) == 0)
            return true;
    }
    (void)snprintf(kept, PATH_MAX, "%s", places->restoring);
    return false;
}

// Only what is known to be unfinished is destroyed: else it is the database that was there before.
static void clear_new(const struct config *config, const struct places *places)
{
    char kept[PATH_MAX];
    struct stat st;
    folder_remove(places->making);
    bool is_unfinished = lstat(places->unfinished, &st) == 0;
    if (is_unfinished)
        folder_remove(places->restoring);
    else if (lstat(places->restoring, &st) == 0 && keep(config, places, kept))
        report_put(
            REPORT_WARNING,
            "%s is the database that a restore or compact which was cut off has replaced: it "
            "can read what was erased since; destroy it when all is well",
            kept);
    if (lstat(places->restoring, &st) == 0)
        report_put(REPORT_WARNING, "%s is left of a restore that was cut off: remove it as root",
                   places->restoring);
    else if (is_unfinished)
        (void)unlink(places->unfinished);
}

// So that a restore which is cut off is known by it.
static enum err begin_new(const struct config *config, const struct places *places,
                          struct fault *fault)
{
    struct stat st;
    if (lstat(places->restoring, &st) == 0 || lstat(places->unfinished, &st) == 0)
        return fault_set(fault, ERR_EXISTS, "%s is in the way: move it elsewhere",
                         places->restoring);
    int fd = open(places->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return whole_fail(fault, "write", places->unfinished);
    (void)close(fd);
    return folder_sync(config->state_dir, fault);
}

static enum err end_new(const struct config *config, const struct places *places,
                        struct fault *fault)
{
    enum err err = folder_give(places->restoring, config->state_dir, fault);
    if (!err)
        err = folder_sync(config->state_dir, fault);
    if (!err && unlink(places->unfinished) != 0)
        err = whole_fail(fault, "remove", places->unfinished);
    return err ? err : folder_sync(config->state_dir, fault);
}

// At no instant is there none.
static enum err exchange(const struct config *config, const struct places *places,
                         struct copied *copied, struct fault *fault)
{
    enum err err = end_new(config, places, fault);
    if (err)
        return err;
    if (rename(places->restoring, places->database) == 0)
        return folder_sync(config->state_dir, fault);
    if (renameat2(AT_FDCWD, places->restoring, AT_FDCWD, places->database, RENAME_EXCHANGE) != 0) {
        err = whole_fail(fault, "put in its place", places->database);
        folder_remove(places->restoring);
        return err;
    }
    // On disk, or after a power cut this might not be the old one.
    err = folder_sync(config->state_dir, fault);
    if (!err && keep(config, places, copied->kept))
        err = folder_sync(config->state_dir, fault);
    return err;
}

static void note_size(const struct places *places, struct copied *copied)
{
    char path[PATH_MAX + 16];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/data.mdb", places->database);
    copied->bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

// Tells on what is wrong, and counts it.
struct counted {
    const struct scrub *to;
    uint64_t faults;
};

static void tell_on(void *arg, const struct row *row, enum row_fault fault)
{
    struct counted *counted = arg;
    counted->faults++;
    counted->to->told(counted->to->arg, row, fault);
}

static void read_on(void *arg, uint64_t rows)
{
    const struct counted *counted = arg;
    counted->to->read(counted->to->arg, rows);
}

// What was left out is gone for good once this database is in its place.
static enum err refuse_faults(const struct counted *counted, const char *advice,
                              struct fault *fault)
{
    return counted->faults == 0
               ? OK
               : fault_set(fault, ERR_DAMAGED,
                           "%llu faults were found, and the database stays as it was: %s",
                           (unsigned long long)counted->faults, advice);
}

static enum err load_new(const struct config *config, const struct places *places, const char *file,
                         enum dump_use use, struct counted *counted, struct copied *copied,
                         struct fault *fault)
{
    const struct scrub scrub = {tell_on, read_on, counted};
    int fd = -1;
    enum err err = copies_open(config, file, &scrub, &fd, fault);
    if (!err)
        err = copies_load(config, fd, places->restoring, use, &copied->dump, fault);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err verify_new(const struct config *config, const struct places *places,
                           struct counted *counted, struct fault *fault)
{
    const struct scrub scrub = {tell_on, read_on, counted};
    return copies_verify_folder(config, places->restoring, places->folded, &scrub, fault);
}

static enum err make_restored(const struct config *config, const struct places *places,
                              const struct restore *restore, const struct identity *identity,
                              const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct counted counted = {scrub, 0};
    enum err err = begin_new(config, places, fault);
    if (!err)
        err = load_new(config, places, restore->file, DUMP_OLDER, &counted, copied, fault);
    if (!err)
        err = verify_new(config, places, &counted, fault);
    if (!err && !restore->is_forced)
        err = refuse_faults(
            &counted, "restore another backup, or leave out what is damaged, with --force", fault);
    if (!err)
        err = copy_orders(places, fault);
    if (!err)
        err = begin_anew(config, places, identity, 0, restore->now, fault);
    if (!err)
        err = exchange(config, places, copied, fault);
    if (err)
        clear_new(config, places);
    return err;
}

// What is as it was, but for what was made new of it, holds nothing that the old one did not.
static enum err take_place(const struct config *config, const struct places *places, enum err err,
                           struct copied *copied, struct fault *fault)
{
    if (!err)
        err = exchange(config, places, copied, fault);
    if (err)
        clear_new(config, places);
    else if (copied->kept[0])
        folder_remove(copied->kept);
    copied->kept[0] = '\0';
    return err;
}

static enum err make_imported(const struct config *config, const struct places *places,
                              const struct restore *import, const struct identity *identity,
                              const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct counted counted = {scrub, 0};
    if (access(places->database, F_OK) != 0)
        return fault_set(
            fault, ERR_NOT_FOUND,
            "this hub has no database yet: \"folkmootctl restore\" begins with this one");
    enum err err = begin_new(config, places, fault);
    if (!err)
        err = load_new(config, places, places->database, DUMP_ALL, &counted, copied, fault);
    if (!err)
        err = load_new(config, places, import->file, DUMP_IMPORT, &counted, copied, fault);
    if (!err)
        err = verify_new(config, places, &counted, fault);
    if (!err)
        err = refuse_faults(&counted, "\"folkmootctl verify\" says whether they are in the file",
                            fault);
    if (!err)
        err = copy_orders(places, fault);
    if (!err)
        err = begin_anew(config, places, identity, copied->dump.number, import->now, fault);
    return take_place(config, places, err, copied, fault);
}

// One that is made anew is trusted by no device.
static enum err read_identity(const struct config *config, struct identity *identity,
                              struct fault *fault)
{
    char path[PATH_MAX];
    bool made;
    enum err err = place_identity_of_hub(config, path, fault);
    if (!err && access(path, F_OK) != 0)
        err = fault_set(fault, ERR_NOT_FOUND,
                        "put the hub's identity key back first, or name it by [hub] identity, for "
                        "devices trust no other: %s",
                        path);
    return err ? err : identity_open(path, identity, &made, fault);
}

enum err copies_lock(const struct config *config, int *lock, struct fault *fault)
{
    struct places places;
    enum err err = place_lock(config, lock, fault);
    if (!err)
        err = copies_find(config, &places, fault);
    if (err)
        return err;
    clear_new(config, &places);
    copies_tidy(config);
    return OK;
}

static enum err lock_stopped(const struct config *config, int *lock, struct fault *fault)
{
    enum err err = copies_lock(config, lock, fault);
    return err == ERR_EXISTS ? fault_set(fault, err, "the hub runs: stop it first") : err;
}

// Makes another database by `make` and puts it in the place of the hub's, which does not run.
static enum err remake(const struct config *config, const struct restore *restore,
                       enum err (*make)(const struct config *config, const struct places *places,
                                        const struct restore *restore,
                                        const struct identity *identity, const struct scrub *scrub,
                                        struct copied *copied, struct fault *fault),
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct places places;
    struct identity identity = {{0}, {0}};
    int locked = -1;
    int scratch = -1;
    *copied = (struct copied){.bytes = 0};
    enum err err = copies_find(config, &places, fault);
    if (!err)
        err = lock_stopped(config, &locked, fault);
    if (!err)
        err = copies_take_scratch(config, &places, &scratch, fault);
    if (!err)
        err = read_identity(config, &identity, fault);
    if (!err)
        err = make(config, &places, restore, &identity, scrub, copied, fault);
    if (!err)
        note_size(&places, copied);
    identity_done(&identity);
    copies_leave_scratch(&places, scratch);
    if (locked >= 0)
        (void)close(locked);
    return err;
}

enum err copies_restore(const struct config *config, const struct restore *restore,
                        const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    return remake(config, restore, make_restored, scrub, copied, fault);
}

enum err copies_import(const struct config *config, const struct restore *import,
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    return remake(config, import, make_imported, scrub, copied, fault);
}

static enum err make_compact(const struct config *config, const struct places *places,
                             const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct counted counted = {scrub, 0};
    enum err err = begin_new(config, places, fault);
    if (!err)
        err = load_new(config, places, places->database, DUMP_ALL, &counted, copied, fault);
    if (!err)
        err = refuse_faults(&counted, "restore a backup that \"folkmootctl verify\" finds sound",
                            fault);
    if (!err)
        err = copy_orders(places, fault);
    return take_place(config, places, err, copied, fault);
}

enum err copies_compact(const struct config *config, const struct scrub *scrub,
                        struct copied *copied, struct fault *fault)
{
    struct places places;
    int locked = -1;
    *copied = (struct copied){.bytes = 0};
    enum err err = copies_find(config, &places, fault);
    if (!err)
        err = lock_stopped(config, &locked, fault);
    if (!err)
        err = make_compact(config, &places, scrub, copied, fault);
    if (!err)
        note_size(&places, copied);
    if (locked >= 0)
        (void)close(locked);
    return err;
}
