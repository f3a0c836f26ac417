#include <criterion/criterion.h>

#include "client/card.h"
#include "tests/leaks.h"

static void expect_same(const char *a, const char *b)
{
    struct buf x BUF_CLEANUP = {0};
    struct buf y BUF_CLEANUP = {0};
    cr_assert_eq(card_normalise(a, &x, NULL), OK, "%s", a);
    cr_assert_eq(card_normalise(b, &y, NULL), OK, "%s", b);
    cr_assert(bytes_equal(buf_bytes(&x), buf_bytes(&y)), "%s, %s", a, b);
}

Test(card, is_the_same_however_it_is_typed)
{
    static const char code[] = "HDJ795RAR165M0QGPKFQ0YARJ1";
    expect_same(code, "hdj795rar165m0qgpkfq0yarj1");
    expect_same(code, "HDJ7-95RA-R165-M0QG-PKFQ-0YAR-J1");
    expect_same(code, " HDJ7 95RA R165 M0QG PKFQ 0YAR J1 ");
    expect_same(code, "ＨＤＪ７９５ＲＡＲ１６５Ｍ０ＱＧＰＫＦＱ０ＹＡＲＪ１");
    expect_no_leaks();
}

Test(card, is_not_a_telephone_number_nor_anything_with_line_breaks)
{
    const char *const wrong[] = {"",
                                 "+44 7700 900123",
                                 "012345678901234",
                                 "- - - - - - - - - - - - -",
                                 "0123456789ABCDEFGHJ",
                                 "жжжжжжжжжжжжжжжжжжжжжж",
                                 "HDJ795RAR165M0QGPKFQ0YARJ1é",
                                 "HDJ795RAR165M0QGPKFQ0YARJ1\n",
                                 "\xff\xff\xff\xff\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf out BUF_CLEANUP = {0};
        struct fault fault = {0};
        cr_assert_eq(card_normalise(wrong[i], &out, &fault), ERR_MALFORMED, "%s", wrong[i]);
        cr_assert_neq(fault.text[0], 0);
    }
    static char longest[CARD_CODE_MAX + 2];
    struct buf out BUF_CLEANUP = {0};
    memset(longest, 'a', sizeof longest - 1);
    cr_assert_eq(card_normalise(longest, &out, NULL), ERR_LIMIT);
}
