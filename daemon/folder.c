#include "daemon/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err fail(struct fault *fault, const char *what, const char *path)
{
    return fault_set(fault, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

// By descriptors: who may rename in these folders must not lead root elsewhere by a link.
static bool walk(int at, const char *name,
                 bool (*each)(int at, const char *name, bool is_folder, const void *arg),
                 const void *arg)
{
    bool ok = true;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = walk(dirfd(folder), entry->d_name, each, arg) && ok;
    }
    if (folder)
        (void)closedir(folder);
    // Its owner last: until then nobody else changes what is in it.
    return each(at, name, folder != NULL, arg) && ok;
}

static bool remove_one(int at, const char *name, bool is_folder, const void *arg)
{
    (void)arg;
    return unlinkat(at, name, is_folder ? AT_REMOVEDIR : 0) == 0;
}

void folder_remove(const char *path)
{
    (void)walk(AT_FDCWD, path, remove_one, NULL);
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

static bool give_one(int at, const char *name, bool is_folder, const void *arg)
{
    const struct stat *owner = arg;
    (void)is_folder;
    return fchownat(at, name, owner->st_uid, owner->st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

enum err folder_give(const char *path, const char *like, struct fault *fault)
{
    struct stat owner;
    if (geteuid() != 0)
        return OK;
    if (stat(like, &owner) != 0)
        return fail(fault, "find", like);
    return walk(AT_FDCWD, path, give_one, &owner) ? OK : fail(fault, "give the hub", path);
}
