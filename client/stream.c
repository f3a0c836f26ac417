#include "client/stream.h"

void stream_init(struct stream *stream, size_t field_max,
                 enum err (*each)(const struct wire_field *field, void *arg), void *arg)
{
    *stream = (struct stream){
        .pending = {.max = field_max}, .field_max = field_max, .each = each, .arg = arg};
}

void stream_done(struct stream *stream)
{
    buf_done(&stream->pending);
}

// Hands on the whole fields at the beginning of the bytes; how many bytes they were.
static size_t hand_on(struct stream *stream, struct bytes bytes)
{
    struct wire_reader reader = wire_reader(bytes);
    const uint8_t *done = bytes.p;
    while (!stream->err && !wire_at_end(&reader)) {
        struct wire_field field;
        enum err err = wire_next(&reader, &field);
        if (err == ERR_CUT)
            break;
        if (!err && field.whole.n > stream->field_max)
            err = ERR_LIMIT;
        stream->err = err ? err : stream->each(&field, stream->arg);
        done = reader.p;
    }
    return (size_t)(done - bytes.p);
}

// Gives the field that has begun as much of the part as it may have; how much.
static size_t fill(struct stream *stream, struct bytes part)
{
    size_t room = stream->field_max - stream->pending.n;
    size_t n = part.n < room ? part.n : room;
    buf_put(&stream->pending, bytes_of(part.p, n));
    if (stream->pending.err)
        stream->err = stream->pending.err;
    return n;
}

enum err stream_take(struct stream *stream, struct bytes part)
{
    while (!stream->err && part.n > 0) {
        size_t n = fill(stream, part);
        if (stream->err)
            break;
        size_t done = hand_on(stream, buf_bytes(&stream->pending));
        if (!stream->err && done == 0 && stream->pending.n == stream->field_max)
            stream->err = ERR_LIMIT;
        buf_drop(&stream->pending, done);
        part = bytes_of(part.p + n, part.n - n);
    }
    return stream->err;
}

bool stream_is_whole(const struct stream *stream)
{
    return !stream->err && stream->pending.n == 0;
}
