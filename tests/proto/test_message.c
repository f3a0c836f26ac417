#include <criterion/criterion.h>

#include "proto/message.h"
#include "proto/messages.h"
#include "proto/wire.h"
#include "tests/leaks.h"

enum { ARENA_MAX = 8 << 20 };

static enum err decode(const struct message *message, const struct buf *buf, struct arena *arena,
                       void *out)
{
    struct fault fault = {0};
    memset(out, 0, message->size);
    enum err err = message_decode(message, buf_bytes(buf), arena, out, &fault);
    cr_expect(!err || strlen(fault.text) > 0, "no sentence");
    cr_expect(!err || err == ERR_NOMEM || strncmp(fault.text, message->name, 3) == 0 ||
                  strchr(fault.text, ':'),
              "%s", fault.text);
    return err;
}

// A request with every field, and messages within messages.
static void request_put(struct buf *buf)
{
    uint8_t bytes[64] = {1, 2, 3};
    struct pack packs[2] = {{PACKING_PLAIN, 5, bytes_of_text("abcde")},
                            {PACKING_ZSTD, 70000, bytes_of(bytes, 60)}};
    struct log_head seen = {bytes_of(bytes, 12), 9, bytes_of(bytes, 32)};
    struct run run = {bytes_of(bytes, 12), 4,    {packs, 2}, bytes_of(bytes, 32),
                      bytes_of(bytes, 64), &seen};
    struct cursor cursor = {bytes_of(bytes, 12), UINT64_MAX, bytes_of(bytes, 16), UINT32_MAX};
    struct chain_point own = {.seq = 3};
    struct chain_point vector[2] = {{bytes_of(bytes, 12), 1, {0}, 7},
                                    {{0}, 2, bytes_of(bytes, 16), 0}};
    struct sync_request request = {
        .version = 1,
        .community = bytes_of(bytes, 16),
        .cursor = &cursor,
        .own = &own,
        .push = {&run, 1},
        .has_answer_max = true,
        .packings = 6,
        .vector = {vector, 2},
        .own_too = true,
    };
    message_encode(&sync_request_message, &request, buf);
    cr_assert_eq(buf->err, OK);
}

Test(message, what_was_written_is_read_and_written_alike)
{
    struct buf buf BUF_CLEANUP = {0};
    struct buf again BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct sync_request request;
    arena_init(&arena, ARENA_MAX);
    request_put(&buf);
    cr_assert_eq(decode(&sync_request_message, &buf, &arena, &request), OK);
    cr_expect(request.has_answer_max && request.answer_max == 0 && request.own_too);
    cr_expect(request.cursor->position == UINT64_MAX && request.cursor->view == UINT32_MAX);
    cr_assert_eq(request.push.n, 1);
    const struct run *run = request.push.p;
    cr_expect(run->packs.n == 2 && LIST_AT(struct pack, run->packs, 1)->size == 70000);
    cr_expect(run->seen && run->seen->size == 9);
    cr_expect(request.vector.n == 2 && LIST_AT(struct chain_point, request.vector, 1)->seq == 2);
    message_encode(&sync_request_message, &request, &again);
    cr_expect(bytes_equal(buf_bytes(&buf), buf_bytes(&again)));
    cr_expect(message_is_canonical(&sync_request_message, buf_bytes(&buf)));
    buf_done(&buf);
    buf_done(&again);
    arena_done(&arena);
    expect_no_leaks();
}

Test(message, one_cut_at_any_byte_reads_nothing_beyond_it)
{
    struct buf buf BUF_CLEANUP = {0};
    request_put(&buf);
    int refused = 0;
    for (size_t n = 0; n < buf.n; n++) {
        struct buf part BUF_CLEANUP = {0};
        struct arena arena ARENA_CLEANUP;
        struct sync_request request = {0};
        arena_init(&arena, ARENA_MAX);
        buf_put(&part, bytes_of(buf.p, n));
        enum err err =
            message_decode(&sync_request_message, buf_bytes(&part), &arena, &request, NULL);
        cr_expect(err == OK || err == ERR_MALFORMED, "cut at %zu: %s", n, err_text(err));
        refused += err != OK;
    }
    cr_expect_geq(refused, (int)buf.n - 10, "only a cut between fields leaves a message");
    buf_done(&buf);
    expect_no_leaks();
}

