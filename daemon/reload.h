#pragma once

// The configuration while the hub runs: what of it can change then. The loop's thread.

#include "daemon/config.h"

// Leaves lines out of the log as [log] level says.
void reload_level(const struct config *config);
// Reads the file (NULL: there is none) again and takes over into `config` what can change while the
// hub runs; says in the log what else is different and waits for the next start. Where the file is
// wrong nothing changes.
enum err reload_config(const char *file, struct config *config, struct fault *fault) must_check;
