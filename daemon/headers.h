#pragma once

// The fields of a head or of trailers, in order, in one buffer with a cap. Any thread, one at a
// time.

#include "base/buf.h"

struct headers {
    struct buf text; // for each: length of the name and of the value (u32), name, value
    size_t count;
    size_t size;     // as RFC 9113 section 6.5.2 counts it: 32 for each, name and value
    size_t size_max; // 0: 64 KiB
};

void headers_done(struct headers *headers);
// Over the cap or without memory the error sticks to text.err.
void headers_put(struct headers *headers, struct bytes name, struct bytes value);
void headers_put_text(struct headers *headers, const char *name, const char *value);
// The first one's value; p is NULL when there is none.
struct bytes headers_get(const struct headers *headers, const char *name);
// Steps through all: `at` begins with 0. False at the end.
bool headers_next(const struct headers *headers, size_t *at, struct bytes *name,
                  struct bytes *value) must_check;
