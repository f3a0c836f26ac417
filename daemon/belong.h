#pragma once

// Whose hub a database is.

#include "daemon/gate.h"

// Whether the communities in the database were founded, or last taken over, by the hub of this
// identity key; KEY_SIZE bytes, NULL: by no hub at all. ERR_WRONG_STATE with a sentence when they
// were not.
enum err belong_check(struct gate *gate, const uint8_t *identity_key,
                      struct fault *fault) must_check;
