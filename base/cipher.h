#pragma once

// A stream cipher for stored bytes, AES-256 in CFB mode with a zero IV (NIST SP 800-38A), by
// libcrypto: a key is used for one message only. And random keys for it. Any thread.

#include "base/bytes.h"
#include "base/err.h"

enum { CIPHER_KEY_SIZE = 32 };

// n bytes in, n out; in and out may be the same.
enum err cipher_encrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                        uint8_t *out) must_check;
enum err cipher_decrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                        uint8_t *out) must_check;
// From the system's secure source; ERR_IO when it has none. At most INT_MAX bytes.
enum err cipher_random(void *out, size_t n) must_check;
