#pragma once

// What lies between a socket's bytes and HTTP/2's: TLS, or nothing. Two rows of one table. The
// loop's thread.

#include "daemon/tls.h"

enum channel_kind { CHANNEL_PLAIN, CHANNEL_TLS };

struct channel {
    enum channel_kind kind;
    struct tls *tls;
};

// context is asked for by CHANNEL_TLS alone.
enum err channel_init(struct channel *channel, enum channel_kind kind,
                      const struct tls_context *context) must_check;
void channel_done(struct channel *channel);

// See tls_feed, tls_send and tls_finish.
enum err channel_feed(struct channel *channel, struct bytes wire, struct buf *text,
                      struct buf *wire_out) must_check;
enum err channel_send(struct channel *channel, struct bytes text, struct buf *wire_out) must_check;
bool channel_is_open(const struct channel *channel);
void channel_finish(struct channel *channel, struct buf *wire_out);
// SHA-256 of the TLS key that this connection showed; NULL where it showed none.
const uint8_t *channel_key_hash(const struct channel *channel);
