#include <criterion/criterion.h>

#include "base/buf.h"
#include "tests/leaks.h"

Test(buf, grows_with_what_is_put)
{
    struct buf buf = {0};
    for (uint32_t i = 0; i < 10000; i++)
        buf_put_be32(&buf, i);
    cr_assert_eq(buf.err, OK);
    cr_assert_eq(buf.n, 40000);
    for (uint32_t i = 0; i < 10000; i++)
        cr_assert_eq(be32_get(buf.p + 4 * (size_t)i), i);
    buf_done(&buf);
    cr_assert_null(buf.p);
    expect_no_leaks();
}

Test(buf, puts_each_kind_of_value_in_order)
{
    struct buf buf = {0};
    buf_put_u8(&buf, 0x7f);
    buf_put_text(&buf, "ab");
    buf_put_format(&buf, "%d-%s", 42, "c");
    buf_put_be64(&buf, 0x0102030405060708);
    buf_put(&buf, bytes_of(NULL, 0));
    struct bytes expected = bytes_of("\x7f"
                                     "ab42-c\1\2\3\4\5\6\7\10",
                                     15);
    cr_assert(bytes_equal(buf_bytes(&buf), expected));
    buf_done(&buf);
}

Test(buf, takes_its_cap_to_the_last_byte_and_no_more)
{
    struct buf buf = {.max = 5};
    buf_put_text(&buf, "abcde");
    cr_assert_eq(buf.err, OK);
    cr_assert_leq(buf.cap, 5);
    buf_put_u8(&buf, 'f');
    cr_assert_eq(buf.err, ERR_LIMIT);
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text("abcde")));
    buf_done(&buf);
}

Test(buf, refuses_a_length_that_would_wrap_around)
{
    struct buf buf = {.max = SIZE_MAX};
    buf_put_u8(&buf, 1);
    cr_assert_null(buf_room(&buf, SIZE_MAX));
    cr_assert_eq(buf.err, ERR_LIMIT);
    buf_done(&buf);
}

Test(buf, keeps_its_first_error)
{
    struct buf buf = {.max = 4};
    buf_put_text(&buf, "abcde");
    cr_assert_eq(buf.err, ERR_LIMIT);
    cr_assert_eq(buf.n, 0, "a put that fails puts nothing");
    buf_put_u8(&buf, 'a');
    buf_put_format(&buf, "%d", 1);
    cr_assert_null(buf_room(&buf, 1));
    cr_assert_eq(buf.err, ERR_LIMIT);
    cr_assert_eq(buf.n, 0, "what follows a failure does nothing, even where there is room");
    buf_done(&buf);
}

Test(buf, is_usable_again_after_a_reset)
{
    struct buf buf = {.max = 4};
    buf_put_text(&buf, "abcde");
    buf_reset(&buf);
    buf_put_text(&buf, "abcd");
    cr_assert_eq(buf.err, OK);
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text("abcd")));
    buf_done(&buf);
    cr_assert_eq(buf.max, 4, "its cap outlives its memory");
}

Test(buf, never_cuts_formatted_text)
{
    struct buf buf = {.max = 8};
    buf_put_format(&buf, "%s", "1234567");
    cr_assert_eq(buf.err, OK);
    buf_put_format(&buf, "%s", "89");
    cr_assert_eq(buf.err, ERR_LIMIT);
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text("1234567")));
    buf_done(&buf);
}

Test(buf, drops_what_was_used_from_its_front)
{
    struct buf buf = {0};
    buf_drop(&buf, 0);
    buf_put_text(&buf, "abcdef");
    buf_drop(&buf, 2);
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text("cdef")));
    buf_drop(&buf, 4);
    cr_assert_eq(buf.n, 0);
    buf_put_text(&buf, "g");
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text("g")));
    buf_done(&buf);
}

Test(buf, frees_itself_at_the_end_of_its_scope)
{
    for (int i = 0; i < 3; i++) {
        BUF_CLEANUP struct buf buf = {0};
        buf_put_text(&buf, "words");
    }
    expect_no_leaks();
}
