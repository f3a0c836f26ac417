#include <criterion/criterion.h>

#include "storage/stored.h"

Test(stored, takes_each_part_in_order)
{
    static const uint8_t stored[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'a', 'b'};
    struct stored value = stored_of(BYTES(stored));
    uint8_t two[2];
    cr_assert_eq(stored_u8(&value), 1);
    cr_assert_eq(stored_u16(&value), 0x0203);
    cr_assert_eq(stored_u32(&value), 0x04050607);
    cr_assert_eq(stored_u64(&value), 0x08090a0b0c0d0e0f);
    stored_copy(&value, two, 2);
    cr_assert_eq(memcmp(two, "ab", 2), 0);
    cr_assert_eq(stored_end(&value), OK);
}

Test(stored, tells_of_what_is_too_short_and_reads_it_as_zeros)
{
    static const uint8_t stored[] = {1, 2, 3};
    struct stored value = stored_of(BYTES(stored));
    uint8_t four[4] = {9, 9, 9, 9};
    cr_assert_eq(stored_u16(&value), 0x0102);
    stored_copy(&value, four, 4);
    cr_assert_eq(be32_get(four), 0);
    cr_assert_eq(stored_u8(&value), 0, "nothing is given after the cut");
    cr_assert_eq(stored_rest(&value).n, 0);
    cr_assert_eq(stored_end(&value), ERR_DAMAGED);
}

Test(stored, tells_of_what_is_too_long)
{
    static const uint8_t stored[] = {1, 2, 3};
    struct stored value = stored_of(BYTES(stored));
    stored_u16(&value);
    cr_assert_eq(stored_end(&value), ERR_DAMAGED);
    stored_u8(&value);
    cr_assert_eq(stored_end(&value), OK);
}

Test(stored, gives_text_of_the_greatest_length_and_no_longer)
{
    char text[4];
    uint32_t n;
    struct stored fits = stored_of(bytes_of_text("abc"));
    stored_text(&fits, text, &n, 3);
    cr_assert_str_eq(text, "abc");
    cr_assert_eq(n, 3);
    cr_assert_eq(stored_end(&fits), OK);
    struct stored longer = stored_of(bytes_of_text("abcd"));
    stored_text(&longer, text, &n, 3);
    cr_assert_str_eq(text, "");
    cr_assert_eq(stored_end(&longer), ERR_DAMAGED);
    struct stored empty = stored_of(bytes_of(NULL, 0));
    stored_text(&empty, text, &n, 3);
    cr_assert_eq(n, 0);
    cr_assert_eq(stored_end(&empty), OK);
}
