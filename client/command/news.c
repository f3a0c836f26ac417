#include "client/command/news.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/command/memo.h"

// Some 15 cm: tables of two years write one point with more or fewer digits.
static const double DEGREES_NEAR = 1.5e-6;

// Two numbers that are one ("800", "800.00"; two points with less than `near` between them), or
// equal texts.
static bool same_word(struct bytes a, struct bytes b, double near)
{
    char one[32], other[32];
    char *one_end, *other_end;
    if (bytes_equal(a, b))
        return true;
    if (a.n == 0 || b.n == 0 || a.n >= sizeof(one) || b.n >= sizeof(other))
        return false;
    snprintf(one, sizeof(one), "%.*s", (int)a.n, (const char *)a.p);
    snprintf(other, sizeof(other), "%.*s", (int)b.n, (const char *)b.p);
    double x = strtod(one, &one_end);
    double y = strtod(other, &other_end);
    double apart = x > y ? x - y : y - x;
    return !*one_end && !*other_end && apart <= near;
}

// The same value, also where the library writes a number otherwise than the table does.
static bool same_text(const char *field, const char *a, const char *b)
{
    static const char between[] = "|,";
    double near = strcmp(field, "place") == 0 ? DEGREES_NEAR : 0;
    for (;;) {
        size_t n = strcspn(a, between);
        size_t m = strcspn(b, between);
        if (a[n] != b[m] || !same_word(bytes_of(a, n), bytes_of(b, m), near))
            return false;
        if (!a[n])
            return true;
        a += n + 1;
        b += m + 1;
    }
}

static const struct folkmoot_field *field_of(const struct folkmoot_record *record, const char *name)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    }
    return NULL;
}

static bool is_live(const struct folkmoot_record *record, const struct folkmoot_put *put)
{
    const struct folkmoot_field *field = field_of(record, put->field);
    for (size_t i = 0; field && i < field->values_n; i++) {
        if (same_text(put->field, field->values[i].text, put->value))
            return true;
    }
    return false;
}

// --- what goes ---

// Whether the row speaks of this field; *says: whether with this value.
static bool speaks_of(const struct values *values, const char *field, const char *text, bool *says)
{
    bool any = false;
    *says = false;
    for (size_t i = 0; i < values->n; i++) {
        if (strcmp(values->list[i].field, field) != 0)
            continue;
        any = true;
        *says = *says || same_text(field, values->list[i].value, text);
    }
    return any;
}

static void add_news(struct news *news, const char *field, const char *was, const char *value)
{
    if (news->n < NEWS_MAX)
        news->list[news->n] = (struct folkmoot_correction){field, was, value};
    news->n++;
}

static void find_old(struct news *news, struct folkmoot *fm, const char *name,
                     const struct values *values)
{
    const struct folkmoot_record *record = &news->record;
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        for (size_t k = 0; k < field->values_n; k++) {
            const char *text = field->values[k].text;
            bool says;
            if (speaks_of(values, field->name, text, &says) && !says &&
                memo_has_value(fm, name, record->kind, field->name, text))
                add_news(news, field->name, text, NULL);
        }
    }
}

static void find_new(struct news *news, struct folkmoot *fm, const char *name, const char *kind,
                     const struct values *values, bool again)
{
    for (size_t i = 0; i < values->n; i++) {
        const struct folkmoot_put *put = &values->list[i];
        if (!is_live(&news->record, put) &&
            (again || !memo_has_value(fm, name, kind, put->field, put->value)))
            add_news(news, put->field, NULL, put->value);
    }
}

enum folkmoot_code news_find(struct news *news, struct folkmoot *fm, const char *name,
                             const char *kind, const uint8_t *id, const struct values *values,
                             bool again, struct folkmoot_error *error)
{
    enum folkmoot_code code =
        folkmoot_record_get(fm, kind, id, FOLKMOOT_BRIEF, &news->record, error);
    if (code != FOLKMOOT_OK && code != FOLKMOOT_NOT_FOUND)
        return code;
    if (code == FOLKMOOT_OK)
        find_old(news, fm, name, values);
    else
        news->record = (struct folkmoot_record){.fields_n = 0};
    find_new(news, fm, name, kind, values, again);
    if (news->n <= NEWS_MAX)
        return FOLKMOOT_OK;
    error->code = FOLKMOOT_INVALID;
    snprintf(error->text, sizeof(error->text), "more than %d values change at once", NEWS_MAX);
    return error->code;
}

enum folkmoot_code news_note(const struct news *news, struct folkmoot *fm, const char *name,
                             const char *kind, const uint8_t *id, struct folkmoot_error *error)
{
    struct values values = {.n = 0};
    enum folkmoot_code code = FOLKMOOT_OK;
    for (size_t i = 0; i < news->n && code == FOLKMOOT_OK; i++) {
        const struct folkmoot_correction *each = &news->list[i];
        if (each->was)
            code = memo_put_value(fm, name, kind, each->field, each->was, false, error);
        else if (values.n < PUTS_MAX)
            values.list[values.n++] = (struct folkmoot_put){each->field, each->value};
    }
    return code == FOLKMOOT_OK ? news_said(fm, name, kind, id, &values, error) : code;
}

static enum folkmoot_code note_said(struct folkmoot *fm, const char *name,
                                    const struct folkmoot_record *record,
                                    const struct folkmoot_put *put, struct folkmoot_error *error)
{
    const struct folkmoot_field *field = field_of(record, put->field);
    enum folkmoot_code code =
        memo_put_value(fm, name, record->kind, put->field, put->value, true, error);
    for (size_t i = 0; field && i < field->values_n && code == FOLKMOOT_OK; i++) {
        const char *text = field->values[i].text;
        if (strcmp(text, put->value) != 0 && same_text(put->field, text, put->value))
            code = memo_put_value(fm, name, record->kind, put->field, text, true, error);
    }
    return code;
}

enum folkmoot_code news_said(struct folkmoot *fm, const char *name, const char *kind,
                             const uint8_t *id, const struct values *values,
                             struct folkmoot_error *error)
{
    struct folkmoot_record record;
    if (values->n == 0)
        return FOLKMOOT_OK;
    enum folkmoot_code code = folkmoot_record_get(fm, kind, id, FOLKMOOT_BRIEF, &record, error);
    if (code != FOLKMOOT_OK)
        return code;
    for (size_t i = 0; i < values->n && code == FOLKMOOT_OK; i++)
        code = note_said(fm, name, &record, &values->list[i], error);
    folkmoot_record_done(&record);
    return code;
}

void news_done(struct news *news)
{
    folkmoot_record_done(&news->record);
}
