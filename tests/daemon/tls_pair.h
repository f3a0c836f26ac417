#pragma once

// A client of libssl against the server's side, in memory.

#include <openssl/ssl.h>

#include "daemon/tickets.h"
#include "daemon/tls.h"

struct tls_pair {
    struct tls_context *context;
    struct tls *server;
    SSL_CTX *ctx;
    SSL *client;
    BIO *in;
    BIO *out;
    size_t sent;     // bytes of the client so far
    size_t received; // so
};

// The certificate is made where it is not there. tickets, ciphers: may be NULL.
void tls_pair_init(struct tls_pair *pair, const char *pem, struct tickets *tickets,
                   const char *alpn, int version_max, const char *ciphers);
void tls_pair_done(struct tls_pair *pair);
// Carries what the client wrote to the server, `step` bytes at a time, and back.
enum err tls_pair_carry(struct tls_pair *pair, size_t step, struct buf *text);
enum err tls_pair_shake_hands(struct tls_pair *pair, size_t step);
