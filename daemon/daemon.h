#pragma once

// A hub that runs: everything of this room put together from a configuration. The loop's thread.

#include "daemon/config.h"

struct daemon;

// Opens or makes the state directory, identity, certificate and store, and listens: on the sockets
// that the service manager passed, or else on the configured addresses. The configuration and the
// name of the file that it was read from (NULL: none) stay the caller's and outlive the daemon.
enum err daemon_start(struct config *config, const char *file, struct daemon **out,
                      struct fault *fault) must_check;
// Turns until SIGTERM or SIGINT; then takes no further requests, answers those that were received,
// commits, and returns. A second signal ends the process at once. SIGHUP reads certificate and key
// anew, and of the configuration what can change then, into the caller's.
void daemon_run(struct daemon *daemon);
void daemon_free(struct daemon **out);
