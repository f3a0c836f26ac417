#pragma once

// The codes of people's cards (docs/protocol.md section 2). Any thread.

#include "base/buf.h"

enum { CARD_CODE_MAX = 1024 };

// Appends the code as it is hashed: NFKC, upper case, without spaces and hyphens. ERR_MALFORMED
// when it is no text or too short to be a card's, ERR_LIMIT when it is too long.
enum err card_normalise(const char *code, struct buf *out, struct fault *fault) must_check;
