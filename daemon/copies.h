#pragma once

// What an administrator does with whole databases: backing up, restoring, compacting, verifying.
// Each works on files in the caller's process, which needs the right to; nothing is asked of a hub
// that runs. Whatever ends a call halfway, the database is as it was, or as it shall be.

#include <limits.h>

#include "daemon/config.h"
#include "storage/dump.h"

struct copied {
    struct dump dump;
    uint64_t bytes;      // of the backup, or of the new database
    char kept[PATH_MAX]; // where the database is that was there before; empty: there was none
};

// Writes a backup of the hub's database to a file, which is whole or absent, or to standard output
// ("-"); of one community (daemon/named.h), or of all (NULL). The hub may run. Damaged rows are
// told and left out.
enum err copies_backup(const struct config *config, const char *community, const char *file,
                       const struct scrub *scrub, struct copied *copied,
                       struct fault *fault) must_check;
struct restore {
    const char *file;
    bool is_forced; // also where something of it is damaged; not for an import
    int64_t now;
};

// Puts a backup, or an older copy of the database's directory, in the database's place: the hubs'
// chains begin anew, tokens are void, and what the file of orders says was erased is erased again.
// The hub does not run (ERR_EXISTS), and its identity key is in its place. What is wrong with the
// copy is told; then nothing is changed (ERR_DAMAGED), unless it is forced: without what is
// damaged.
enum err copies_restore(const struct config *config, const struct restore *restore,
                        const struct scrub *scrub, struct copied *copied,
                        struct fault *fault) must_check;
// Takes in a community that was backed up alone, beside those that the hub has; its chain begins
// anew, and what the file of orders says of it is done again. It was founded by a hub of this
// identity key, and is not here. The hub does not run. Where a row is damaged, here or there, it is
// told, and nothing is changed (ERR_DAMAGED).
enum err copies_import(const struct config *config, const struct restore *import,
                       const struct scrub *scrub, struct copied *copied,
                       struct fault *fault) must_check;
// Writes the database anew, without the room that deleted rows left, and destroys the old one; not
// where a row is damaged: it is told, and nothing is changed (ERR_DAMAGED). The hub does not run.
enum err copies_compact(const struct config *config, const struct scrub *scrub,
                        struct copied *copied, struct fault *fault) must_check;
// Takes state_dir as place_lock does, and clears away what calls that were cut off have left: what
// was never whole is destroyed; a database that had been replaced is kept as db.before-TIME.
enum err copies_lock(const struct config *config, int *lock, struct fault *fault) must_check;
// Verifies the hub's database (what: NULL), a backup or a database's directory (sync/verify.h). The
// hub may run: then a copy of one instant is verified. What it makes beside the database meanwhile
// goes with copies_tidy, also after a crash; not where another process verifies.
enum err copies_verify(const struct config *config, const char *what, const struct scrub *scrub,
                       struct dump *dump, struct fault *fault) must_check;
void copies_tidy(const struct config *config);
