#pragma once

// Many clients in one thread: TLS connections to the hub that each send one call of Sync after the
// other, as fast as answers come. Frames and heads are made by hand, so that it costs little: a
// head is sent whole once on a connection, and from then on as a row of indices (RFC 7541). Any
// thread.

#include <stdint.h>

#include "base/buf.h"

struct load;

// What one connection sends.
struct load_line {
    const char *token;
    const struct bytes *bodies;
    size_t n;
};

struct load_result {
    size_t calls;
    double seconds;
    double cpu_seconds; // of this client
    double *latencies;  // seconds of each call; the caller's (free)
    uint64_t bytes;     // of answers' bodies
};

// Opens so many connections to the hub on this port: handshake, preface, settings. A failure, here
// and below, ends the program.
struct load *load_new(uint16_t port, size_t connections);
void load_free(struct load **load);

// Connection i sends the bodies of line i, again and again, until so many calls in all are
// answered; calls 0: each body once. `lines` are as many as there are connections. answer (may be
// NULL): the body of the last answer. stop (may be NULL): once it is set no call is begun any more.
void load_run(struct load *load, const struct load_line *lines, size_t calls,
              const volatile int *stop, struct buf *answer, struct load_result *result);
