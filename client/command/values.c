#include "client/command/values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { VALUES_BYTES_MAX = 1 << 20 };

static enum folkmoot_code refuse(struct folkmoot_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum folkmoot_code refuse(struct folkmoot_error *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof(error->text), format, list);
    va_end(list);
    error->code = FOLKMOOT_INVALID;
    return error->code;
}

// --- cells ---

// The next part of a cell; n is 0 at the end.
static struct bytes next_part(const char **cell)
{
    static const char around[] = " \t\n\r;";
    const char *begin = *cell + strspn(*cell, around);
    size_t n = strcspn(begin, ";");
    *cell = begin + n;
    while (n && strchr(around, begin[n - 1]))
        n--;
    return bytes_of(begin, n);
}

bool values_next(const char **cell, char *part, size_t n)
{
    struct bytes next = next_part(cell);
    snprintf(part, n, "%.*s", (int)next.n, (const char *)next.p);
    return next.n > 0;
}

// --- adding ---

static enum folkmoot_code add(struct values *values, const char *field, const char *text,
                              struct folkmoot_error *error)
{
    if (values->n == PUTS_MAX)
        return refuse(error, "the row has more than %d values", PUTS_MAX);
    if (!text)
        return refuse(error, "the row is too long");
    values->list[values->n++] = (struct folkmoot_put){field, text};
    return FOLKMOOT_OK;
}

static enum folkmoot_code add_copy(struct values *values, const char *field, struct bytes text,
                                   struct folkmoot_error *error)
{
    char *copy = arena_alloc(&values->arena, text.n + 1, 1);
    if (copy)
        memcpy(copy, text.p, text.n);
    return add(values, field, copy, error);
}

enum folkmoot_code values_add_id(struct values *values, const char *field, const uint8_t *id,
                                 struct folkmoot_error *error)
{
    char hex[REF_ID_DIGITS + 1];
    ref_hex(id, hex);
    return add_copy(values, field, bytes_of_text(hex), error);
}

static enum folkmoot_code add_parts(struct values *values, const char *field, const char *cell,
                                    struct folkmoot_error *error)
{
    enum folkmoot_code code = FOLKMOOT_OK;
    struct bytes part;
    while (code == FOLKMOOT_OK && (part = next_part(&cell)).n > 0)
        code = add_copy(values, field, part, error);
    return code;
}

// --- the special columns ---

static enum folkmoot_code add_about(struct values *values, struct app *app, const char *cell,
                                    struct folkmoot_error *error)
{
    char part[VALUES_REFERENCE_BYTES];
    char text[REF_TEXT_BYTES];
    enum folkmoot_code code = FOLKMOOT_OK;
    while (code == FOLKMOOT_OK && values_next(&cell, part, sizeof(part))) {
        struct ref ref;
        code = ref_look(app, part, &ref, error);
        if (code != FOLKMOOT_OK)
            return code;
        ref_text(ref.kind, ref.id, text);
        code = add_copy(values, "about", bytes_of_text(text), error);
    }
    return code;
}

static enum folkmoot_code add_party(struct values *values, struct app *app, const char *cell,
                                    struct folkmoot_error *error)
{
    struct ref ref;
    enum folkmoot_code code = ref_look(app, cell, &ref, error);
    if (code != FOLKMOOT_OK)
        return code;
    if (strcmp(ref.kind, "party") != 0)
        return refuse(error, "\"%.80s\" in the column party is a %s", cell, ref.kind);
    return values_add_id(values, "party", ref.id, error);
}

// "NAME|CODE|LAT,LON" of three columns, as far as they say anything.
static enum folkmoot_code add_place(struct values *values, const struct columns *columns,
                                    const struct table *table, size_t row,
                                    struct folkmoot_error *error)
{
    const char *name = columns_cell(columns, table, row, COLUMN_PLACE);
    const char *code = columns_cell(columns, table, row, COLUMN_PLACE_CODE);
    const char *point = columns_cell(columns, table, row, COLUMN_PLACE_POINT);
    struct buf BUF_CLEANUP text = {.max = VALUES_BYTES_MAX};
    if (!name[0] && !code[0] && !point[0])
        return FOLKMOOT_OK;
    // A whole place in one cell stands as it is.
    if ((code[0] || point[0]) && (strchr(name, '|') || strchr(code, '|')))
        return refuse(error, "a place's name and code have no \"|\"");
    buf_put_text(&text, name);
    if (code[0] || point[0])
        buf_put_format(&text, "|%s", code);
    if (point[0])
        buf_put_format(&text, "|%s", point);
    if (text.err)
        return refuse(error, "the place is too long");
    return add_copy(values, "place", buf_bytes(&text), error);
}

