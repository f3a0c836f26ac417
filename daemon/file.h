#pragma once

// Small files that must be whole or absent, such as keys. Any thread.

#include "base/buf.h"

// Reads a file of at most `max` bytes. ERR_NOT_FOUND when there is none, ERR_LIMIT when it is
// longer; a sentence names the path.
enum err file_read(const char *path, size_t max, struct buf *out, struct fault *fault) must_check;
// As file_read, but of a file with secrets: ERR_FORBIDDEN when others than its owner may read or
// write it (group may read).
enum err file_read_secret(const char *path, size_t max, struct buf *out,
                          struct fault *fault) must_check;
// Writes a new file that only its owner can read: beside, synced, renamed, directory synced.
enum err file_write_secret(const char *path, struct bytes bytes, struct fault *fault) must_check;
// Makes the directory with mode 0700 unless it is there.
enum err file_make_directory(const char *path, struct fault *fault) must_check;
// Takes the file (made where it is missing) for this process alone, until the returned descriptor
// is closed or the process ends. ERR_EXISTS: another process has it.
enum err file_lock(const char *path, int *fd, struct fault *fault) must_check;
