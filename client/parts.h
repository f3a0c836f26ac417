#pragma once

// Values that have parts, written with "|" between them. A "|" or "\" inside a part has a "\"
// before it. Any thread.

#include "base/buf.h"

enum { PARTS_OF_TEXT_MAX = 5 };

struct parts {
    struct buf part[PARTS_OF_TEXT_MAX]; // those that are not there are empty
};

// Splits text into at most `max` parts (up to PARTS_OF_TEXT_MAX), which the caller frees with
// parts_done. ERR_MALFORMED when there are more.
enum err parts_split(struct parts *parts, struct bytes text, size_t max) must_check;
void parts_done(struct parts *parts);
// Appends one part.
void parts_put(struct buf *out, struct bytes part);
// A decimal number without sign; nothing is 0.
enum err parts_count(struct bytes part, uint64_t *v) must_check;
enum err parts_number(struct bytes part, uint32_t *v) must_check;

#define PARTS_CLEANUP __attribute__((cleanup(parts_done)))
