#pragma once

// What a monitor is shown: /metrics, /healthz and /readyz on a listener of their own. The loop's
// thread.

#include "daemon/config.h"
#include "daemon/conns.h"

// All of it outlives the listener.
struct observe_options {
    const struct config *config; // [listen] metrics empty: there is no such listener
    const struct conns *conns;
    const struct call_context *calls;
    const struct http2_room *room;
    struct tls_context *const *tls; // that is shown now; NULL in it: none
    const bool *is_stopping;        // the hub, which listens from its start until then
};

struct observe;

enum err observe_open(const struct observe_options *options, struct observe **out,
                      struct fault *fault) must_check;
// Once the writer has stopped.
void observe_close(struct observe **observe);
