#pragma once

// TLS by OpenSSL over the caller's buffers: bytes in, bytes out, no sockets. TLS 1.3, and 1.2 with
// ECDHE and AEAD for old phones; ALPN h2 is asked for. The loop's thread.

#include "base/buf.h"
#include "base/hash.h"

struct tls_context;
struct tls;
struct tickets;

// Reads certificate and key (PEM; both may stand in one file) anew. Connections that were made
// under an older context keep it. Sessions are resumed by the tickets, which outlive all of them;
// NULL: by keys of the context's own.
enum err tls_context_new(const char *certificate, const char *key, struct tickets *tickets,
                         struct tls_context **out, struct fault *fault) must_check;
// Of the key that is shown.
const uint8_t *tls_context_key_hash(const struct tls_context *context);
void tls_context_free(struct tls_context **context);
// When its certificate ends, in seconds since 1970 UTC; 0: not known.
int64_t tls_context_expiry(const struct tls_context *context);

// A server's side of one connection; needs the context only now. NULL: out of memory.
struct tls *tls_new(const struct tls_context *context) must_check;
void tls_free(struct tls **tls);
// SHA-256 of the DER SubjectPublicKeyInfo of the key that the connection was begun with.
const uint8_t *tls_key_hash(const struct tls *tls);
// Takes bytes of the wire; appends what they say to `text`, and what has to be sent to `wire_out`
// (an alert too, when it fails). ERR_MALFORMED: the peer does not speak TLS as asked, ERR_CUT: it
// has closed.
enum err tls_feed(struct tls *tls, struct bytes wire, struct buf *text,
                  struct buf *wire_out) must_check;
// Appends the records that carry `text` to `wire_out`. Only after the handshake.
enum err tls_send(struct tls *tls, struct bytes text, struct buf *wire_out) must_check;
// Whether text can be sent.
bool tls_is_open(const struct tls *tls);
// Appends close_notify where the handshake is done.
void tls_finish(struct tls *tls, struct buf *wire_out);
