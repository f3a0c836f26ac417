#include <criterion/criterion.h>

#include "client/stream.h"
#include "tests/leaks.h"

// Notes what was handed on.
struct notes {
    struct buf whole;
    size_t n;
    enum err say;
};

static enum err note(const struct wire_field *field, void *arg)
{
    struct notes *notes = arg;
    buf_put(&notes->whole, field->whole);
    notes->n++;
    return notes->say;
}

static void make_message(struct buf *message)
{
    uint8_t long_text[300];
    memset(long_text, 'w', sizeof long_text);
    wire_put_uint(message, 2, 6);
    wire_put_bytes(message, 3, bytes_of_text("head"));
    wire_put_fixed32(message, 4, 7);
    wire_put_bytes(message, 8, BYTES(long_text));
    wire_put_bytes(message, 8, bytes_of(NULL, 0));
    wire_put_uint(message, 1000, UINT64_MAX);
}

Test(stream, hands_on_every_field_however_the_bytes_are_parted)
{
    struct buf message BUF_CLEANUP = {0};
    make_message(&message);
    for (size_t part = 1; part <= message.n; part++) {
        struct notes notes = {.n = 0};
        struct stream stream;
        stream_init(&stream, 400, note, &notes);
        for (size_t at = 0; at < message.n; at += part) {
            size_t n = message.n - at < part ? message.n - at : part;
            cr_assert_eq(stream_take(&stream, bytes_of(message.p + at, n)), OK);
        }
        cr_assert(stream_is_whole(&stream));
        cr_assert_eq(notes.n, 6);
        cr_assert(bytes_equal(buf_bytes(&notes.whole), buf_bytes(&message)));
        stream_done(&stream);
        buf_done(&notes.whole);
    }
    expect_no_leaks();
}

// How many fields end at or before n.
static size_t fields_before(struct bytes message, size_t n)
{
    struct wire_reader reader = wire_reader(message);
    struct wire_field field;
    size_t count = 0;
    while (!wire_at_end(&reader)) {
        cr_assert_eq(wire_next(&reader, &field), OK);
        count += (size_t)(reader.p - message.p) <= n;
    }
    return count;
}

Test(stream, cut_at_any_byte_keeps_the_whole_fields_and_says_whether_one_was_cut)
{
    struct buf message BUF_CLEANUP = {0};
    make_message(&message);
    for (size_t cut = 0; cut <= message.n; cut++) {
        struct notes notes = {.n = 0};
        struct stream stream;
        stream_init(&stream, 400, note, &notes);
        cr_assert_eq(stream_take(&stream, bytes_of(message.p, cut)), OK);
        cr_assert_eq(notes.n, fields_before(buf_bytes(&message), cut));
        cr_assert_eq(stream_is_whole(&stream), notes.whole.n == cut);
        stream_done(&stream);
        buf_done(&notes.whole);
    }
}

Test(stream, refuses_a_field_over_the_limit_before_it_has_arrived)
{
    struct buf message BUF_CLEANUP = {0};
    make_message(&message);
    for (size_t part = 1; part <= message.n; part++) {
        struct notes notes = {.n = 0};
        struct stream stream;
        enum err err = OK;
        stream_init(&stream, 100, note, &notes);
        for (size_t at = 0; at < message.n && !err; at += part) {
            size_t n = message.n - at < part ? message.n - at : part;
            err = stream_take(&stream, bytes_of(message.p + at, n));
        }
        cr_assert_eq(err, ERR_LIMIT);
        cr_assert_leq(stream.pending.cap, 128);
        cr_assert_eq(notes.n, 3);
        cr_assert_not(stream_is_whole(&stream));
        stream_done(&stream);
        buf_done(&notes.whole);
    }
}

Test(stream, stops_for_good_at_what_is_no_field_and_when_it_is_told_to)
{
    struct notes notes = {.n = 0};
    struct stream stream;
    stream_init(&stream, 100, note, &notes);
    cr_assert_eq(stream_take(&stream, bytes_of_text("\x0b")), ERR_MALFORMED); // a group
    cr_assert_eq(stream_take(&stream, bytes_of_text("\x08\x01")), ERR_MALFORMED);
    cr_assert_eq(notes.n, 0);
    stream_done(&stream);
    notes.say = ERR_DAMAGED;
    stream_init(&stream, 100, note, &notes);
    cr_assert_eq(stream_take(&stream, bytes_of_text("\x08\x01\x08\x02")), ERR_DAMAGED);
    cr_assert_eq(notes.n, 1);
    stream_done(&stream);
    buf_done(&notes.whole);
}
