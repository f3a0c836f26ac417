#pragma once

// What the hub counts, in Prometheus' text format 0.0.4. No label names a device, a person, a
// community or an address. The loop's thread.

#include "daemon/conns.h"
#include "daemon/ready.h"

// Whom to ask; all outlive the use.
struct metrics_sources {
    const struct conns *conns;
    const struct call_context *calls;
    const struct http2_room *room;
    struct tls_context *const *tls; // that is shown now; NULL in it: none
    struct ready *ready;
    const char *state_dir;
    uint64_t waiting_max; // of the writer's inbox
    int64_t started;      // ms since 1970 UTC
};

void metrics_write(const struct metrics_sources *sources, struct buf *out);
