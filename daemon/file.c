#include "daemon/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err fail(struct fault *fault, const char *what, const char *path)
{
    int code = errno;
    return fault_set(fault, code == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot %s %s: %s", what, path,
                     strerror(code));
}

static enum err read_all(int fd, const char *path, size_t max, struct buf *out, struct fault *fault)
{
    for (;;) {
        uint8_t *room = buf_room(out, 4096);
        if (!room)
            return fault_set(fault, out->err, "cannot read %s: %s", path, err_text(out->err));
        ssize_t n = read(fd, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(fault, "read", path);
        if (n == 0)
            return OK;
        out->n += (size_t)n;
        if (out->n > max)
            return fault_set(fault, ERR_LIMIT, "%s is longer than %zu bytes", path, max);
    }
}

static enum err read_checked(const char *path, mode_t forbidden, size_t max, struct buf *out,
                             struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(fault, "open", path);
    struct stat about;
    enum err err = fstat(fd, &about) ? fail(fault, "look at", path) : OK;
    if (!err && about.st_mode & forbidden)
        err =
            fault_set(fault, ERR_FORBIDDEN,
                      "%s holds a secret, but others than its owner may use it: chmod 0600", path);
    if (!err)
        err = read_all(fd, path, max, out, fault);
    (void)close(fd);
    return err;
}

enum err file_read(const char *path, size_t max, struct buf *out, struct fault *fault)
{
    return read_checked(path, 0, max, out, fault);
}

enum err file_read_secret(const char *path, size_t max, struct buf *out, struct fault *fault)
{
    return read_checked(path, S_IWGRP | S_IROTH | S_IWOTH, max, out, fault);
}

static enum err write_all(int fd, struct bytes bytes, const char *path, struct fault *fault)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(fault, "write", path);
        bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return fsync(fd) ? fail(fault, "sync", path) : OK;
}

static enum err write_beside(const char *path, struct bytes bytes, struct fault *fault)
{
    (void)unlink(path); // left by a start that was cut off
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(fault, "create", path);
    enum err err = write_all(fd, bytes, path, fault);
    if (close(fd) && !err)
        err = fail(fault, "close", path);
    return err;
}

static enum err sync_directory_of(const char *path, struct fault *fault)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof directory)
        return fault_set(fault, ERR_LIMIT, "this path is too long: %.100s…", path);
    memcpy(directory, path, n);
    directory[n] = '\0';
    const char *opened = n ? directory : ".";
    int fd = open(opened, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(fault, "open", opened);
    enum err err = fsync(fd) ? fail(fault, "sync", opened) : OK;
    (void)close(fd);
    return err;
}

enum err file_write_secret(const char *path, struct bytes bytes, struct fault *fault)
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof beside)
        return fault_set(fault, ERR_LIMIT, "this path is too long: %.100s…", path);
    enum err err = write_beside(beside, bytes, fault);
    if (!err && rename(beside, path))
        err = fail(fault, "rename", beside);
    if (!err)
        err = sync_directory_of(path, fault);
    return err;
}

enum err file_make_directory(const char *path, struct fault *fault)
{
    if (mkdir(path, 0700) == 0)
        return sync_directory_of(path, fault);
    if (errno != EEXIST)
        return fail(fault, "make the directory", path);
    struct stat about;
    if (stat(path, &about))
        return fail(fault, "look at", path);
    return S_ISDIR(about.st_mode) ? OK
                                  : fault_set(fault, ERR_WRONG_STATE, "%s is no directory", path);
}

enum err file_lock(const char *path, int *fd, struct fault *fault)
{
    struct stat about;
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0)
        return fail(fault, "open", path);
    if (fstat(opened, &about) != 0 || !S_ISREG(about.st_mode) || about.st_nlink > 1) {
        (void)close(opened);
        return fault_set(fault, ERR_WRONG_STATE, "%s is no file of its own: remove it", path);
    }
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *fd = opened;
        return OK;
    }
    enum err err = errno == EWOULDBLOCK
                       ? fault_set(fault, ERR_EXISTS, "another hub runs here: it holds %s", path)
                       : fail(fault, "lock", path);
    (void)close(opened);
    return err;
}
