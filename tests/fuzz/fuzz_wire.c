// The wire reader and what is built on it alone: no read past the end, and fields_check,
// fields_edit and the reader say the same of the same bytes.

#include "proto/change.h"
#include "tests/fuzz/fuzz.h"

// What the writer makes of a field that was read is shorter by what was not minimal, else the same.
static void check_rewritten(const struct wire_field *field)
{
    struct buf buf BUF_CLEANUP = {0};
    if (field->type == WIRE_FIXED64)
        return;
    if (field->type == WIRE_VARINT)
        wire_put_uint(&buf, field->number, field->value);
    else if (field->type == WIRE_FIXED32)
        wire_put_fixed32(&buf, field->number, (uint32_t)field->value);
    else
        wire_put_bytes(&buf, field->number, field->bytes);
    assert(!buf.err);
    assert(field->minimal == bytes_equal(buf_bytes(&buf), field->whole));
    assert(field->minimal || buf.n < field->whole.n);
}

static void check_lengths(const struct wire_field *field)
{
    struct buf buf BUF_CLEANUP = {0};
    struct buf other BUF_CLEANUP = {0};
    if (field->type != WIRE_SIZED)
        return;
    size_t mark = wire_open(&buf, field->number);
    buf_put(&buf, field->bytes);
    wire_close(&buf, mark);
    wire_put_bytes(&other, field->number, field->bytes);
    assert(!buf.err && bytes_equal(buf_bytes(&buf), buf_bytes(&other)));
}

static void check_zigzag(const struct wire_field *field)
{
    struct buf buf BUF_CLEANUP = {0};
    if (field->type != WIRE_VARINT)
        return;
    wire_put_sint(&buf, field->number, wire_unzigzag(field->value));
    struct wire_reader reader = wire_reader(buf_bytes(&buf));
    struct wire_field again;
    enum err err = wire_next(&reader, &again);
    assert(!err && again.value == field->value);
}

// How many fields could be read; *sound is whether that was all, each in minimal form.
static uint32_t walk(struct bytes bytes, bool *sound)
{
    struct wire_reader reader = wire_reader(bytes);
    const uint8_t *at = bytes.p;
    uint32_t count = 0;
    for (*sound = true; !wire_at_end(&reader); count++) {
        struct wire_field field;
        if (wire_next(&reader, &field)) {
            *sound = false;
            break;
        }
        assert(field.whole.p == at && field.whole.n >= 2 && reader.p == at + field.whole.n);
        assert(field.number >= 1 && field.number <= 536870911);
        at = reader.p;
        *sound = *sound && field.minimal;
        check_rewritten(&field);
        check_lengths(&field);
        check_zigzag(&field);
    }
    return count;
}

static void check_edits(struct bytes bytes, uint32_t count)
{
    struct wire_reader reader = wire_reader(bytes);
    struct wire_field field;
    struct wire_field edit;
    for (uint32_t i = 0; i < count; i++) {
        bool has = fields_edit(bytes, i, &edit);
        enum err err = wire_next(&reader, &field);
        assert(!err && has && edit.whole.p == field.whole.p && edit.whole.n == field.whole.n);
    }
    bool has = fields_edit(bytes, count, &edit);
    assert(!has);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct fault fault = {0};
    uint32_t edits;
    bool sound;
    uint32_t count = walk(bytes, &sound);
    enum err err = fields_check(bytes, &edits, &fault);
    assert((err == OK) == (sound && count <= EDITS_MAX));
    assert(err == OK || (fault.err == err && fault.text[0]));
    if (!err) {
        assert(edits == count);
        check_edits(bytes, count);
    }
    return 0;
}
