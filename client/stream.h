#pragma once

// Takes an encoded message apart while its bytes arrive: each field of its top level is handed on
// as soon as it is whole. One thread at a time.

#include "base/buf.h"
#include "proto/wire.h"

struct stream {
    struct buf pending; // the beginning of a field
    size_t field_max;   // bytes of one field at most
    enum err (*each)(const struct wire_field *field, void *arg);
    void *arg;
    enum err err; // sticks
};

// field_max: bytes of one field, tag and length included.
void stream_init(struct stream *stream, size_t field_max,
                 enum err (*each)(const struct wire_field *field, void *arg), void *arg);
void stream_done(struct stream *stream);
// Takes a part of any size. ERR_MALFORMED, ERR_LIMIT for a field over field_max, ERR_NOMEM, and
// what `each` says; after an error nothing more is taken.
enum err stream_take(struct stream *stream, struct bytes part) must_check;
// Whether no field has only begun.
bool stream_is_whole(const struct stream *stream) must_check;
