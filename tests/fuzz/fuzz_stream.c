// An encoded message taken apart while it arrives: wherever it is cut, the same fields are handed
// on and the same error is found as when it is read at once.

#include "client/stream.h"
#include "tests/fuzz/fuzz.h"

enum { FIELD_MAX_LEAST = 16 };

// The fields one after the other.
static enum err keep(const struct wire_field *field, void *arg)
{
    struct buf *kept = arg;
    buf_put(kept, field->whole);
    return kept->err;
}

static enum err read_at_once(struct bytes bytes, size_t field_max, struct buf *kept, bool *whole)
{
    struct wire_reader reader = wire_reader(bytes);
    *whole = true;
    while (!wire_at_end(&reader)) {
        struct wire_field field;
        size_t left = (size_t)(reader.end - reader.p);
        enum err err = wire_next(&reader, &field);
        if (err == ERR_CUT) {
            *whole = false;
            return left >= field_max ? ERR_LIMIT : OK;
        }
        if (err || field.whole.n > field_max)
            return err ? err : ERR_LIMIT;
        buf_put(kept, field.whole);
    }
    return OK;
}

// Parts of 1 to `step` bytes.
static enum err read_in_parts(struct bytes bytes, size_t field_max, size_t step, struct buf *kept,
                              bool *whole)
{
    struct stream stream;
    enum err err = OK;
    stream_init(&stream, field_max, keep, kept);
    for (size_t at = 0, n = 1; at < bytes.n && !err; at += n) {
        n = 1 + (at * 7 + step) % step;
        if (n > bytes.n - at)
            n = bytes.n - at;
        err = stream_take(&stream, bytes_of(bytes.p + at, n));
        assert(stream.pending.n <= field_max);
    }
    *whole = stream_is_whole(&stream);
    stream_done(&stream);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = script_of(data, size);
    size_t step = 1u + script_u8(&script);
    size_t field_max = FIELD_MAX_LEAST + ((size_t)script_u8(&script) << 2);
    struct bytes bytes = bytes_of(script.p, script.n);
    struct buf once BUF_CLEANUP = {0};
    struct buf parts BUF_CLEANUP = {0};
    bool once_whole;
    bool parts_whole;
    enum err once_err = read_at_once(bytes, field_max, &once, &once_whole);
    enum err parts_err = read_in_parts(bytes, field_max, step, &parts, &parts_whole);
    assert(once_err == parts_err);
    assert(bytes_equal(buf_bytes(&once), buf_bytes(&parts)));
    assert(once_err || once_whole == parts_whole);
    return 0;
}
