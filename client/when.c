#include "client/when.h"

#include <inttypes.h>

enum { DAY_MS = 86400000 };

// A reader over text; every step fails for good once something did not fit.
struct scan {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static struct scan scan_of(struct bytes text)
{
    return (struct scan){text.p, text.p ? text.p + text.n : text.p, false};
}

static bool scan_done(const struct scan *scan)
{
    return !scan->bad && scan->p == scan->end;
}

static bool scan_try(struct scan *scan, char c)
{
    if (scan->bad || scan->p == scan->end || *scan->p != (uint8_t)c)
        return false;
    scan->p++;
    return true;
}

static void scan_want(struct scan *scan, char c)
{
    if (!scan_try(scan, c))
        scan->bad = true;
}

static bool scan_at_digit(const struct scan *scan)
{
    return !scan->bad && scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9';
}

// Digits, between min and max of them; *count (may be NULL) says how many.
static int64_t scan_digits(struct scan *scan, unsigned min, unsigned max, unsigned *count)
{
    int64_t v = 0;
    unsigned n = 0;
    while (n < max && scan_at_digit(scan)) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *scan->p - '0', &v)) {
            scan->bad = true;
            return 0;
        }
        scan->p++;
        n++;
    }
    if (n < min)
        scan->bad = true;
    if (count)
        *count = n;
    return scan->bad ? 0 : v;
}

// --- the calendar ---

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Days from 0001-01-01 to the first of January of a year from 1 on (proleptic Gregorian).
static int64_t days_before_year(int64_t year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

enum { EPOCH_DAYS = 719162 }; // from 0001-01-01 to 1970-01-01

static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t days = days_before_year(year) + day - 1 - EPOCH_DAYS;
    for (int64_t m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days;
}

// False outside the years 1 to 9999.
static bool put_date(struct buf *out, int64_t days)
{
    days += EPOCH_DAYS;
    if (days < 0 || days >= days_before_year(10000))
        return false;
    int64_t year = days / 366 + 1;
    while (days_before_year(year + 1) <= days)
        year++;
    days -= days_before_year(year);
    int64_t month = 1;
    for (; days >= days_in_month(year, month); month++)
        days -= days_in_month(year, month);
    buf_put_format(out, "%04d-%02d-%02d", (int)year, (int)month, (int)days + 1);
    return true;
}

static int64_t scan_date(struct scan *scan)
{
    int64_t year = scan_digits(scan, 4, 4, NULL);
    scan_want(scan, '-');
    int64_t month = scan_digits(scan, 2, 2, NULL);
    scan_want(scan, '-');
    int64_t day = scan_digits(scan, 2, 2, NULL);
    if (scan->bad || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month)) {
        scan->bad = true;
        return 0;
    }
    return days_of_date(year, month, day);
}

static int64_t scan_two(struct scan *scan, int64_t max)
{
    int64_t v = scan_digits(scan, 2, 2, NULL);
    if (v > max)
        scan->bad = true;
    return v;
}

static int64_t scan_fraction_ms(struct scan *scan)
{
    unsigned n = 0;
    int64_t v = scan_digits(scan, 1, 3, &n);
    for (; n < 3; n++)
        v *= 10;
    while (scan_at_digit(scan))
        scan->p++;
    return v;
}

// "Z" or an offset, in minutes.
static int64_t scan_zone(struct scan *scan)
{
    if (scan_try(scan, 'Z') || scan_try(scan, 'z'))
        return 0;
    int64_t sign = scan_try(scan, '-') ? -1 : 1;
    if (sign > 0)
        scan_want(scan, '+');
    int64_t hours = scan_two(scan, 23);
    scan_want(scan, ':');
    return sign * (hours * 60 + scan_two(scan, 59));
}

static int64_t scan_clock(struct scan *scan)
{
    int64_t ms = scan_two(scan, 23) * 3600000;
    scan_want(scan, ':');
    ms += scan_two(scan, 59) * 60000;
    if (scan_try(scan, ':')) {
        ms += scan_two(scan, 59) * 1000;
        if (scan_try(scan, '.'))
            ms += scan_fraction_ms(scan);
    }
    return ms - scan_zone(scan) * 60000;
}

