#include "client/command/tidy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command/instant.h"
#include "client/command/numbers.h"

enum { TIDY_BYTES = 400 };

static const char *keep(struct arena *arena, const char *made, const char *text)
{
    struct bytes copy = arena_copy(arena, bytes_of(made, strlen(made) + 1));
    return copy.p ? (const char *)copy.p : text;
}

// --- times and days ---

// Numbers of seconds (9 or 10 digits) and milliseconds (12 or 13) since 1970.
static bool read_epoch(const char *text, int64_t *ms)
{
    size_t n = strspn(text, "0123456789");
    if (text[n] || n < 9 || n > 13 || n == 11)
        return false;
    *ms = strtoll(text, NULL, 10) * (n < 11 ? 1000 : 1);
    return true;
}

// "14:05", "2:05:30 PM", with nothing behind it.
static bool read_clock(const char *text, int clock[3])
{
    clock[2] = 0;
    if (!numbers_digits(&text, 2, &clock[0]) || *text++ != ':' ||
        !numbers_digits(&text, 2, &clock[1]))
        return false;
    if (*text == ':') {
        text++;
        if (!numbers_digits(&text, 2, &clock[2]))
            return false;
    }
    text += strspn(text, " ");
    bool pm = strcmp(text, "PM") == 0 || strcmp(text, "pm") == 0;
    bool am = strcmp(text, "AM") == 0 || strcmp(text, "am") == 0;
    if ((*text && !pm && !am) || ((pm || am) && (clock[0] < 1 || clock[0] > 12)))
        return false;
    if (pm && clock[0] < 12)
        clock[0] += 12;
    else if (am && clock[0] == 12)
        clock[0] = 0;
    return true;
}

static bool is_between(const char **text)
{
    bool between = **text == '/' || **text == '.' || **text == '-';
    *text += between;
    return between;
}

// "3/12/2026", "03.12.2026 14:05", "3/12/2026 2:05 PM".
static bool read_slashed(const char *text, enum mapping_dates dates, char out[TIDY_BYTES])
{
    int first, second, year, clock[3];
    if (dates == DATES_ISO || !numbers_digits(&text, 2, &first) || !is_between(&text) ||
        !numbers_digits(&text, 2, &second) || !is_between(&text) ||
        !numbers_digits(&text, 4, &year) || year < 1000)
        return false;
    int day = dates == DATES_DAY_FIRST ? first : second;
    int month = dates == DATES_DAY_FIRST ? second : first;
    int n = snprintf(out, TIDY_BYTES, "%04d-%02d-%02d", year, month, day);
    text += strspn(text, " ");
    if (!*text)
        return true;
    if (!read_clock(text, clock))
        return false;
    snprintf(out + n, TIDY_BYTES - (size_t)n, "T%02d:%02d:%02d", clock[0], clock[1], clock[2]);
    return true;
}

static const char *tidy_time(const char *text, const struct mapping *mapping, struct arena *arena)
{
    char made[TIDY_BYTES];
    int64_t ms;
    if (read_epoch(text, &ms)) {
        instant_print_utc(ms, made);
        text = keep(arena, made, text);
    } else if (read_slashed(text, mapping->dates, made)) {
        text = keep(arena, made, text);
    }
    // What a spreadsheet makes of an empty date.
    return instant_parse(text, &ms) && ms == 0 ? "" : text;
}

// Of a time only the day, as it is written: no zone is reckoned in.
static const char *tidy_day(const char *text, const struct mapping *mapping, struct arena *arena)
{
    int64_t ms;
    char day[11];
    text = tidy_time(text, mapping, arena);
    if (strlen(text) < sizeof(day) || !instant_parse(text, &ms))
        return text;
    snprintf(day, sizeof(day), "%s", text);
    return keep(arena, day, text);
}

// --- amounts ---

static bool is_currency_sign(const char *text, size_t *n)
{
    static const char *const signs[] = {"£", "€", "$"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        *n = strlen(signs[i]);
        if (strncmp(text, signs[i], *n) == 0)
            return true;
    }
    return false;
}

