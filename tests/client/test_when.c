#include <criterion/criterion.h>

#include "client/when.h"

static const char *shown(struct buf *out)
{
    buf_put_u8(out, 0);
    return (const char *)out->p;
}

static int64_t time_of(const char *text)
{
    int64_t ms = -1;
    cr_assert_eq(when_read_time(bytes_of_text(text), &ms), OK, "%s", text);
    return ms;
}

Test(when, reads_times_with_and_without_clock_zone_and_fraction)
{
    cr_assert_eq(time_of("1970-01-01"), 0);
    cr_assert_eq(time_of("2026-11-23"), INT64_C(1795392000000));
    cr_assert_eq(time_of("2026-11-23T10:00:00Z"), INT64_C(1795428000000));
    cr_assert_eq(time_of("2026-11-23 10:00Z"), INT64_C(1795428000000));
    cr_assert_eq(time_of("2026-11-23T11:30:00+01:30"), INT64_C(1795428000000));
    cr_assert_eq(time_of("2026-11-23T10:00:00.25Z"), INT64_C(1795428000250));
    cr_assert_eq(time_of("0001-01-01"), INT64_C(-62135596800000));
    cr_assert_eq(time_of("-9223372036854775808ms"), INT64_MIN);
    cr_assert_eq(time_of("2024-02-29"), INT64_C(1709164800000));
}

Test(when, refuses_what_is_no_time)
{
    const char *const wrong[] = {"",
                                 "2026",
                                 "2026-13-01",
                                 "2026-02-29",
                                 "2026-00-10",
                                 "2026-01-00",
                                 "0000-01-01",
                                 "2026-11-23T",
                                 "2026-11-23T24:00Z",
                                 "2026-11-23T10:60Z",
                                 "2026-11-23T10:00",
                                 "2026-11-23Z",
                                 "26-11-23",
                                 "2026-11-231",
                                 "9223372036854775808ms",
                                 "ms",
                                 "-ms",
                                 "1 ms",
                                 "yesterday"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms = 7;
        cr_assert_eq(when_read_time(bytes_of_text(wrong[i]), &ms), ERR_MALFORMED, "%s", wrong[i]);
        cr_assert_eq(ms, 7);
    }
}

Test(when, reads_back_every_time_that_it_shows)
{
    const int64_t times[] = {0,
                             -1,
                             1,
                             250,
                             INT64_C(1795428000000),
                             INT64_C(-62135596800000),
                             INT64_C(-62135596800001),
                             INT64_C(253402300799999),
                             INT64_C(253402300800000),
                             INT64_MIN,
                             INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct buf out BUF_CLEANUP = {0};
        when_put_time(&out, times[i]);
        cr_assert_eq(time_of(shown(&out)), times[i], "%s", (const char *)out.p);
    }
}

Test(when, shows_every_day_of_four_centuries_as_the_one_after_the_day_before)
{
    int32_t back = 0;
    for (int32_t day = -200000; day < 200000; day += 37) {
        struct buf out BUF_CLEANUP = {0};
        when_put_day(&out, day);
        cr_assert_eq(out.n, 10);
        cr_assert_eq(when_read_day(buf_bytes(&out), &back), OK);
        cr_assert_eq(back, day);
    }
    const int32_t far[] = {INT32_MIN, INT32_MAX, -719163, 2932897};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct buf out BUF_CLEANUP = {0};
        when_put_day(&out, far[i]);
        cr_assert_eq(out.p[out.n - 1], 'd');
        cr_assert_eq(when_read_day(buf_bytes(&out), &back), OK);
        cr_assert_eq(back, far[i]);
    }
}

static void expect_amount(const char *text, int64_t minor, const char *again)
{
    int64_t got = -1;
    cr_assert_eq(when_read_amount(bytes_of_text(text), &got), OK, "%s", text);
    cr_assert_eq(got, minor);
    struct buf out BUF_CLEANUP = {0};
    when_put_amount(&out, got);
    cr_assert_str_eq(shown(&out), again);
}

Test(when, reads_amounts_with_at_most_two_decimals)
{
    expect_amount("1200", 120000, "1200");
    expect_amount("1200.5", 120050, "1200.50");
    expect_amount("0.01", 1, "0.01");
    expect_amount("0", 0, "0");
    expect_amount("92233720368547758.07", INT64_MAX, "92233720368547758.07");
    const char *const wrong[] = {"",   "-1", "1.", ".5", "1.001", "1,000", "92233720368547758.08",
                                 "1e3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t got;
        cr_assert_eq(when_read_amount(bytes_of_text(wrong[i]), &got), ERR_MALFORMED, "%s",
                     wrong[i]);
    }
}

Test(when, reads_degrees_within_their_range)
{
    int32_t e7 = 0;
    cr_assert_eq(when_read_degrees(bytes_of_text("-0.0158"), 180, &e7), OK);
    cr_assert_eq(e7, -158000);
    struct buf out BUF_CLEANUP = {0};
    when_put_degrees(&out, e7);
    cr_assert_str_eq(shown(&out), "-0.0158");
    cr_assert_eq(when_read_degrees(bytes_of_text("180"), 180, &e7), OK);
    cr_assert_eq(e7, 1800000000);
    cr_assert_eq(when_read_degrees(bytes_of_text("90.0000001"), 90, &e7), ERR_MALFORMED);
    cr_assert_eq(when_read_degrees(bytes_of_text("1.00000001"), 90, &e7), ERR_MALFORMED);
    cr_assert_eq(when_read_degrees(bytes_of_text("--1"), 90, &e7), ERR_MALFORMED);
}
