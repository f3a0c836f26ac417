#pragma once

// What a monitor is shown: /metrics, /healthz and /readyz on a listener of their own. The loop's
// thread.

#include "daemon/metrics.h"
#include "daemon/scrape.h"

struct observe_options {
    const char *addresses;          // a list; empty: there is no such listener
    struct metrics_sources sources; // but for `ready`
    const bool *is_stopping;        // the hub, which listens from its start until then
};

struct observe;

enum err observe_open(const struct observe_options *options, struct observe **out,
                      struct fault *fault) must_check;
// Once the writer has stopped.
void observe_close(struct observe **observe);
