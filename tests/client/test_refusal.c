#include <criterion/criterion.h>
#include <stdio.h>

#include "client/refusal.h"
#include "tests/leaks.h"

static struct refusal_told told_by(int status, const char *body)
{
    struct refusal_told told;
    refusal_read(status, bytes_of_text(body), &told);
    return told;
}

Test(refusal, tells_the_hubs_own_words)
{
    struct refusal_told told =
        told_by(403, "{\"code\":\"permission_denied\",\"message\":\"the invitation was used\"}");
    cr_assert_eq(told.code, FOLKMOOT_REFUSED);
    cr_assert_str_eq(told.text, "the invitation was used");
    cr_assert_not(told.unauthenticated);
}

Test(refusal, knows_when_to_log_in_and_when_to_try_again)
{
    cr_assert(told_by(401, "{\"code\":\"unauthenticated\"}").unauthenticated);
    cr_assert(told_by(401, "").unauthenticated);
    cr_assert_eq(told_by(503, "{\"code\":\"unavailable\"}").code, FOLKMOOT_NETWORK);
    cr_assert_eq(told_by(502, "<html>").code, FOLKMOOT_NETWORK);
    cr_assert_eq(told_by(429, "<html>").code, FOLKMOOT_NETWORK);
    cr_assert_eq(told_by(408, "").code, FOLKMOOT_NETWORK);
    cr_assert_eq(told_by(404, "<html>").code, FOLKMOOT_REFUSED);
    cr_assert(told_by(429, "{\"code\":\"resource_exhausted\"}").too_much);
}

Test(refusal, of_any_other_form_is_told_by_its_status)
{
    const char *const odd[] = {"",
                               "[]",
                               "{",
                               "null",
                               "{\"message\":7}",
                               "\"x\"",
                               "{\"message\":\"\\u0000\"}",
                               "{\"message\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        cr_assert_str_eq(told_by(400, odd[i]).text, "HTTP status 400", "%s", odd[i]);
    expect_no_leaks();
}

Test(refusal, cannot_steer_a_terminal_nor_overflow)
{
    struct refusal_told told = told_by(400, "{\"message\":\"a\\u001b[2Jb\\nc\"}");
    cr_assert_str_eq(told.text, "a [2Jb c");
    static char nested[REFUSAL_MAX * 2];
    memset(nested, '[', sizeof nested - 1);
    cr_assert_str_eq(told_by(400, nested).text, "HTTP status 400");
    static char words[2000];
    int at = snprintf(words, sizeof words, "{\"message\":\"");
    memset(words + at, 'w', 1500);
    memcpy(words + at + 1500, "\"}", 3);
    cr_assert_eq(strlen(told_by(400, words).text), 199);
}