// "£1,200.50", "9999.9999999999": without sign and separators, in hundredths.
static const char *tidy_amount(const char *text, struct arena *arena)
{
    char plain[40];
    char made[TIDY_BYTES];
    size_t n = 0, sign;
    char *end;
    const char *at = text;
    if (is_currency_sign(at, &sign))
        at += sign;
    for (; *at && n + 1 < sizeof(plain); at++) {
        if (*at != ',' && *at != ' ')
            plain[n++] = *at;
    }
    plain[n] = 0;
    double v = strtod(plain, &end);
    if (*at || *end || n == 0 || !isdigit((unsigned char)plain[0]) || v > 1e15)
        return text;
    snprintf(made, sizeof(made), "%.2f", v);
    n = strlen(made);
    if (strcmp(made + n - 3, ".00") == 0)
        made[n - 3] = 0;
    return keep(arena, made, text);
}

// --- points ---

static size_t place_of(const struct cells *cells, enum column_use use, const char *name)
{
    size_t i = 0;
    for (; i < cells->columns->n; i++) {
        const struct column *column = &cells->columns->list[i];
        if (column->use == use && (!name || strcmp(column->name, name) == 0))
            break;
    }
    return i;
}

// Adds a text to a list's or name's cell, if there is one.
static void append(struct cells *cells, size_t i, const char *between, const char *text,
                   struct arena *arena)
{
    if (i == cells->columns->n)
        return;
    const char *before = cells->text[i];
    size_t n = strlen(before) + strlen(between) + strlen(text) + 1;
    char *made = arena_alloc(arena, n, 1);
    if (!made)
        return;
    snprintf(made, n, "%s%s%s", before, before[0] ? between : "", text);
    cells->text[i] = made;
}

// Six places are 11 cm; without zeros at the end, as the library writes it.
static int put_degrees(char *out, size_t n, double v)
{
    int m = snprintf(out, n, "%.6f", v);
    while (m > 0 && out[m - 1] == '0')
        out[--m] = 0;
    if (m > 0 && out[m - 1] == '.')
        out[--m] = 0;
    return strcmp(out, "-0") == 0 ? snprintf(out, n, "0") : m;
}

static bool is_within(const struct area *area, double latitude, double longitude)
{
    return latitude >= area->south && latitude <= area->north && longitude >= area->west &&
           longitude <= area->east;
}

static void tidy_point(struct cells *cells, const struct mapping *mapping, struct arena *arena,
                       bool *odd)
{
    size_t at = place_of(cells, COLUMN_PLACE_POINT, NULL);
    if (at == cells->columns->n || !cells->text[at][0])
        return;
    const char *text = cells->text[at];
    double at_point[2] = {0, 0};
    bool numbers = numbers_read(text, at_point, 2);
    double latitude = at_point[0], longitude = at_point[1];
    bool point =
        numbers && latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180;
    *odd = !point || (mapping->has_area && !is_within(&mapping->area, latitude, longitude));
    if (point) {
        char made[TIDY_BYTES];
        int n = put_degrees(made, sizeof(made), latitude);
        made[n++] = ',';
        put_degrees(made + n, sizeof(made) - (size_t)n, longitude);
        cells->text[at] = keep(arena, made, text);
    } else {
        append(cells, place_of(cells, COLUMN_PLACE, NULL), ", ", text, arena);
        cells->text[at] = "";
    }
    if (*odd)
        append(cells, place_of(cells, COLUMN_FIELD, "category"), ";", mapping->odd, arena);
}

void tidy_cells(struct cells *cells, const struct mapping *mapping, struct arena *arena, bool *odd)
{
    static const char *const days[] = {"due", "happened"};
    static const char *const amounts[] = {"amount", "cost_low", "cost_high"};
    *odd = false;
    for (size_t i = 0; i < cells->columns->n; i++) {
        const struct column *column = &cells->columns->list[i];
        if (column->use == COLUMN_TIME || strcmp(column->name, "keep_until") == 0)
            cells->text[i] = tidy_time(cells->text[i], mapping, arena);
        for (size_t k = 0; k < sizeof(days) / sizeof(days[0]); k++) {
            if (strcmp(column->name, days[k]) == 0)
                cells->text[i] = tidy_day(cells->text[i], mapping, arena);
        }
        for (size_t k = 0; k < sizeof(amounts) / sizeof(amounts[0]); k++) {
            if (strcmp(column->name, amounts[k]) == 0)
                cells->text[i] = tidy_amount(cells->text[i], arena);
        }
    }
    tidy_point(cells, mapping, arena, odd);
}
