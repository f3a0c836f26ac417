// The codec with every table: what decodes, encodes to something that decodes to the same; what is
// canonical is what the encoder writes.

#include "proto/messages.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/known.h"

// More than the lists of any message in an input of 64 KiB need.
enum { ARENA_MAX = 16 << 20 };

static void encode(const struct message *message, const void *in, struct buf *buf)
{
    message_encode(message, in, buf);
    assert(!buf->err);
}

static void check_again(const struct message *message, struct bytes encoded)
{
    struct arena arena ARENA_CLEANUP;
    struct buf buf BUF_CLEANUP = {0};
    struct fault fault = {0};
    arena_init(&arena, ARENA_MAX);
    void *out = arena_alloc(&arena, 1, message->size);
    assert(out);
    enum err err = message_decode(message, encoded, &arena, out, &fault);
    assert(!err);
    encode(message, out, &buf);
    assert(bytes_equal(encoded, buf_bytes(&buf)));
}

static void check_canonical(const struct message *message, struct bytes bytes, struct bytes encoded)
{
    struct buf known BUF_CLEANUP = {0};
    assert(message_is_canonical(message, encoded));
    if (!message_is_canonical(message, bytes))
        return;
    known_only(message, bytes, &known);
    assert(!known.err && bytes_equal(buf_bytes(&known), encoded));
}

static void check(const struct message *message, struct bytes bytes)
{
    struct arena arena ARENA_CLEANUP;
    struct buf buf BUF_CLEANUP = {0};
    struct fault fault = {0};
    arena_init(&arena, ARENA_MAX);
    void *out = arena_alloc(&arena, 1, message->size);
    assert(out);
    enum err err = message_decode(message, bytes, &arena, out, &fault);
    assert(err != ERR_NOMEM);
    if (err) {
        assert(fault.err == err && fault.text[0]);
        return;
    }
    encode(message, out, &buf);
    check_again(message, buf_bytes(&buf));
    check_canonical(message, bytes, buf_bytes(&buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (const struct message *const *message = messages_all; *message; message++)
        check(*message, bytes_of(data, size));
    return 0;
}
