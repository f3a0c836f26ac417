#pragma once

// Shared by copies.c, copies_restore.c and copies_verify.c.

#include "daemon/copies.h"
#include "daemon/whole.h"

// All in state_dir: on one file system, and nobody else's.
struct places {
    char database[PATH_MAX];
    char restoring[PATH_MAX]; // becomes the database
    char orders[PATH_MAX];
    char new_orders[PATH_MAX];
    char verifying[PATH_MAX];
    char folded[PATH_MAX];     // in it
    char unfinished[PATH_MAX]; // a file that is there as long as db.restoring is not whole
    char making[PATH_MAX];     // what becomes db.restoring
};

enum err copies_find(const struct config *config, struct places *places,
                     struct fault *fault) must_check;

enum err copies_open_store(const struct config *config, const char *path, bool read_only,
                           struct store **store, struct fault *fault) must_check;
// A backup, or a directory with a database: its stream.
enum err copies_open(const struct config *config, const char *file, const struct scrub *scrub,
                     int *fd, struct fault *fault) must_check;
// A stream into a new store; an import into one that is there.
enum err copies_load(const struct config *config, int fd, const char *path, enum dump_use use,
                     struct dump *dump, struct fault *fault) must_check;
// A database that nobody changes. scratch: where its log is folded anew.
enum err copies_verify_folder(const struct config *config, const char *path, const char *scratch,
                              const struct scrub *scrub, struct fault *fault) must_check;

// db.verifying, empty, for this process until the descriptor is closed (ERR_EXISTS: another has
// it).
enum err copies_take_scratch(const struct config *config, const struct places *places, int *lock,
                             struct fault *fault) must_check;
// With all that is in it. lock: -1 where it was not taken.
void copies_leave_scratch(const struct places *places, int lock);
