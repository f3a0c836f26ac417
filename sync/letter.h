#pragma once

// Letters (docs/protocol.md, "Letters"): a Sync that somebody carries. The author seals a request
// to the hub's key, the hub answers to the author alone, and whoever carries both can neither read
// nor alter them. Everything but randomness and the exchange itself is here; see exchange.h and
// hub.h for what stands in it. Any thread.

#include "base/arena.h"
#include "base/hpke.h"
#include "proto/messages_letter.h"
#include "storage/community.h"
#include "storage/device.h"

enum { LETTER_NONCE_SIZE = 16 };

// --- the author's side ---

struct letter_author {
    const uint8_t *community; // COMMUNITY_SIZE
    const uint8_t *handle;    // HANDLE_SIZE
    const uint8_t *seed;      // SIGN_SEED_SIZE: the device key's
    const uint8_t *hub_key;   // KEY_SIZE: the hub's identity
};

// Appends a letter. nonce: LETTER_NONCE_SIZE random bytes, for this letter alone. memo: at most
// LETTER_MEMO_MAX - CUT_SIZE bytes, which come back.
enum err letter_write(const struct letter_author *author, const uint8_t nonce[LETTER_NONCE_SIZE],
                      struct bytes request, struct bytes memo, struct buf *out) must_check;

enum letter_kind {
    LETTER_NONE,      // no letter, or none that this version knows
    LETTER_TO_HUB,    // of this community
    LETTER_ANSWER,    // to this author
    LETTER_OTHERS,    // an answer to somebody else
    LETTER_ELSEWHERE, // of another community
};

// What lies there, as far as this author can tell without opening it.
enum letter_kind letter_kind(const struct letter_author *author, struct bytes bytes) must_check;
// Opens an answer to this author: the response and the memo, which are the arena's. ERR_MALFORMED:
// it was altered, or is not from this hub; ERR_NOMEM.
enum err letter_read(const struct letter_author *author, struct bytes bytes, struct arena *arena,
                     struct bytes *response, struct bytes *memo, struct fault *fault) must_check;

// --- the hub's side ---

struct letter_opened {
    struct hpke hpke; // secret: wiped by letter_reply
    struct letter letter;
    struct letter_content content;
};

// Opens a letter to this hub: by whom it says it is, and what they ask, which is the arena's.
// identity_seed: the hub's. ERR_MALFORMED, ERR_VERSION, ERR_NOMEM.
enum err letter_open(const uint8_t identity_seed[SIGN_SEED_SIZE], const struct letter *letter,
                     struct arena *arena, struct letter_opened *opened,
                     struct fault *fault) must_check;
// Whether the device that the letter names has signed it. ERR_UNAUTHENTICATED, ERR_NOMEM.
enum err letter_check(const struct letter_opened *opened, const struct device *author,
                      struct fault *fault) must_check;
// The answer, which is the arena's; the letter is used up. nonce: HPKE_NONCE_SIZE random bytes.
enum err letter_reply(struct letter_opened *opened, struct bytes response,
                      const uint8_t nonce[HPKE_NONCE_SIZE], struct arena *arena,
                      struct letter *reply) must_check;
