#pragma once

// Whether somebody answers with TLS at an address, and by which key. Blocks, some seconds at the
// most.

#include "base/err.h"
#include "base/hash.h"

// address: HOST:PORT, [V6]:PORT. key: SHA-256 of the DER SubjectPublicKeyInfo of who answers.
enum err reach(const char *address, uint8_t key[HASH_SIZE], struct fault *fault) must_check;
