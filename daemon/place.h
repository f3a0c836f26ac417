#pragma once

// Where a hub's files are: in [hub] state_dir, unless the configuration says otherwise. Paths have
// room for PATH_MAX bytes.

#include "base/err.h"
#include "daemon/config.h"

enum err place_in_state(const struct config *config, const char *name, char *path,
                        struct fault *fault) must_check;
// The file of the identity key: what the configuration names, or a credential (systemd.exec(5),
// LoadCredential=identity.key:…), or identity.key in state_dir.
enum err place_identity(const struct config *config, char *path, struct fault *fault) must_check;
// So, for a process that is not the hub's service: that has its credentials elsewhere.
enum err place_identity_of_hub(const struct config *config, char *path,
                               struct fault *fault) must_check;
// Takes state_dir for this process, until the descriptor is closed: two hubs on one store would
// each believe themselves the only writer. ERR_EXISTS: another process has it.
enum err place_lock(const struct config *config, int *fd, struct fault *fault) must_check;
// The same of another file in state_dir. What root makes belongs to the owner of state_dir.
enum err place_take(const struct config *config, const char *name, int *fd,
                    struct fault *fault) must_check;
