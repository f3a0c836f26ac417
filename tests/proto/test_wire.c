#include <criterion/criterion.h>

#include "proto/wire.h"
#include "tests/leaks.h"

static enum err read_one(struct bytes bytes, struct wire_field *field)
{
    struct wire_reader reader = wire_reader(bytes);
    enum err err = wire_next(&reader, field);
    cr_expect(err || wire_at_end(&reader));
    return err;
}

Test(wire, reads_back_each_type_as_it_was_written)
{
    struct buf buf BUF_CLEANUP = {0};
    struct wire_field field;
    wire_put_uint(&buf, 1, UINT64_MAX);
    wire_put_sint(&buf, 536870911, INT64_MIN);
    wire_put_fixed32(&buf, 3, 0x01020304);
    wire_put_bytes(&buf, 4, bytes_of_text("words"));
    wire_put_bytes(&buf, 5, (struct bytes){0});
    struct wire_reader reader = wire_reader(buf_bytes(&buf));
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(field.number == 1 && field.type == WIRE_VARINT && field.value == UINT64_MAX);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(field.number == 536870911 && wire_unzigzag(field.value) == INT64_MIN);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(field.type == WIRE_FIXED32 && field.value == 0x01020304 && field.whole.n == 5);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(field.type == WIRE_SIZED && bytes_equal(field.bytes, bytes_of_text("words")));
    cr_expect_eq(field.whole.n, 7);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_expect(field.number == 5 && field.bytes.n == 0 && field.minimal);
    cr_expect(wire_at_end(&reader));
    buf_done(&buf);
    expect_no_leaks();
}

Test(wire, reads_a_fixed64)
{
    static const uint8_t bytes[] = {0x09, 1, 2, 3, 4, 5, 6, 7, 8};
    struct wire_field field;
    cr_assert_eq(read_one(BYTES(bytes), &field), OK);
    cr_expect(field.type == WIRE_FIXED64 && field.value == 0x0807060504030201);
}

Test(wire, zigzag_goes_there_and_back)
{
    static const int64_t values[] = {0, -1, 1, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buf buf BUF_CLEANUP = {0};
        struct wire_field field;
        wire_put_sint(&buf, 1, values[i]);
        cr_assert_eq(read_one(buf_bytes(&buf), &field), OK);
        cr_expect_eq(wire_unzigzag(field.value), values[i]);
    }
    cr_expect_eq(wire_unzigzag(3), -2);
}

Test(wire, tells_of_varints_that_are_longer_than_need_be)
{
    static const uint8_t cases[][5] = {
        {0x88, 0x00, 0x01}, {0x08, 0x81, 0x00}, {0x08, 0x80, 0x80, 0x00}, {0x0a, 0x80, 0x00}};
    static const size_t sizes[] = {3, 3, 4, 3};
    struct wire_field field;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cr_assert_eq(read_one(bytes_of(cases[i], sizes[i]), &field), OK);
        cr_expect(!field.minimal, "case %zu", i);
    }
    cr_assert_eq(read_one(bytes_of("\x08\x00", 2), &field), OK);
    cr_expect(field.minimal, "zero has one byte");
}

Test(wire, refuses_groups_number_0_and_varints_over_64_bits)
{
    struct wire_field field;
    static const char *const cases[] = {"\x0b\x0c", "\x0c\x01", "\x0e\x01", "\x0f\x01"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(read_one(bytes_of_text(cases[i]), &field), ERR_MALFORMED, "case %zu", i);
    cr_expect_eq(read_one(bytes_of("\x00\x01", 2), &field), ERR_MALFORMED);
    cr_expect_eq(read_one(bytes_of_text("\x80\x80\x80\x80\x10\x01"), &field), ERR_MALFORMED,
                 "a number over 536870911");
    cr_expect_eq(read_one(bytes_of_text("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), &field),
                 ERR_MALFORMED);
    cr_expect_eq(
        read_one(bytes_of_text("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &field),
        ERR_MALFORMED);
}

Test(wire, tells_of_a_cut_at_each_byte)
{
    struct buf buf BUF_CLEANUP = {0};
    struct wire_field field;
    wire_put_uint(&buf, 300, 70000);
    wire_put_fixed32(&buf, 300, 7);
    wire_put_bytes(&buf, 300, bytes_of_text("0123456789"));
    for (size_t n = 0; n < buf.n; n++) {
        // From memory of just this size, so that a read beyond it is seen.
        struct buf part BUF_CLEANUP = {0};
        buf_put(&part, bytes_of(buf.p, n));
        struct wire_reader reader = wire_reader(buf_bytes(&part));
        enum err err = OK;
        size_t whole = 0;
        while (!err && !wire_at_end(&reader)) {
            err = wire_next(&reader, &field);
            whole += err ? 0 : field.whole.n;
        }
        cr_expect_eq(err, whole == n ? OK : ERR_CUT, "cut at %zu", n);
    }
    buf_done(&buf);
    expect_no_leaks();
}

Test(wire, does_not_believe_a_length_beyond_the_end)
{
    struct wire_field field;
    cr_expect_eq(read_one(bytes_of_text("\x0a\x02x"), &field), ERR_CUT);
    cr_expect_eq(read_one(bytes_of_text("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), &field),
                 ERR_CUT);
}

Test(wire, a_message_that_was_opened_gets_its_length_when_it_is_closed)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 128, 16381, 16384, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf buf BUF_CLEANUP = {0};
        struct wire_field field;
        size_t mark = wire_open(&buf, 7);
        for (size_t k = 0; k < sizes[i]; k++)
            buf_put_u8(&buf, (uint8_t)k);
        wire_close(&buf, mark);
        cr_assert_eq(read_one(buf_bytes(&buf), &field), OK);
        cr_assert(field.bytes.n == sizes[i] && field.minimal);
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(field.bytes.p[k], (uint8_t)k);
    }
    expect_no_leaks();
}

Test(wire, an_error_of_the_buffer_stays)
{
    struct buf buf BUF_CLEANUP = {.max = 8};
    size_t mark = wire_open(&buf, 1);
    wire_put_bytes(&buf, 2, bytes_of_text("0123456789"));
    wire_close(&buf, mark);
    cr_expect_eq(buf.err, ERR_LIMIT);
}
