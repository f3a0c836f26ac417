#pragma once

// A whole store as one stream of bytes, and back: a backup, and a database made anew without the
// room that LMDB leaves. The format is in docs/disk-format.md ("Backups"). A stream is read as
// hostile input: what it says is bounded and checked, and nobody else's database file is opened.

#include "storage/scrub.h"

struct dump {
    uint64_t communities;
    uint64_t changes; // entries of logs
    uint64_t rows;
    uint32_t number; // that an imported community was given here
};

// What a stream is read for.
enum dump_use {
    DUMP_ALL,    // everything again
    DUMP_OLDER,  // an older copy: tokens and invitations may have been taken back since
    DUMP_IMPORT, // one community, into a store that has others: without these, too
};

// Writes what the store holds at one instant to `fd`, a regular file that is empty; of one
// community (its number), or of all (0). Damaged rows are told (scrub) and left out. ERR_BUSY:
// words were erased meanwhile, again and again.
enum err dump_write(struct store *store, int fd, uint32_t community, const struct scrub *scrub,
                    struct dump *dump, struct fault *fault) must_check;
// Puts what a stream holds into a store, an empty one but for an import; words come under new
// seals. After an error the store is not to be used. ERR_CUT, ERR_DAMAGED, ERR_VERSION say what the
// stream is; of an import ERR_EXISTS: the community is here already, and ERR_WRONG_STATE: the
// stream is not of one community.
enum err dump_read(struct store *store, int fd, enum dump_use use, struct dump *dump,
                   struct fault *fault) must_check;