// --- a row ---

static enum folkmoot_code add_field(struct values *values, const char *kind, const char *field,
                                    const char *cell, struct folkmoot_error *error)
{
    if (!cell[0])
        return FOLKMOOT_OK;
    if (!puts_kind_has(kind, field))
        return refuse(error, "a %s has no %s", kind, field);
    return puts_is_list(field) ? add_parts(values, field, cell, error)
                               : add(values, field, cell, error);
}

static enum folkmoot_code add_fields(struct values *values, const struct columns *columns,
                                     const struct table *table, size_t row, const char *kind,
                                     struct folkmoot_error *error)
{
    enum folkmoot_code code = FOLKMOOT_OK;
    for (size_t i = 0; i < columns->n && code == FOLKMOOT_OK; i++) {
        if (columns->list[i].use == COLUMN_FIELD)
            code = add_field(values, kind, columns->list[i].name, table_cell(table, row, i), error);
    }
    return code;
}

enum folkmoot_code values_read(struct values *values, struct app *app,
                               const struct columns *columns, const struct table *table, size_t row,
                               const char *kind, struct folkmoot_error *error)
{
    arena_init(&values->arena, VALUES_BYTES_MAX);
    const char *party = columns_cell(columns, table, row, COLUMN_PARTY);
    enum folkmoot_code code =
        add_about(values, app, columns_cell(columns, table, row, COLUMN_ABOUT), error);
    if (code == FOLKMOOT_OK && party[0] && !puts_kind_has(kind, "party"))
        code = refuse(error, "a %s has no party", kind);
    if (code == FOLKMOOT_OK && party[0])
        code = add_party(values, app, party, error);
    if (code == FOLKMOOT_OK)
        code = add_place(values, columns, table, row, error);
    if (code == FOLKMOOT_OK)
        code = add_fields(values, columns, table, row, kind, error);
    if (code == FOLKMOOT_OK && values->n == 0)
        code = refuse(error, "the row says nothing");
    return code;
}

void values_done(struct values *values)
{
    arena_done(&values->arena);
}

// --- what is new ---

// Two numbers that are one ("800", "800.00"), or equal texts.
static bool same_word(struct bytes a, struct bytes b)
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
    return !*one_end && !*other_end && !(x < y) && !(x > y);
}

// The same value, also where the library writes a number otherwise than the table does.
static bool same_text(const char *a, const char *b)
{
    static const char between[] = "|,";
    for (;;) {
        size_t n = strcspn(a, between);
        size_t m = strcspn(b, between);
        if (a[n] != b[m] || !same_word(bytes_of(a, n), bytes_of(b, m)))
            return false;
        if (!a[n])
            return true;
        a += n + 1;
        b += m + 1;
    }
}

static bool is_live(const struct folkmoot_record *record, const struct folkmoot_put *put)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        if (strcmp(field->name, put->field) != 0)
            continue;
        for (size_t k = 0; k < field->values_n; k++) {
            if (same_text(field->values[k].text, put->value))
                return true;
        }
    }
    return false;
}

// Whether this device said it once and another one went over that. Where the words are gone from
// here, it may have been.
static bool was_gone_over(const struct folkmoot_record *record, const struct folkmoot_put *put,
                          const uint8_t *device, size_t n)
{
    for (size_t i = 0; i < record->past_n; i++) {
        const struct folkmoot_past *past = &record->past[i];
        bool by_other =
            memcmp(past->device, device, n) == 0 && memcmp(past->by_device, device, n) != 0;
        if (by_other && strcmp(past->field, put->field) == 0 &&
            (!past->text || same_text(past->text, put->value)))
            return true;
    }
    return false;
}

enum folkmoot_code values_keep_news(struct values *values, struct app *app, const char *kind,
                                    const uint8_t *id, struct folkmoot_error *error)
{
    struct folkmoot_record record;
    const uint8_t *device = app->community.device;
    size_t n = sizeof(app->community.device);
    enum folkmoot_code code =
        folkmoot_record_get(app->fm, kind, id, FOLKMOOT_WHOLE, &record, error);
    if (code == FOLKMOOT_NOT_FOUND)
        return FOLKMOOT_OK;
    if (code != FOLKMOOT_OK)
        return code;
    size_t kept = 0;
    for (size_t i = 0; i < values->n; i++) {
        const struct folkmoot_put *put = &values->list[i];
        if (!is_live(&record, put) && !was_gone_over(&record, put, device, n))
            values->list[kept++] = *put;
    }
    values->n = kept;
    folkmoot_record_done(&record);
    return FOLKMOOT_OK;
}
