#pragma once

// A hub that was opened from an older copy of its store, and knows it.

#include "sync/hub.h"

// Begins its chain anew and erases again what the file beside its database says, in a transaction
// of its own. salts: 32 random bytes. Any failure is the answer.
enum err anew_begin(struct store *hub, uint32_t number, const uint8_t identity_seed[SIGN_SEED_SIZE],
                    int64_t now, const struct hub_found_random *found, const uint8_t *salts,
                    struct community *community) must_check;
