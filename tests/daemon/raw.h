#pragma once

// Raw connections to a hub: bytes of HTTP/2 written by hand, and whether the hub hangs up.

#include "base/buf.h"
#include "tests/daemon/process.h"

enum raw_frame {
    RAW_DATA = 0,
    RAW_HEADERS = 1,
    RAW_RESET = 3,
    RAW_SETTINGS = 4,
    RAW_PING = 6,
    RAW_GOAWAY = 7,
    RAW_CONTINUATION = 9,
};

enum { RAW_END_STREAM = 1, RAW_END_HEADERS = 4 };

// A TCP connection to a port on loopback.
int raw_connect(const char *port);
// True: all was sent.
bool raw_send(int fd, struct bytes bytes);
// The preface and empty settings.
void raw_put_greeting(struct buf *out);
void raw_put_frame(struct buf *out, enum raw_frame type, unsigned flags, uint32_t stream,
                   struct bytes payload);
// A field of a head, as a literal without Huffman or the dynamic table.
void raw_put_field(struct buf *head, const char *name, const char *value);
// A POST to this path with the content type of Connect; more fields can follow.
void raw_put_post(struct buf *head, const char *path);
// Reads until the hub hangs up or `ms` have passed; true: it hung up. What came is appended.
bool raw_hangs_up(int fd, long ms, struct buf *came);
// The error code of the last GOAWAY in what came; -1: there is none.
long raw_goaway_code(const struct buf *came);
