#include <criterion/criterion.h>

#include "base/text.h"
#include "tests/leaks.h"

static bool is_utf8(const char *text)
{
    return text_is_utf8(bytes_of_text(text));
}

Test(text, in_any_script_is_utf8)
{
    cr_assert(text_is_utf8(bytes_of(NULL, 0)));
    cr_assert(is_utf8("water"));
    cr_assert(is_utf8("\u0645\u0627\u0621, \u6c34, \u0432\u043e\u0434\u0430, \u1794, \U0001f4a7"));
}

Test(text, is_taken_to_the_edges_of_each_length)
{
    cr_assert(is_utf8("\x01") && is_utf8("\x7f"));
    cr_assert(is_utf8("\xc2\x80") && is_utf8("\xdf\xbf"));
    cr_assert(is_utf8("\xe0\xa0\x80") && is_utf8("\xed\x9f\xbf"));
    cr_assert(is_utf8("\xee\x80\x80") && is_utf8("\xef\xbf\xbf"));
    cr_assert(is_utf8("\xf0\x90\x80\x80") && is_utf8("\xf4\x8f\xbf\xbf"));
}

Test(text, with_a_nul_is_refused)
{
    cr_assert_not(text_is_utf8(bytes_of("a\0b", 3)));
    cr_assert_not(text_is_utf8(bytes_of("\0", 1)));
}

Test(text, that_is_not_utf8_is_refused)
{
    static const char *const bad[] = {
        "\x80",             // a continuation that continues nothing
        "\xbf",             //
        "\xc0\x80",         // too long a form of U+0000
        "\xc1\xbf",         // too long a form of U+007F
        "\xe0\x9f\xbf",     // too long a form of U+07FF
        "\xf0\x8f\xbf\xbf", // too long a form of U+FFFF
        "\xed\xa0\x80",     // the first surrogate
        "\xed\xbf\xbf",     // the last surrogate
        "\xf4\x90\x80\x80", // U+110000
        "\xf5\x80\x80\x80", // no such lead byte
        "\xff",             //
        "\xc3(",            // continued by what does not continue
        "\xe2\x82(",        //
        "\xf0\x9f\x92(",    //
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(is_utf8(bad[i]), "row %zu", i);
        char behind[16] = "ok ";
        strncat(behind, bad[i], 8);
        cr_assert_not(is_utf8(behind), "row %zu behind good text", i);
    }
}

Test(text, cut_within_a_character_is_refused)
{
    struct bytes drop = bytes_of_text("\U0001f4a7");
    for (size_t n = 1; n < drop.n; n++) {
        uint8_t cut[4];
        memcpy(cut, drop.p, n);
        cr_assert_not(text_is_utf8(bytes_of(cut, n)));
    }
}

Test(text, in_hexadecimal_is_lower_case_and_read_in_either)
{
    static const uint8_t bytes[] = {0x00, 0x09, 0xaf, 0xff};
    char hex[9];
    text_hex(BYTES(bytes), hex);
    cr_assert_str_eq(hex, "0009afff");
    uint8_t back[4];
    cr_assert_eq(text_unhex(bytes_of_text("0009AfFf"), back, 4), OK);
    cr_assert_arr_eq(back, bytes, 4);
}

Test(text, that_is_not_hexadecimal_leaves_the_output_alone)
{
    static const char *const bad[] = {"",     "1",    "123",  "12345", "0g",
                                      "  ab", "0x1f", "ab@a", "ab`a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t out[2] = {0x55, 0x55};
        cr_assert_eq(text_unhex(bytes_of_text(bad[i]), out, 2), ERR_MALFORMED, "'%s'", bad[i]);
        cr_assert(out[0] == 0x55 && out[1] == 0x55);
    }
}

static void expect_base64url(struct bytes plain, const char *coded)
{
    struct buf buf = {0};
    text_base64url(&buf, plain);
    cr_assert(bytes_equal(buf_bytes(&buf), bytes_of_text(coded)), "%s", coded);
    buf_done(&buf);
    uint8_t back[16];
    cr_assert_eq(text_unbase64url(bytes_of_text(coded), back, plain.n), OK, "%s", coded);
    cr_assert(bytes_equal(bytes_of(back, plain.n), plain), "%s", coded);
}

// RFC 4648 section 10, less the padding.
Test(text, in_base64url_is_that_of_the_rfc)
{
    expect_base64url(bytes_of_text(""), "");
    expect_base64url(bytes_of_text("f"), "Zg");
    expect_base64url(bytes_of_text("fo"), "Zm8");
    expect_base64url(bytes_of_text("foo"), "Zm9v");
    expect_base64url(bytes_of_text("foob"), "Zm9vYg");
    expect_base64url(bytes_of_text("fooba"), "Zm9vYmE");
    expect_base64url(bytes_of_text("foobar"), "Zm9vYmFy");
    expect_base64url(bytes_of("\xfb\xff\xbf", 3), "-_-_");
    expect_base64url(bytes_of("\0\0\0\0", 4), "AAAAAA");
    expect_no_leaks();
}

Test(text, that_is_not_base64url_leaves_the_output_alone)
{
    static const char *const bad[] = {
        "",       "Z",      "Zg",  "Zm9v", "Zm8=", // of another length, or padded
        "Zm9",                                     // a bit set behind the last byte
        "Z+8",    "Z/8",    "Z 8", "Zm\n",         // of another alphabet
        "\xc3m8", "Zm\x80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t out[2] = {0x55, 0x55};
        cr_assert_eq(text_unbase64url(bytes_of_text(bad[i]), out, 2), ERR_MALFORMED, "row %zu", i);
        cr_assert(out[0] == 0x55 && out[1] == 0x55, "row %zu", i);
    }
    uint8_t out[2];
    cr_assert_eq(text_unbase64url(bytes_of("Zm\0", 3), out, 2), ERR_MALFORMED);
}

Test(text, has_one_base64url_form_for_each_value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t forms = 0;
    for (size_t a = 0; a < 64; a++) {
        for (size_t b = 0; b < 64; b++) {
            char text[] = {digits[a], digits[b], 0};
            uint8_t out;
            forms += text_unbase64url(bytes_of_text(text), &out, 1) == OK;
        }
    }
    cr_assert_eq(forms, 256);
}
