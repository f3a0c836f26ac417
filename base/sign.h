#pragma once

// Ed25519 (RFC 8032) by libcrypto. Verification rejects a non-canonical S; keys of small order,
// with which one signature fits many messages, are refused where a key is taken in. Any thread.

#include "base/bytes.h"
#include "base/err.h"

enum { SIGN_SEED_SIZE = 32, SIGN_KEY_SIZE = 32, SIGN_SIZE = 64 };

// The public key of a secret seed.
enum err sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE]) must_check;
enum err sign_make(const uint8_t seed[SIGN_SEED_SIZE], struct bytes message,
                   uint8_t signature[SIGN_SIZE]) must_check;
// ERR_MALFORMED for a wrong, malformed or non-canonical signature or key; ERR_NOMEM when that could
// not be told.
enum err sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                     const uint8_t signature[SIGN_SIZE]) must_check;
// Whether the key is canonically encoded (y below p) and not of small order. A key that is no point
// of the curve passes here and fails every sign_verify.
bool sign_key_sound(const uint8_t key[SIGN_KEY_SIZE]) must_check;
