// vectors.json holds most envelopes and fields; here is what takes code to say.
#include <criterion/criterion.h>

#include "proto/change.h"
#include "tests/leaks.h"

enum { ARENA_MAX = 256 << 10 };

static enum err decode(const struct buf *buf, struct envelope *envelope)
{
    struct arena arena ARENA_CLEANUP;
    struct fault fault = {0};
    arena_init(&arena, ARENA_MAX);
    enum err err = envelope_decode(buf_bytes(buf), &arena, envelope, &fault);
    cr_expect(!err || strlen(fault.text) > 0);
    return err;
}

Test(change, an_envelope_cut_at_any_byte_is_refused_or_another_one)
{
    struct buf buf BUF_CLEANUP = {0};
    uint8_t id[ID_SIZE] = {1};
    struct dot over[2] = {{bytes_of(id, HANDLE_SIZE), 1, 2, 3}, {{0}, 4, 0, 5}};
    struct envelope envelope = {
        .kind = 300, .id = BYTES(id), .time = -5, .class = 1, .over = {over, 2}};
    message_encode(&envelope_message, &envelope, &buf);
    for (size_t n = 0; n < buf.n; n++) {
        struct buf part BUF_CLEANUP = {0};
        buf_put(&part, bytes_of(buf.p, n));
        if (decode(&part, &envelope))
            continue;
        cr_expect_eq(envelope.kind, 300);
        cr_expect_lt(envelope.over.n, 2, "a dot that is not there, cut at %zu", n);
    }
    cr_expect_eq(decode(&buf, &envelope), OK);
    buf_done(&buf);
    expect_no_leaks();
}

Test(change, an_envelope_of_16_kib_is_taken_and_no_larger_one)
{
    struct buf buf BUF_CLEANUP = {0};
    struct envelope envelope;
    static const uint8_t zeros[ENVELOPE_MAX];
    wire_put_uint(&buf, 1, 1);
    size_t mark = buf.n;
    wire_put_bytes(&buf, 7, bytes_of(zeros, ENVELOPE_MAX - mark - 3));
    cr_assert_eq(buf.n, ENVELOPE_MAX);
    cr_expect_eq(decode(&buf, &envelope), OK);
    buf.n = mark;
    wire_put_bytes(&buf, 7, bytes_of(zeros, ENVELOPE_MAX - mark - 2));
    cr_assert_eq(buf.n, ENVELOPE_MAX + 1);
    cr_expect_eq(decode(&buf, &envelope), ERR_LIMIT);
    buf_done(&buf);
    expect_no_leaks();
}

Test(change, each_edit_is_found_by_its_index)
{
    struct buf buf BUF_CLEANUP = {0};
    uint32_t edits;
    struct wire_field edit;
    for (uint32_t i = 0; i < EDITS_MAX; i++)
        wire_put_uint(&buf, 1 + i % 5, i);
    cr_assert_eq(fields_check(buf_bytes(&buf), &edits, NULL), OK);
    cr_expect_eq(edits, EDITS_MAX);
    for (uint32_t i = 0; i < EDITS_MAX; i++) {
        cr_assert(fields_edit(buf_bytes(&buf), i, &edit));
        cr_expect(edit.value == i && edit.number == 1 + i % 5);
    }
    cr_expect(!fields_edit(buf_bytes(&buf), EDITS_MAX, &edit));
    wire_put_uint(&buf, 1, 1);
    cr_expect_eq(fields_check(buf_bytes(&buf), &edits, NULL), ERR_LIMIT);
}

Test(change, a_change_without_fields_has_no_edits)
{
    uint32_t edits = 9;
    struct wire_field edit;
    cr_expect_eq(fields_check((struct bytes){0}, &edits, NULL), OK);
    cr_expect_eq(edits, 0);
    cr_expect(!fields_edit((struct bytes){0}, 0, &edit));
}
