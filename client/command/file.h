#pragma once

// A file of text, as people have it: UTF-8 with or without a byte order mark, or another charset.

#include "base/buf.h"
#include "client/command/command.h"

// Reads all of it into `out` (at most out->max bytes, of which the limit is told in MiB), as UTF-8
// and with a zero byte behind it. charset NULL: UTF-8, or, where it is none, windows-1252. Zero
// bytes are left out. *note, if not NULL, is set to what is to be told of that, else to NULL. Says
// what is wrong.
enum command_exit file_read(const char *path, const char *charset, struct buf *out,
                            const char **note);
// Reads all bytes as they are, so.
enum command_exit file_read_bytes(const char *path, struct buf *out);
// Makes a new file of these bytes, which is on disk then; one that is there is left alone. Says
// what is wrong.
enum command_exit file_write_new(const char *path, struct bytes bytes);