// A bare number with its unit.
static bool read_bare(struct bytes text, const char *unit, int64_t *v)
{
    struct scan scan = scan_of(text);
    bool negative = scan_try(&scan, '-');
    // One digit less than int64 has, but for what was printed from its whole range.
    int64_t value = 0;
    unsigned n = 0;
    while (scan_at_digit(&scan)) {
        int digit = *scan.p++ - '0';
        n++;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    for (; *unit; unit++)
        scan_want(&scan, *unit);
    if (!scan_done(&scan) || n == 0 || (!negative && value == INT64_MIN))
        return false;
    *v = negative ? value : -value;
    return true;
}

enum err when_read_time(struct bytes text, int64_t *ms)
{
    if (read_bare(text, "ms", ms))
        return OK;
    struct scan scan = scan_of(text);
    int64_t v = scan_date(&scan) * DAY_MS;
    if (!scan_done(&scan)) {
        if (!scan_try(&scan, 'T') && !scan_try(&scan, 't'))
            scan_want(&scan, ' ');
        v += scan_clock(&scan);
    }
    if (!scan_done(&scan))
        return ERR_MALFORMED;
    *ms = v;
    return OK;
}

void when_put_time(struct buf *out, int64_t ms)
{
    int64_t days = ms / DAY_MS;
    int64_t rest = ms % DAY_MS;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    if (!put_date(out, days)) {
        buf_put_format(out, "%" PRId64 "ms", ms);
        return;
    }
    int seconds = (int)(rest / 1000);
    buf_put_format(out, "T%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (rest % 1000)
        buf_put_format(out, ".%03d", (int)(rest % 1000));
    buf_put_text(out, "Z");
}

enum err when_read_day(struct bytes text, int32_t *day)
{
    int64_t v;
    if (!read_bare(text, "d", &v)) {
        struct scan scan = scan_of(text);
        v = scan_date(&scan);
        if (!scan_done(&scan))
            return ERR_MALFORMED;
    }
    if (v < INT32_MIN || v > INT32_MAX)
        return ERR_MALFORMED;
    *day = (int32_t)v;
    return OK;
}

void when_put_day(struct buf *out, int32_t day)
{
    if (!put_date(out, day))
        buf_put_format(out, "%dd", day);
}

// --- numbers with decimals ---

// Digits, and after a point at most `decimals` more, as one whole number.
static enum err read_decimal(struct scan *scan, unsigned decimals, int64_t *v)
{
    int64_t whole = scan_digits(scan, 1, 19, NULL);
    int64_t fraction = 0;
    unsigned n = 0;
    if (scan_try(scan, '.'))
        fraction = scan_digits(scan, 1, decimals, &n);
    if (!scan_done(scan))
        return ERR_MALFORMED;
    for (unsigned i = 0; i < decimals; i++) {
        if (__builtin_mul_overflow(whole, 10, &whole))
            return ERR_MALFORMED;
        fraction *= i < n ? 1 : 10;
    }
    return __builtin_add_overflow(whole, fraction, v) ? ERR_MALFORMED : OK;
}

enum err when_read_amount(struct bytes text, int64_t *minor)
{
    struct scan scan = scan_of(text);
    return read_decimal(&scan, 2, minor);
}

void when_put_amount(struct buf *out, int64_t minor)
{
    if (minor < 0) // only from a faulty device; not read back
        buf_put_text(out, "-");
    uint64_t v = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;
    buf_put_format(out, "%" PRIu64, v / 100);
    if (v % 100)
        buf_put_format(out, ".%02d", (int)(v % 100));
}

enum err when_read_degrees(struct bytes text, int32_t degrees_max, int32_t *e7)
{
    struct scan scan = scan_of(text);
    bool negative = scan_try(&scan, '-');
    if (!negative)
        scan_try(&scan, '+');
    int64_t v;
    enum err err = read_decimal(&scan, 7, &v);
    if (err || v > (int64_t)degrees_max * 10000000)
        return ERR_MALFORMED;
    *e7 = (int32_t)(negative ? -v : v);
    return OK;
}

void when_put_degrees(struct buf *out, int32_t e7)
{
    int64_t v = e7 < 0 ? -(int64_t)e7 : e7;
    int64_t fraction = v % 10000000;
    int width = 7;
    for (; width > 1 && fraction % 10 == 0; width--)
        fraction /= 10;
    buf_put_format(out, "%s%" PRId64, e7 < 0 ? "-" : "", v / 10000000);
    if (v % 10000000)
        buf_put_format(out, ".%0*" PRId64, width, fraction);
}
