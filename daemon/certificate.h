#pragma once

// The hub's own TLS certificate where the configuration names none: ECDSA on P-256, for ten years,
// signed by itself. Devices do not trust it by a name but by the identity key, which signs for the
// TLS key in Info. Key and certificate stand in one PEM file.

#include "base/buf.h"
#include "base/hash.h"

enum { CERTIFICATE_YEARS = 10 };

// Makes the file unless it is there.
enum err certificate_ensure(const char *path, struct fault *fault) must_check;
// Makes it anew, with another key, in the place of what is there.
enum err certificate_renew(const char *path, struct fault *fault) must_check;
// SHA-256 of the DER SubjectPublicKeyInfo of the first certificate in a PEM file.
enum err certificate_key_hash(const char *path, uint8_t hash[HASH_SIZE],
                              struct fault *fault) must_check;
// Until when the first certificate in a PEM file holds, in seconds since 1970 UTC.
enum err certificate_expiry(const char *path, int64_t *seconds, struct fault *fault) must_check;
// SHA-256 of the DER SubjectPublicKeyInfo of a certificate of libcrypto's (X509). False: libcrypto
// could not write it.
struct x509_st;
bool certificate_hash_key(struct x509_st *certificate, uint8_t hash[HASH_SIZE]) must_check;
