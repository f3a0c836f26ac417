#pragma once

// Private to storage/: salt and fields of a change as they stand under their seal
// (docs/disk-format.md, "Words are sealed"): packed one by one with zstd and the project's
// dictionary where that saves bytes, and with a check, so that a key that was altered outside the
// database is noticed.

#include "base/buf.h"
#include "proto/messages.h"
#include "storage/log.h"

// What packs and opens, made when it is first wanted. All zero is none yet. One thread at a time.
struct packer {
    void *make;
    void *open;
    struct buf opened;
};

void packer_done(struct packer *packer);
// Appends what is to be sealed; errors stick to `plain`.
void packed_put(struct packer *packer, const struct log_body *body, struct buf *plain);
// Takes what was sealed apart. The fields stand in `plain` then. ERR_DAMAGED, ERR_NOMEM.
enum err packed_take(struct packer *packer, struct buf *plain, struct log_body *body) must_check;