Test(message, a_flipped_byte_never_reads_beyond_the_end)
{
    struct buf buf BUF_CLEANUP = {0};
    request_put(&buf);
    for (size_t i = 0; i < buf.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct arena arena ARENA_CLEANUP;
            struct sync_request request = {0};
            arena_init(&arena, ARENA_MAX);
            buf.p[i] ^= (uint8_t)(1u << bit);
            enum err err =
                message_decode(&sync_request_message, buf_bytes(&buf), &arena, &request, NULL);
            cr_expect(err == OK || err == ERR_MALFORMED || err == ERR_LIMIT, "%s", err_text(err));
            buf.p[i] ^= (uint8_t)(1u << bit);
        }
    }
    buf_done(&buf);
    expect_no_leaks();
}

Test(message, defaults_are_not_written_and_what_is_absent_reads_as_zero)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct sync_request request = {0};
    arena_init(&arena, 0);
    message_encode(&sync_request_message, &request, &buf);
    cr_expect_eq(buf.n, 0);
    cr_assert_eq(decode(&sync_request_message, &buf, &arena, &request), OK);
    cr_expect(!request.cursor && !request.own && !request.has_answer_max && request.push.n == 0);
}

Test(message, an_optional_bytes_field_may_be_there_and_empty)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct entry entry = {.seq = 1};
    arena_init(&arena, ARENA_MAX);
    message_encode(&entry_message, &entry, &buf);
    cr_assert_eq(decode(&entry_message, &buf, &arena, &entry), OK);
    cr_expect_null(entry.fields.p, "a husk");
    buf_reset(&buf);
    entry.fields = bytes_of_text("");
    message_encode(&entry_message, &entry, &buf);
    cr_assert_eq(decode(&entry_message, &buf, &arena, &entry), OK);
    cr_expect(entry.fields.p && entry.fields.n == 0, "whole, with nothing put");
    cr_expect(message_is_canonical(&entry_message, buf_bytes(&buf)));
}

Test(message, negative_numbers_go_there_and_back)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct place place = {.latitude = INT32_MIN, .has_latitude = true, .has_longitude = true};
    struct consent consent = {.time = INT64_MIN};
    arena_init(&arena, ARENA_MAX);
    message_encode(&place_message, &place, &buf);
    cr_assert_eq(decode(&place_message, &buf, &arena, &place), OK);
    cr_expect(place.latitude == INT32_MIN && place.has_longitude && place.longitude == 0);
    buf_reset(&buf);
    message_encode(&consent_message, &consent, &buf);
    cr_assert_eq(decode(&consent_message, &buf, &arena, &consent), OK);
    cr_expect_eq(consent.time, INT64_MIN);
}

Test(message, unknown_fields_are_passed_over)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct ref ref;
    uint8_t id[16] = {7};
    arena_init(&arena, ARENA_MAX);
    wire_put_bytes(&buf, 500, bytes_of_text("later"));
    wire_put_uint(&buf, 1, 3);
    wire_put_fixed32(&buf, 3, 1);
    wire_put_bytes(&buf, 2, BYTES(id));
    wire_put_uint(&buf, 536870911, UINT64_MAX);
    cr_assert_eq(decode(&ref_message, &buf, &arena, &ref), OK);
    cr_expect(ref.kind == 3 && bytes_equal(ref.id, BYTES(id)));
    cr_expect(!message_is_canonical(&ref_message, buf_bytes(&buf)), "they do not ascend");
}

Test(message, the_last_of_a_scalar_counts_and_a_second_sub_message_is_refused)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct ref ref;
    struct sync_request request;
    arena_init(&arena, ARENA_MAX);
    wire_put_uint(&buf, 1, 3);
    wire_put_uint(&buf, 1, 4);
    cr_assert_eq(decode(&ref_message, &buf, &arena, &ref), OK);
    cr_expect_eq(ref.kind, 4);
    cr_expect(!message_is_canonical(&ref_message, buf_bytes(&buf)));
    buf_reset(&buf);
    wire_put_bytes(&buf, 3, (struct bytes){0});
    wire_put_bytes(&buf, 3, (struct bytes){0});
    cr_expect_eq(decode(&sync_request_message, &buf, &arena, &request), ERR_MALFORMED);
}

