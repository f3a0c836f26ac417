#include "client/command/instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { YEAR_LEAST = 1970, YEAR_MOST = 9999 };

// Reads exactly `n` digits and moves *p behind them; -1 when there are none.
static int digits(const char **p, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++, ++*p) {
        if (**p < '0' || **p > '9')
            return -1;
        v = v * 10 + (**p - '0');
    }
    return v;
}

// A character, then two digits no greater than `most`.
static bool part(const char **p, char before, int most, int *v)
{
    if (**p != before)
        return false;
    ++*p;
    *v = digits(p, 2);
    return *v >= 0 && *v <= most;
}

static bool parse_date(const char **p, struct tm *tm)
{
    int year = digits(p, 4);
    if (year < YEAR_LEAST || year > YEAR_MOST || !part(p, '-', 12, &tm->tm_mon) ||
        !part(p, '-', 31, &tm->tm_mday))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon--;
    struct tm check = *tm;
    timegm(&check);
    return check.tm_mon == tm->tm_mon && check.tm_mday == tm->tm_mday;
}

// "Z", "+01:00", "-0330" is not one. *offset in seconds.
static bool parse_zone(const char **p, int *offset)
{
    *offset = 0;
    if (**p == 'Z') {
        ++*p;
        return true;
    }
    int hours, minutes;
    char sign = **p;
    if ((sign != '+' && sign != '-') || !part(p, sign, 14, &hours) || !part(p, ':', 59, &minutes))
        return false;
    *offset = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

// Digits behind the point, in thousandths: those that follow the third are left out.
static bool parse_fraction(const char **p, int *ms)
{
    int places = 0;
    for (++*p; **p >= '0' && **p <= '9'; ++*p, places++) {
        if (places < 3)
            *ms = *ms * 10 + (**p - '0');
    }
    for (int i = places; i < 3; i++)
        *ms *= 10;
    return places > 0;
}

static bool parse_clock(const char **p, struct tm *tm, int *ms)
{
    if ((**p != 'T' && **p != ' ') || !part(p, **p, 23, &tm->tm_hour) ||
        !part(p, ':', 59, &tm->tm_min))
        return false;
    if (**p != ':')
        return true;
    return part(p, ':', 59, &tm->tm_sec) && (**p != '.' || parse_fraction(p, ms));
}

bool instant_parse(const char *text, int64_t *ms)
{
    struct tm tm = {.tm_isdst = -1};
    const char *p = text;
    int offset = 0, fraction = 0;
    bool here = false;
    if (!parse_date(&p, &tm))
        return false;
    if (*p) {
        if (!parse_clock(&p, &tm, &fraction))
            return false;
        here = *p == 0;
        if (!here && (!parse_zone(&p, &offset) || *p))
            return false;
    }
    time_t seconds = here ? mktime(&tm) : timegm(&tm) - offset;
    *ms = (int64_t)seconds * 1000 + fraction;
    return true;
}

void instant_print(int64_t ms, char out[INSTANT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!localtime_r(&seconds, &tm) || strftime(out, INSTANT_BYTES, "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(out, INSTANT_BYTES, "%lld ms", (long long)ms);
}

void instant_print_utc(int64_t ms, char out[INSTANT_BYTES])
{
    int64_t rest = ms % 1000 < 0 ? ms % 1000 + 1000 : ms % 1000;
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm tm;
    char text[INSTANT_BYTES - 6];
    if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        snprintf(out, INSTANT_BYTES, "%lld ms", (long long)ms);
    else
        snprintf(out, INSTANT_BYTES, "%s.%03dZ", text, (int)rest);
}
