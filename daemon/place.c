#include "daemon/place.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/file.h"

enum err place_in_state(const struct config *config, const char *name, char *path,
                        struct fault *fault)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", config->state_dir, name);
    return n > 0 && n < PATH_MAX ? OK : fault_set(fault, ERR_LIMIT, "[hub] state_dir is too long");
}

static bool find_credential(char *path)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory)
        return false;
    int n = snprintf(path, PATH_MAX, "%s/identity.key", directory);
    return n > 0 && n < PATH_MAX && access(path, F_OK) == 0;
}

enum err place_identity(const struct config *config, char *path, struct fault *fault)
{
    if (config->identity[0]) {
        (void)snprintf(path, PATH_MAX, "%s", config->identity);
        return OK;
    }
    return find_credential(path) ? OK : place_in_state(config, "identity.key", path, fault);
}

enum err place_identity_of_hub(const struct config *config, char *path, struct fault *fault)
{
    static const char of_service[] = "/run/credentials/folkmootd.service/identity.key";
    enum err err = place_identity(config, path, fault);
    if (!err && !config->identity[0] && !getenv("CREDENTIALS_DIRECTORY") &&
        access(path, F_OK) != 0 && access(of_service, F_OK) == 0)
        (void)snprintf(path, PATH_MAX, "%s", of_service);
    return err;
}

// What root has made is the hub's owner's, or the hub could not take it.
static enum err give(int fd, const struct config *config, const char *path, struct fault *fault)
{
    struct stat owner;
    if (geteuid() != 0)
        return OK;
    return stat(config->state_dir, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0
               ? OK
               : fault_set(fault, ERR_IO, "cannot give the hub %s", path);
}

enum err place_take(const struct config *config, const char *name, int *fd, struct fault *fault)
{
    char path[PATH_MAX];
    enum err err = place_in_state(config, name, path, fault);
    if (!err)
        err = file_lock(path, fd, fault);
    return err ? err : give(*fd, config, path, fault);
}

enum err place_lock(const struct config *config, int *fd, struct fault *fault)
{
    return place_take(config, "lock", fd, fault);
}
