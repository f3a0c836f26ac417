#pragma once

// What an administrator can ask of the hub: a JSON object with a "command" to a JSON object with
// "ok". Reads at once; writes go through the writer. The loop's thread.

#include <cjson/cJSON.h>

#include "daemon/call.h"
#include "daemon/conns.h"

struct admin_context {
    struct call_context *calls;
    const struct conns *conns;
    const char *address; // HOST:PORT for links; empty: none
    // Makes the hub's own TLS key anew; fails where the configuration names a certificate.
    enum err (*rotate_tls)(void *arg, struct fault *fault);
    void *arg;
    int64_t started; // by loop_clock
};

// Runs the request, which stays the caller's, and calls `answered` once, perhaps at once; the
// answer is then the callee's.
void admin_run(struct admin_context *context, const cJSON *request,
               void (*answered)(void *arg, cJSON *answer), void *arg);
// The link of section 7 of the protocol.
void admin_join_link(const char *address, const struct community *community,
                     const uint8_t hub_key[KEY_SIZE], const uint8_t code[CODE_SIZE],
                     struct buf *link);
