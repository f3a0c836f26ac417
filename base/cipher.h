#pragma once

// AES-256 (FIPS 197) by libcrypto, in two of the modes of NIST SP 800-38A, and random keys. Any
// thread. ERR_NOMEM when libcrypto fails.

#include "base/bytes.h"
#include "base/err.h"

enum { CIPHER_KEY_SIZE = 32 };

// A stream cipher for stored bytes, CFB with a zero IV: a key is used for one message only.
// n bytes in, n out; in and out may be the same.
enum err cipher_encrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                        uint8_t *out) must_check;
enum err cipher_decrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                        uint8_t *out) must_check;
// A permutation of blocks of 16 bytes, each by itself (ECB): ids under other names. n is a multiple
// of 16; in and out may be the same.
enum err cipher_permute(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                        uint8_t *out) must_check;
enum err cipher_permute_back(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                             uint8_t *out) must_check;
// From the system's secure source; ERR_IO when it has none. At most INT_MAX bytes.
enum err cipher_random(void *out, size_t n) must_check;
