#pragma once

// A hub that runs: everything of this room put together from a configuration. The loop's thread.

#include "daemon/config.h"

struct daemon;

// Opens or makes the state directory, identity, certificate and store, and listens. The
// configuration stays the caller's and outlives the daemon.
enum err daemon_start(const struct config *config, struct daemon **out,
                      struct fault *fault) must_check;
// Turns until SIGTERM or SIGINT; then takes no further requests, answers those that were received,
// commits, and returns. A second signal ends the process at once. SIGHUP reads certificate and key
// anew.
void daemon_run(struct daemon *daemon);
void daemon_free(struct daemon **out);
