#pragma once

// Private to storage/: making a new environment so that a crash at any instant leaves either none
// or a whole one. LMDB itself can leave a file that never opens, and does not sync the directory.

#include <stddef.h>

#include "base/err.h"

// Makes the directory `path` with an empty database, unless it is there already. What an
// interrupted creation left is removed. Several processes may try at once: one makes it.
enum err create_store(const char *path, size_t map_size, struct fault *fault) must_check;
// Syncs the parent of a directory that is there: a creation that was killed between its last two
// steps did not. A parent that may not be read is left as it is.
enum err create_settle(const char *path, struct fault *fault) must_check;
