#include "daemon/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_AT_ONCE = 16 };

static enum err fail(struct fault *fault, const char *what, const char *path)
{
    return fault_set(fault, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void folder_remove(const char *path)
{
    (void)nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
}

enum err folder_sync(const char *path, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    enum err err = synced ? OK : fail(fault, "sync", path);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static struct stat owner; // for give_one, which gets no argument

static int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return lchown(path, owner.st_uid, owner.st_gid);
}

enum err folder_give(const char *path, const char *like, struct fault *fault)
{
    if (geteuid() != 0)
        return OK;
    if (stat(like, &owner) != 0)
        return fail(fault, "find", like);
    return nftw(path, give_one, OPEN_AT_ONCE, FTW_PHYS) == 0 ? OK
                                                             : fail(fault, "give the hub", path);
}
