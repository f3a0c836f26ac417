#pragma once

// The hub's identity key: an Ed25519 seed, in hexadecimal, in a file that nobody else can read. It
// is made at the first start, and the join links pin it, so it must be kept and backed up apart.

#include "base/sign.h"

struct identity {
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t key[SIGN_KEY_SIZE];
};

// Reads the file, or makes it. `made` says which.
enum err identity_open(const char *path, struct identity *identity, bool *made,
                       struct fault *fault) must_check;
void identity_done(struct identity *identity);
