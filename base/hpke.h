#pragma once

// Encryption to a public key, and of one answer to whoever wrote: HPKE (RFC 9180) in base mode with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305; the answer's key as in Oblivious
// HTTP (RFC 9458 section 4.4). By libcrypto. Any thread.

#include "base/buf.h"
#include "base/sign.h"

enum { HPKE_KEY_SIZE = 32, HPKE_TAG_SIZE = 16, HPKE_NONCE_SIZE = 32 };

// What both ends of one message share. Secret: to be wiped.
struct hpke {
    uint8_t encapsulated[HPKE_KEY_SIZE]; // the ephemeral public key, which travels with the message
    uint8_t key[32];
    uint8_t nonce[12];
    uint8_t exporter[32];
};

// The X25519 key of whoever has the Ed25519 key: the same point in its Montgomery form (RFC 7748
// section 4.1), and the scalar that RFC 8032 section 5.1.5 makes of the seed. That one pair may
// serve for both is shown in "On using the same key pair for Ed25519 and an X25519 based KEM"
// (E. Thormarker, IACR ePrint 2021/509). ERR_MALFORMED for a key that has none, ERR_NOMEM.
enum err hpke_key_of(const uint8_t sign_key[SIGN_KEY_SIZE], uint8_t key[HPKE_KEY_SIZE]) must_check;
enum err hpke_secret_of(const uint8_t seed[SIGN_SEED_SIZE],
                        uint8_t secret[HPKE_KEY_SIZE]) must_check;

// The writer's side; ephemeral: 32 secret random bytes, for one message. The reader's side.
// ERR_MALFORMED for a key of small order, ERR_NOMEM.
enum err hpke_send(const uint8_t ephemeral[HPKE_KEY_SIZE], const uint8_t key[HPKE_KEY_SIZE],
                   struct bytes info, struct hpke *hpke) must_check;
enum err hpke_receive(const uint8_t secret[HPKE_KEY_SIZE],
                      const uint8_t encapsulated[HPKE_KEY_SIZE], struct bytes info,
                      struct hpke *hpke) must_check;
// What the answer is sealed with, from what the message was. nonce: random, chosen by whoever
// answers. label: what the answer is.
enum err hpke_answer(const struct hpke *hpke, const char *label,
                     const uint8_t nonce[HPKE_NONCE_SIZE], struct hpke *answer) must_check;

// Appends what is sealed: as long as the plain bytes and HPKE_TAG_SIZE more. One message of a
// struct hpke. aad is not sealed, and may not be altered either.
enum err hpke_seal(const struct hpke *hpke, struct bytes aad, struct bytes plain,
                   struct buf *out) must_check;
// ERR_MALFORMED: it was not sealed so.
enum err hpke_open(const struct hpke *hpke, struct bytes aad, struct bytes sealed,
                   struct buf *out) must_check;
// LabeledExpand of the exporter secret (RFC 9180 section 5.3), 32 bytes.
enum err hpke_export(const struct hpke *hpke, const char *label, uint8_t out[32]) must_check;
