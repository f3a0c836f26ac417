#include <criterion/criterion.h>

#include "base/err.h"
#include "base/text.h"

Test(err, has_words_of_its_own_for_each_code)
{
    for (int i = OK; i <= ERR_BUSY; i++) {
        cr_assert_str_not_empty(err_text((enum err)i));
        for (int j = OK; j < i; j++)
            cr_assert_str_neq(err_text((enum err)i), err_text((enum err)j));
    }
}

Test(err, calls_what_is_no_code_unknown)
{
    cr_assert_str_eq(err_text((enum err)(ERR_BUSY + 1)), "unknown error");
    cr_assert_str_eq(err_text((enum err)999), "unknown error");
}

Test(err, fills_a_fault_with_code_and_sentence)
{
    struct fault fault = {0};
    cr_assert_eq(fault_set(&fault, ERR_LIMIT, "%d runs, at most %d", 9, 8), ERR_LIMIT);
    cr_assert_eq(fault.err, ERR_LIMIT);
    cr_assert_str_eq(fault.text, "9 runs, at most 8");
}

Test(err, is_returned_where_nobody_wants_the_sentence)
{
    cr_assert_eq(fault_set(NULL, ERR_IO, "unheard"), ERR_IO);
}

Test(err, cuts_a_long_sentence_at_a_whole_character)
{
    static const char *const letters[] = {"a", "\u00e9", "\u20ac", "\U0001f33e"};
    char sentence[2 * sizeof((struct fault *)NULL)->text];
    for (size_t letter = 0; letter < 4; letter++) {
        size_t width = strlen(letters[letter]);
        for (size_t shift = 0; shift < width; shift++) {
            memset(sentence, '.', sizeof sentence);
            for (size_t i = shift; i + width < sizeof sentence; i += width)
                memcpy(sentence + i, letters[letter], width);
            sentence[sizeof sentence - 1] = 0;
            struct fault fault = {0};
            cr_assert_eq(fault_set(&fault, ERR_IO, "%s", sentence), ERR_IO);
            size_t n = strlen(fault.text);
            cr_assert(text_is_utf8(bytes_of(fault.text, n)), "%zu, %zu", letter, shift);
            cr_assert_gt(n + width, sizeof fault.text - 1, "no more than one character is lost");
        }
    }
}
