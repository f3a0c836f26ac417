#pragma once

// Files of any size that are whole or absent: written beside, under the name FILE.new, which is
// taken while it lasts. One thread at a time.

#include <limits.h>

#include "base/err.h"

struct whole {
    char path[PATH_MAX]; // where it is written until it is whole
    const char *file;    // the caller's
    int fd;
};

// Begins it, empty, for its owner alone to read. ERR_EXISTS: another process writes it.
enum err whole_begin(struct whole *whole, const char *file, struct fault *fault) must_check;
// Gives it its name, unless err says that it has come to nothing: then it is removed. Answers with
// the first error.
enum err whole_end(struct whole *whole, enum err err, struct fault *fault) must_check;

// Says what errno is about: "cannot WHAT PATH: …".
enum err whole_fail(struct fault *fault, const char *what, const char *path);
