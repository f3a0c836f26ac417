#pragma once

// Connections: sockets, and what each may hold and how long. Bytes go through a channel (TLS or
// plain) and HTTP/2 to the calls, and back.
//
// Progress, not the clock, keeps a connection: while a request or an answer is on its way, it must
// move `progress_bytes` in each `progress_ms`, however slowly; what only drips to hold a place is
// cut. When three quarters of the room that all share are held, those that move least are cut
// until it is no more. Above `queued_bytes` of output nothing more is read. The loop's thread.

#include "daemon/call.h"
#include "daemon/channel.h"

struct conn_options {
    struct call_context *calls;
    struct http2_limits http2;
    size_t connections;
    size_t connections_per_address;
    size_t queued_bytes; // of output of a connection
    int64_t handshake_ms;
    int64_t idle_ms;
    int64_t progress_ms;
    uint64_t progress_bytes;
};

struct conns;

enum conns_cut {         // why the hub ended a connection
    CONNS_CUT_HANDSHAKE, // it did not greet in time
    CONNS_CUT_STALLED,   // what was on its way did not move
    CONNS_CUT_ROOM,      // memory was short
    CONNS_CUT_PLACE,     // places were short
    CONNS_CUT_OFF,       // its answers may go no further
    CONNS_CUTS,
};

// Since the start.
struct conns_counts {
    uint64_t taken;
    uint64_t refused; // turned away because there were too many
    uint64_t cut[CONNS_CUTS];
    uint64_t handshakes; // of TLS
    uint64_t handshakes_failed;
    uint64_t bytes_in; // of sockets
    uint64_t bytes_out;
};

enum err conns_new(const struct conn_options *options, struct conns **out) must_check;
// Drops those that are left.
void conns_free(struct conns **conns);
// Takes a socket that was just accepted, or closes it when there are too many that are in use: the
// place that is used least is given away.
void conns_take(struct conns *conns, int fd, enum channel_kind kind,
                const struct tls_context *context);
// Reads from all again, after it stopped because the writer's inbox was full.
void conns_resume(struct conns *conns);
// Asks all to end when their requests are answered, and calls `gone` when none is left.
void conns_stop(struct conns *conns, void (*gone)(void *arg), void *arg);
// Resets those that `ends` names: what they were to be sent, also what the kernel holds of it, is
// dropped. has_unsent: an answer is not wholly sent. How many.
size_t conns_reset(struct conns *conns,
                   bool (*ends)(const struct call_carried *carried, bool has_unsent, void *arg),
                   void *arg);
size_t conns_count(const struct conns *conns);
// How many there may be.
size_t conns_max(const struct conns *conns);
const struct conns_counts *conns_counts(const struct conns *conns);
