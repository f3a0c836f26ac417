#pragma once

// Writing changes of one's own: a device's, and the hub's decisions. Time, salt and seed are
// arguments. Errors stick to the transaction, except a fault of the caller.

#include "storage/community.h"
#include "storage/device.h"
#include "sync/fold.h"

struct author {
    struct community *community; // its size grows
    struct device *device;       // its chain grows
    const uint8_t *seed;         // SIGN_SEED_SIZE, signs the run at once; NULL: signed when pushed
};

// Appends one change of the author's to the chain and the log, and folds it. The envelope's bytes
// are made here; `record` (may be NULL) tells what it is about. ERR_LIMIT and ERR_MALFORMED for
// what a push would refuse.
enum err author_write(struct txn *txn, const struct author *author, const struct envelope *envelope,
                      struct bytes fields, const uint8_t salt[SALT_SIZE], struct record_key *record,
                      struct fault *fault) must_check;
// The same for what was written and checked before, in another chain: whether it may be written
// here is for the hub to say.
enum err author_carry(struct txn *txn, const struct author *author, const struct envelope *envelope,
                      struct bytes fields, const uint8_t salt[SALT_SIZE], struct record_key *record,
                      struct fault *fault) must_check;
