// Preloaded into the hub: the calls that change files fail when the test says so.

#include "tests/e2e/faildisk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct faildisk *shared;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(FAILDISK_FILE);
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : MAP_FAILED;
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
    shared = at == MAP_FAILED ? NULL : at;
}

static bool fails(void)
{
    if (!shared)
        return false;
    uint64_t number = atomic_fetch_add(&shared->operations, 1) + 1;
    uint64_t from = atomic_load(&shared->fails_from);
    if (from == 0 || number < from || number > atomic_load(&shared->fails_to))
        return false;
    atomic_fetch_add(&shared->failed, 1);
    errno = atomic_load(&shared->code);
    return true;
}

// Sockets, pipes and terminals are no disk.
static bool is_file(int fd)
{
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && fd > 2;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return is_file(fd) && fails() ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) __attribute__((alias("pwrite")));

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    return is_file(fd) && fails() ? -1 : syscall(SYS_writev, fd, parts, n);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
    return is_file(fd) && fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int rename(const char *from, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
