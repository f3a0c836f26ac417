#include <criterion/criterion.h>

#include "base/bytes.h"

Test(bytes, are_ordered_by_content_and_a_prefix_comes_first)
{
    static const char *const ascending[] = {"", "a", "aa", "ab", "b", "\xc3\xa9"};
    size_t n = sizeof ascending / sizeof *ascending;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            int order = bytes_compare(bytes_of_text(ascending[i]), bytes_of_text(ascending[j]));
            cr_assert_eq((order > 0) - (order < 0), (i > j) - (i < j), "%zu and %zu", i, j);
        }
    }
}

Test(bytes, that_are_empty_are_equal_wherever_they_point)
{
    struct bytes nowhere = bytes_of(NULL, 0);
    cr_assert(bytes_equal(nowhere, bytes_of("x", 0)));
    cr_assert(bytes_equal_secret(nowhere, bytes_of("x", 0)));
    cr_assert_eq(bytes_compare(nowhere, bytes_of("x", 0)), 0);
}

Test(bytes, of_another_length_or_content_are_not_equal)
{
    struct bytes oak = bytes_of_text("oak");
    cr_assert(bytes_equal(oak, bytes_of_text("oak")));
    cr_assert(bytes_equal_secret(oak, bytes_of_text("oak")));
    cr_assert_not(bytes_equal(oak, bytes_of_text("oaks")));
    cr_assert_not(bytes_equal_secret(oak, bytes_of_text("oaks")));
    cr_assert_not(bytes_equal(oak, bytes_of_text("oal")));
    cr_assert_not(bytes_equal_secret(oak, bytes_of_text("oal")));
}

Test(bytes, hold_integers_with_the_greatest_byte_first)
{
    uint8_t p[8];
    be32_put(p, 0x01020304);
    cr_assert_arr_eq(p, "\x01\x02\x03\x04", 4);
    cr_assert_eq(be32_get(p), 0x01020304);
    be64_put(p, 0xfedcba9876543210);
    cr_assert_arr_eq(p, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    cr_assert_eq(be64_get(p), 0xfedcba9876543210);
    be64_put(p, UINT64_MAX);
    cr_assert_eq(be64_get(p), UINT64_MAX);
}

Test(bytes, that_are_wiped_are_zero_and_their_neighbours_are_not)
{
    uint8_t p[] = {1, 2, 3, 4, 5};
    bytes_wipe(p + 1, 3);
    cr_assert_arr_eq(p, "\x01\x00\x00\x00\x05", 5);
}
