// The canonical envelope: what is taken is bounded as docs/protocol.md section 3 says, encodes to
// the same bytes, and leads to one record.

#include "sync/merge.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/known.h"

static void check_bounds(const struct envelope *envelope)
{
    assert(envelope->kind >= 1 && envelope->kind <= KIND_MAX);
    assert(envelope->id.n == 0 || envelope->id.n == ID_SIZE);
    assert(envelope->id.n == 0 || envelope->parts.n == 0);
    assert(envelope->parts.n <= PARTS_MAX && envelope->over.n <= OVER_MAX);
    for (size_t i = 0; i < envelope->parts.n; i++) {
        size_t n = LIST_AT(struct bytes, envelope->parts, i)->n;
        assert(n >= 1 && n <= PART_MAX);
    }
    for (size_t i = 0; i < envelope->over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, envelope->over, i);
        assert(dot->seq > 0 && dot->index < EDITS_MAX);
        assert(dot->device.n == 0 || dot->device.n == HANDLE_SIZE);
    }
}

static void check_encoding(const struct envelope *envelope, struct bytes bytes)
{
    struct buf known BUF_CLEANUP = {0};
    struct buf encoded BUF_CLEANUP = {0};
    known_only(&envelope_message, bytes, &known);
    message_encode(&envelope_message, envelope, &encoded);
    assert(!known.err && !encoded.err);
    assert(bytes_equal(buf_bytes(&known), buf_bytes(&encoded)));
}

static void check_record(const struct envelope *envelope)
{
    static const uint8_t handle[HANDLE_SIZE] = "twelve bytes";
    struct record_key record;
    struct record_key other;
    merge_record(envelope, handle, 7, 0x01020304, &record);
    merge_record(envelope, handle, 8, 0x01020304, &other);
    assert(record.kind == envelope->kind && other.kind == envelope->kind);
    bool creates = envelope->id.n == 0 && envelope->parts.n == 0;
    assert((memcmp(record.id, other.id, ID_SIZE) != 0) == creates);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena ARENA_CLEANUP;
    struct envelope envelope;
    struct fault fault = {0};
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = envelope_decode(bytes_of(data, size), &arena, &envelope, &fault);
    assert(err == OK || err == ERR_MALFORMED || err == ERR_LIMIT);
    if (err) {
        assert(fault.err == err && fault.text[0]);
        return 0;
    }
    check_bounds(&envelope);
    check_encoding(&envelope, bytes_of(data, size));
    check_record(&envelope);
    return 0;
}
