#pragma once

// Whether something is signed by a key. Any thread that has the transaction.

#include "base/sign.h"
#include "storage/store.h"

// signature: of any length. What memory refuses is no forgery: it sticks to the transaction, so
// that nobody is accused, and nothing refused, whose transaction has an error.
bool signed_by(struct txn *txn, const uint8_t key[SIGN_KEY_SIZE], const struct buf *transcript,
               struct bytes signature);
