#pragma once

// A request from its head to its answer: refused or taken, checked, through the writer where it
// writes, answered. Stands between HTTP/2 and the table of methods. The loop's thread, but for what
// the writer runs.

#include "daemon/attempts.h"
#include "daemon/http2.h"
#include "daemon/service.h"
#include "daemon/writer.h"

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
    uint64_t answered; // calls so far
    uint64_t refused;  // of them with an error
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

// The four events of struct http2_events, but for the owner.
void call_head(struct call_context *context, const struct call_peer *peer,
               struct http2_stream *stream);
void call_request(struct http2_stream *stream);
void call_excess(struct http2_stream *stream, enum http2_excess excess);
void call_closed(struct http2_stream *stream);
