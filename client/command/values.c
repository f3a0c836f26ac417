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
static enum folkmoot_code add_place(struct values *values, const struct cells *cells,
                                    struct folkmoot_error *error)
{
    const char *name = cells_special(cells, COLUMN_PLACE);
    const char *code = cells_special(cells, COLUMN_PLACE_CODE);
    const char *point = cells_special(cells, COLUMN_PLACE_POINT);
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

static enum folkmoot_code add_fields(struct values *values, const struct cells *cells,
                                     const char *kind, struct folkmoot_error *error)
{
    const struct columns *columns = cells->columns;
    enum folkmoot_code code = FOLKMOOT_OK;
    for (size_t i = 0; i < columns->n && code == FOLKMOOT_OK; i++) {
        if (columns->list[i].use == COLUMN_FIELD)
            code = add_field(values, kind, columns->list[i].name, cells->text[i], error);
    }
    return code;
}

enum folkmoot_code values_read(struct values *values, struct app *app, const struct cells *cells,
                               const char *kind, struct folkmoot_error *error)
{
    arena_init(&values->arena, VALUES_BYTES_MAX);
    const char *party = cells_special(cells, COLUMN_PARTY);
    enum folkmoot_code code = add_about(values, app, cells_special(cells, COLUMN_ABOUT), error);
    if (code == FOLKMOOT_OK && party[0] && !puts_kind_has(kind, "party"))
        code = refuse(error, "a %s has no party", kind);
    if (code == FOLKMOOT_OK && party[0])
        code = add_party(values, app, party, error);
    if (code == FOLKMOOT_OK)
        code = add_place(values, cells, error);
    if (code == FOLKMOOT_OK)
        code = add_fields(values, cells, kind, error);
    if (code == FOLKMOOT_OK && values->n == 0)
        code = refuse(error, "the row says nothing");
    return code;
}

void values_done(struct values *values)
{
    arena_done(&values->arena);
}
