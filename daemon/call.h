#pragma once

// A request from its head to its answer: refused or taken, checked, through the writer where it
// writes, answered. Stands between HTTP/2 and the table of methods. The loop's thread, but for what
// the writer runs.

#include "daemon/attempts.h"
#include "daemon/http2.h"
#include "daemon/measure.h"
#include "daemon/rpc.h"
#include "daemon/service.h"
#include "daemon/writer.h"

// Of all calls, since the start. The loop's thread.
struct call_counts {
    uint64_t answers[SERVICE_METHODS + 1][RPC_CODE_COUNT]; // canceled: the peer has gone before
    struct measure seconds[SERVICE_METHODS + 1]; // MEASURE_TIME, from the whole request to its end
    uint64_t enrolments;
    uint64_t logins;
    uint64_t tokens_refused;
    uint64_t attempts_refused; // enrolments and logins, for there were too many
    uint64_t pushes;
    uint64_t changes_taken;
    uint64_t changes_apart;  // of those taken
    uint64_t changes_erased; // by whomever
};

struct call;

enum { CALL_STREAMS_MAX = 1000, CALL_STREAMS_OF_DEVICE = 4 };

// Calls whose answers take long: they are made in turn, a slice for each turn of the loop.
struct call_slices {
    struct call *first;
    struct call *last;
    struct loop_timer *timer;
};

// What all calls share; outlives them.
struct call_context {
    struct loop *loop;
    struct gate *gate;
    struct writer *writer;
    struct contacts *contacts;
    struct attempts *attempts;
    const struct service *service;
    size_t body_max;    // of any request
    int64_t request_ms; // a whole request waits at most so long for its answer
    // A write decided something; called once that is committed, before the answer is given.
    void (*affected)(void *arg, uint32_t community, const struct hub_effects *effects);
    void *arg;
    uint64_t secret;   // of this process, for the names of calls
    uint64_t begun;    // calls so far
    uint64_t answered; // of them
    uint64_t refused;  // of those, with an error
    struct call_counts counts;
    struct call_slices slices; // the calls' own
    struct call *streams;      // the same
    size_t streams_n;
};

// Whose calls a connection carried.
struct call_carried {
    bool any;
    bool is_mixed; // several devices', as a proxy's does
    uint32_t community;
    uint8_t handle[HANDLE_SIZE];
};

// Of a connection, as far as calls ask.
struct call_peer {
    const uint8_t *address;       // ATTEMPTS_ADDRESS_SIZE; NULL: cannot be told apart
    const uint8_t *tls_key;       // that it was shown; NULL: none
    struct call_carried *carried; // filled in when a call's head is taken
    void (*wake)(void *arg);      // there is something to send, from outside of a feed
    void *arg;
};

// Once no call is left.
void call_context_done(struct call_context *context);
// The hub is about to stop: whoever listens is told so.
void call_end_streams(struct call_context *context);
// Words of the community were erased: answers that are being made must not hold them.
void call_begin_anew(struct call_context *context, uint32_t community);

// The four events of struct http2_events, but for the owner.
void call_head(struct call_context *context, const struct call_peer *peer,
               struct http2_stream *stream);
void call_request(struct http2_stream *stream);
void call_excess(struct http2_stream *stream, enum http2_excess excess);
void call_closed(struct http2_stream *stream);
