#include "daemon/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/folder.h"

enum err whole_fail(struct fault *fault, const char *what, const char *path)
{
    int code = errno;
    return fault_set(fault, code == ENOSPC || code == EDQUOT ? ERR_FULL : ERR_IO,
                     "cannot %s %s: %s", what, path, strerror(code));
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

// The file of a process that has ended meanwhile has got its name, and must not be written over.
static bool is_still(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && S_ISREG(opened.st_mode) &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

enum err whole_begin(struct whole *whole, const char *file, struct fault *fault)
{
    int n = snprintf(whole->path, sizeof whole->path, "%s.new", file);
    if (n < 0 || n >= (int)sizeof whole->path)
        return fault_set(fault, ERR_LIMIT, "the file's name is too long");
    int fd = open(whole->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return whole_fail(fault, "write", whole->path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_still(fd, whole->path)) {
        (void)close(fd);
        return fault_set(fault, ERR_EXISTS, "another process is writing %s", file);
    }
    whole->fd = fd;
    whole->file = file;
    return ftruncate(fd, 0) == 0 ? OK
                                 : whole_end(whole, whole_fail(fault, "write", whole->path), fault);
}

enum err whole_end(struct whole *whole, enum err err, struct fault *fault)
{
    if (!err && rename(whole->path, whole->file) != 0)
        err = whole_fail(fault, "write", whole->file);
    if (err)
        (void)unlink(whole->path);
    (void)close(whole->fd); // and its lock with it
    return err ? err : sync_parent(whole->file, fault);
}
