#pragma once

// A whole store as one stream of bytes, and back: a backup, and a database made anew without the
// room that LMDB leaves. The format is in docs/disk-format.md ("Backups"). A stream is read as
// hostile input: what it says is bounded and checked, and nobody else's database file is opened.

#include "storage/scrub.h"

struct dump {
    uint64_t communities;
    uint64_t changes; // entries of logs
    uint64_t rows;
};

// Writes what the store holds at one instant to `fd`, a regular file that is empty. Damaged rows
// are told (scrub) and left out. ERR_BUSY: words were erased meanwhile, again and again.
enum err dump_write(struct store *store, int fd, const struct scrub *scrub, struct dump *dump,
                    struct fault *fault) must_check;
// Puts what a stream holds into a store that is empty; words come under new seals. is_copy: the
// stream is an older copy, so that the tokens and invitations in it may have been taken back since,
// and are left out. After an error the store is not to be used. ERR_CUT, ERR_DAMAGED, ERR_VERSION
// say what the stream is.
enum err dump_read(struct store *store, int fd, bool is_copy, struct dump *dump,
                   struct fault *fault) must_check;
