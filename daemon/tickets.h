#pragma once

// The keys under which TLS session tickets (RFC 8446 section 4.6.1, RFC 5077) are sealed. They are
// kept in a file, so that a phone resumes after a restart of the hub for some hundred bytes instead
// of 1.7 kB, and made anew each day, so that none seals for long. The loop's thread.

#include "base/err.h"
#include "base/hash.h"

enum {
    TICKETS_KEYS = 8, // that open: with one a day those of a week
    TICKETS_SECONDS = 7 * 24 * 60 * 60,
};

struct tickets;
struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

// Reads the file, or makes it; what cannot be read or written costs resumptions and nothing else,
// so it is reported and passed over. NULL: out of memory.
struct tickets *tickets_new(const char *path, int64_t now_seconds) must_check;
void tickets_free(struct tickets **tickets);
// Says which TLS key is shown, by its hash: where it is another than before, no ticket opens any
// more, for a resumed session is not shown the key.
void tickets_bind(struct tickets *tickets, const uint8_t key_hash[HASH_SIZE], int64_t now_seconds);
// Makes a new key where the last is a day old.
void tickets_turn(struct tickets *tickets, int64_t now_seconds);
// As libssl asks (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
int tickets_seal(const struct tickets *tickets, unsigned char *name, unsigned char *iv,
                 struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac);
int tickets_open(const struct tickets *tickets, const unsigned char *name, const unsigned char *iv,
                 struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac);
