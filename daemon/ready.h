#pragma once

// Whether the hub can serve: listens, reads its store, and writes it. The loop's thread.

#include "daemon/writer.h"

struct ready_options {
    struct gate *gate;
    struct writer *writer;
    const char *state_dir;
    const bool *is_stopping; // it listens from its start until then
};

struct ready;

// NULL: out of memory.
struct ready *ready_new(const struct ready_options *options) must_check;
// Once the writer has stopped.
void ready_free(struct ready **ready);
// Why it cannot, as one line for people; NULL: it can. Where the last write found no place, it asks
// the writer to try again, so that the next answer knows.
const char *ready_why_not(struct ready *ready) must_check;