Test(message, limits_hold)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct sync_request request;
    struct ref ref;
    struct place place;
    uint8_t id[17] = {0};
    char name[202];
    arena_init(&arena, ARENA_MAX);
    memset(name, 'a', sizeof name);
    wire_put_bytes(&buf, 2, bytes_of(id, 17));
    cr_expect_eq(decode(&ref_message, &buf, &arena, &ref), ERR_LIMIT);
    buf_reset(&buf);
    wire_put_bytes(&buf, 2, bytes_of(id, 15));
    cr_expect_eq(decode(&ref_message, &buf, &arena, &ref), ERR_MALFORMED);
    buf_reset(&buf);
    wire_put_bytes(&buf, 1, bytes_of(name, 200));
    cr_expect_eq(decode(&place_message, &buf, &arena, &place), OK);
    buf_reset(&buf);
    wire_put_bytes(&buf, 1, bytes_of(name, 201));
    cr_expect_eq(decode(&place_message, &buf, &arena, &place), ERR_LIMIT);
    buf_reset(&buf);
    for (int i = 0; i < RUNS_MAX; i++)
        wire_put_bytes(&buf, 5, (struct bytes){0});
    cr_expect_eq(decode(&sync_request_message, &buf, &arena, &request), OK);
    wire_put_bytes(&buf, 5, (struct bytes){0});
    cr_expect_eq(decode(&sync_request_message, &buf, &arena, &request), ERR_LIMIT);
}

Test(message, text_is_utf8_without_nul)
{
    struct arena arena ARENA_CLEANUP;
    static const struct {
        const char *text;
        size_t n;
        enum err err;
    } rows[] = {{"Gr\xc3\xbc\xc3\x9f", 6, OK},
                {"\xc3", 1, ERR_MALFORMED},
                {"a\0b", 3, ERR_MALFORMED},
                {"\xed\xa0\x80", 3, ERR_MALFORMED}};
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf buf BUF_CLEANUP = {0};
        struct place place;
        wire_put_bytes(&buf, 1, bytes_of(rows[i].text, rows[i].n));
        cr_expect_eq(decode(&place_message, &buf, &arena, &place), rows[i].err, "row %zu", i);
    }
}

Test(message, another_wire_type_or_a_number_over_32_bits_is_refused)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct ref ref;
    struct place place;
    arena_init(&arena, ARENA_MAX);
    wire_put_fixed32(&buf, 1, 1);
    cr_expect_eq(decode(&ref_message, &buf, &arena, &ref), ERR_MALFORMED);
    buf_reset(&buf);
    wire_put_uint(&buf, 2, 1);
    cr_expect_eq(decode(&ref_message, &buf, &arena, &ref), ERR_MALFORMED);
    buf_reset(&buf);
    wire_put_uint(&buf, 1, (uint64_t)UINT32_MAX + 1);
    cr_expect_eq(decode(&ref_message, &buf, &arena, &ref), ERR_MALFORMED);
    buf_reset(&buf);
    wire_put_sint(&buf, 3, (int64_t)INT32_MAX + 1);
    cr_expect_eq(decode(&place_message, &buf, &arena, &place), ERR_MALFORMED);
}

Test(message, a_full_arena_ends_the_decoding)
{
    struct buf buf BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct sync_request request;
    arena_init(&arena, 64);
    request_put(&buf);
    cr_expect_eq(decode(&sync_request_message, &buf, &arena, &request), ERR_NOMEM);
    buf_done(&buf);
    arena_done(&arena);
    expect_no_leaks();
}

Test(message, the_canonical_form_goes_down_into_sub_messages)
{
    struct buf buf BUF_CLEANUP = {0};
    wire_put_uint(&buf, 1, 1);
    size_t mark = wire_open(&buf, 6);
    wire_put_uint(&buf, 2, 1);
    wire_close(&buf, mark);
    cr_expect(message_is_canonical(&envelope_message, buf_bytes(&buf)));
    mark = wire_open(&buf, 6);
    wire_put_uint(&buf, 2, 0);
    wire_close(&buf, mark);
    cr_expect(!message_is_canonical(&envelope_message, buf_bytes(&buf)));
}
