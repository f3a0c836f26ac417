#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/copies_private.h"
#include "daemon/folder.h"
#include "daemon/place.h"
#include "daemon/report.h"
#include "sync/verify.h"

enum err copies_verify_folder(const struct config *config, const char *path, const char *scratch,
                              const struct scrub *scrub, struct fault *fault)
{
    struct store *store = NULL;
    struct store *folded = NULL;
    enum err err = copies_open_store(config, path, true, &store, fault);
    if (!err)
        err = copies_open_store(config, scratch, false, &folded, fault);
    if (!err)
        err = verify_store(store, folded, scrub, fault);
    store_close(&folded);
    store_close(&store);
    return err;
}

static enum err verify_copy(const struct config *config, const struct places *places, int fd,
                            const struct scrub *scrub, struct dump *dump, struct fault *fault)
{
    char copy[PATH_MAX + 8];
    (void)snprintf(copy, sizeof copy, "%s/copy", places->verifying);
    enum err err = copies_load(config, fd, copy, DUMP_ALL, dump, fault);
    return err ? err : copies_verify_folder(config, copy, places->folded, scrub, fault);
}

// A database that nobody changes is read where it is; of one that a hub writes to, a copy is.
static enum err verify_own(const struct config *config, const struct places *places,
                           const struct scrub *scrub, struct dump *dump, struct fault *fault)
{
    int locked = -1;
    int fd = -1;
    enum err err = place_lock(config, &locked, fault);
    if (!err) {
        err = copies_verify_folder(config, places->database, places->folded, scrub, fault);
        (void)close(locked);
        return err;
    }
    if (err != ERR_EXISTS)
        return err;
    err = copies_open(config, places->database, scrub, &fd, fault);
    if (!err)
        err = verify_copy(config, places, fd, scrub, dump, fault);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err verify_other(const struct config *config, const struct places *places,
                             const char *what, const struct scrub *scrub, struct dump *dump,
                             struct fault *fault)
{
    struct stat st;
    if (stat(what, &st) != 0)
        return whole_fail(fault, "read", what);
    if (S_ISDIR(st.st_mode))
        return copies_verify_folder(config, what, places->folded, scrub, fault);
    int fd = open(what, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return whole_fail(fault, "read", what);
    enum err err = verify_copy(config, places, fd, scrub, dump, fault);
    (void)close(fd);
    return err;
}

enum err copies_take_scratch(const struct config *config, const struct places *places, int *lock,
                             struct fault *fault)
{
    enum err err = place_take(config, "verify.lock", lock, fault);
    if (err == ERR_EXISTS)
        return fault_set(fault, err,
                         "a database is being verified or restored: wait until it ends");
    if (err)
        return err;
    folder_remove(places->verifying);
    return mkdir(places->verifying, 0700) == 0
               ? OK
               : whole_fail(fault, "make the directory", places->verifying);
}

void copies_leave_scratch(const struct places *places, int lock)
{
    if (lock < 0)
        return;
    folder_remove(places->verifying);
    (void)close(lock);
}

static bool is_same(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

enum err copies_verify(const struct config *config, const char *what, const struct scrub *scrub,
                       struct dump *dump, struct fault *fault)
{
    struct places places;
    int lock = -1;
    *dump = (struct dump){.rows = 0};
    enum err err = copies_find(config, &places, fault);
    if (!err)
        err = copies_take_scratch(config, &places, &lock, fault);
    if (!err)
        err = what && !is_same(what, places.database)
                  ? verify_other(config, &places, what, scrub, dump, fault)
                  : verify_own(config, &places, scrub, dump, fault);
    copies_leave_scratch(&places, lock);
    return err;
}

void copies_tidy(const struct config *config)
{
    struct places places;
    struct fault ignored;
    int lock = -1;
    if (!copies_find(config, &places, &ignored) && access(places.verifying, F_OK) == 0 &&
        !place_take(config, "verify.lock", &lock, &ignored)) {
        folder_remove(places.verifying);
        if (access(places.verifying, F_OK) == 0)
            report_put(REPORT_WARNING,
                       "%s is left of a verification that was cut off: remove it as root",
                       places.verifying);
    }
    if (lock >= 0)
        (void)close(lock);
}
