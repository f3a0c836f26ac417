#pragma once

// A client's end without any manners: raw TCP, TLS with any ALPN, HTTP/2 frames made by hand. Any
// thread.

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/buf.h"

struct raw {
    int fd;
    SSL_CTX *context;
    SSL *ssl; // NULL: no TLS yet
};

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
};

enum { FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

// Connects to the loopback port.
void raw_open(struct raw *raw, uint16_t port);
// The same from 127.0.0.HOST, and with so small a receive buffer (0: as it is).
void raw_open_from(struct raw *raw, uint16_t port, uint8_t host, int receive_bytes);
// The TLS handshake; alpn: one protocol, NULL: none is named. False: the hub refused.
bool raw_tls(struct raw *raw, const char *alpn);
// Opens, shakes hands for h2, sends preface and empty settings.
void raw_open_h2(struct raw *raw, uint16_t port);
// Preface and settings on a connection that is open. window: what the client takes of each answer
// and of all; 0: as HTTP/2 begins.
void raw_put_hello(struct buf *out, uint32_t window);
void raw_close(struct raw *raw);

// False: the hub has closed.
bool raw_send(struct raw *raw, struct bytes bytes);
// Appends what comes until the hub closes (true) or so long has passed (false).
bool raw_read(struct raw *raw, unsigned ms, struct buf *in);

void raw_put_frame(struct buf *out, enum frame_type type, uint8_t flags, uint32_t stream,
                   struct bytes payload);
// A field of a head, literal and not indexed (RFC 7541 section 6.2.2).
void raw_put_header(struct buf *out, const char *name, const char *value);
// The head of a POST to this path; of this content-type.
void raw_put_head(struct buf *out, const char *path, const char *token);
void raw_put_head_of(struct buf *out, const char *path, const char *token, const char *type);
// A whole call: its head, and its body in frames of at most 16 KiB.
void raw_put_call(struct buf *out, uint32_t stream, const char *path, const char *token,
                  struct bytes body);
// The n-th frame (from 0) of a type among what came; false: there are fewer.
bool raw_find_frame(struct bytes in, enum frame_type type, size_t n, struct bytes *payload);
size_t raw_count_frames(struct bytes in, enum frame_type type);
