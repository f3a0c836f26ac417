#include "daemon/export_columns.h"

#include <inttypes.h>
#include <string.h>

// --- cells ---

// What stands between several values, so no value that is one of several has a single bar.
static const char between[] = " | ";

static void put_doubled(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        buf_put_u8(out, text.p[i]);
        if (text.p[i] == '|')
            buf_put_u8(out, '|');
    }
}

static void put_field(const struct export_column *column, const struct export_row *row,
                      struct buf *out)
{
    const struct export_field *field = export_row_field(row, column->field->number);
    struct buf one BUF_CLEANUP = {0};
    for (size_t i = 0; field && i < field->n; i++) {
        buf_reset(&one);
        export_put_value(&one, field->schema, &field->values[i]);
        buf_put_text(out, i ? between : "");
        if (field->schema->set || field->tension)
            put_doubled(out, buf_bytes(&one));
        else
            buf_put(out, buf_bytes(&one));
        if (one.err && !out->err)
            out->err = one.err;
    }
}

static void put_kind(const struct export_column *column, const struct export_row *row,
                     struct buf *out)
{
    (void)column;
    buf_put_text(out, row->kind->name);
}

static void put_id(const struct export_column *column, const struct export_row *row,
                   struct buf *out)
{
    (void)column;
    buf_put_text(out, row->id);
}

static void put_joined(const struct export_column *column, const struct export_row *row,
                       struct buf *out)
{
    (void)column;
    buf_put_text(out, row->joined);
}

static void put_first(const struct export_column *column, const struct export_row *row,
                      struct buf *out)
{
    (void)column;
    export_put_time(out, row->first);
}

static void put_last(const struct export_column *column, const struct export_row *row,
                     struct buf *out)
{
    (void)column;
    export_put_time(out, row->last);
}

static void put_subject(const struct export_column *column, const struct export_row *row,
                        struct buf *out)
{
    (void)column;
    for (size_t i = 0; i < row->subjects_n; i++) {
        buf_put_text(out, i ? between : "");
        export_put_ref(out, row->subjects[i].kind, row->subjects[i].id);
    }
}

static void put_code(const struct export_column *column, const struct export_row *row,
                     struct buf *out)
{
    struct place place;
    (void)column;
    if (export_row_place(row, &place))
        buf_put(out, place.code);
}

static void put_latitude(const struct export_column *column, const struct export_row *row,
                         struct buf *out)
{
    struct place place;
    (void)column;
    if (export_row_place(row, &place) && place.has_latitude && place.has_longitude)
        export_put_degrees(out, place.latitude);
}

static void put_longitude(const struct export_column *column, const struct export_row *row,
                          struct buf *out)
{
    struct place place;
    (void)column;
    if (export_row_place(row, &place) && place.has_latitude && place.has_longitude)
        export_put_degrees(out, place.longitude);
}

static void put_tension(const struct export_column *column, const struct export_row *row,
                        struct buf *out)
{
    const char *before = "";
    (void)column;
    for (size_t i = 0; i < row->fields_n; i++) {
        if (!row->fields[i].tension)
            continue;
        buf_put_format(out, "%s%s", before, row->fields[i].schema->name);
        before = between;
    }
}

static void put_count(const struct export_row *row, uint32_t count, struct buf *out)
{
    if (row->tally.for_ + row->tally.against + row->tally.unsure > 0)
        buf_put_format(out, "%" PRIu32, count);
}

static void put_for(const struct export_column *column, const struct export_row *row,
                    struct buf *out)
{
    (void)column;
    put_count(row, row->tally.for_, out);
}

static void put_against(const struct export_column *column, const struct export_row *row,
                        struct buf *out)
{
    (void)column;
    put_count(row, row->tally.against, out);
}

static void put_unsure(const struct export_column *column, const struct export_row *row,
                       struct buf *out)
{
    (void)column;
    put_count(row, row->tally.unsure, out);
}

// --- columns ---

static const struct export_column before[] = {
    {"kind", false, NULL, put_kind},        {"id", false, NULL, put_id},
    {"joined_id", false, NULL, put_joined}, {"first_said", false, NULL, put_first},
    {"last_said", false, NULL, put_last},
};

static const struct export_column of_place[] = {
    {"place_code", false, NULL, put_code},
    {"latitude", true, NULL, put_latitude},
    {"longitude", true, NULL, put_longitude},
};

static const struct export_column after[] = {
    {"tension", false, NULL, put_tension},
    {"voices_for", true, NULL, put_for},
    {"voices_against", true, NULL, put_against},
    {"voices_unsure", true, NULL, put_unsure},
};

static size_t add(struct export_column *columns, size_t n, const struct export_column *more,
                  size_t more_n)
{
    memcpy(columns + n, more, more_n * sizeof *more);
    return n + more_n;
}

// As sync/given.h and sync/mask.h leave them.
static bool is_given(const struct schema_field *field, bool masked)
{
    return field->number != FIELD_SPEAKER && field->number != FIELD_CONSENT &&
           !(masked && field->number == FIELD_SENSITIVITY);
}

size_t export_columns(uint32_t kind, bool masked, struct export_column columns[EXPORT_COLUMNS_MAX])
{
    const struct schema_kind *known = schema_kind(kind);
    size_t n = add(columns, 0, before, sizeof before / sizeof *before);
    if (known->derived)
        columns[n++] = (struct export_column){"subject", false, NULL, put_subject};
    for (size_t i = 0; i < known->fields_n; i++) {
        const struct schema_field *field = &known->fields[i];
        if (!is_given(field, masked))
            continue;
        columns[n++] = (struct export_column){field->name, false, field, put_field};
        if (field->number == FIELD_PLACE)
            n = add(columns, n, of_place, sizeof of_place / sizeof *of_place);
    }
    return add(columns, n, after, sizeof after / sizeof *after);
}

void export_put_hxl(const struct export_column *column, struct buf *out)
{
    static const char *const tags[][2] = {
        {"id", "#meta+id"},
        {"joined_id", "#meta+id+joined"},
        {"first_said", "#date+start"},
        {"last_said", "#date+updated"},
        {"words", "#description"},
        {"title", "#description+title"},
        {"place", "#loc+name"},
        {"place_code", "#loc+code"},
        {"latitude", "#geo+lat"},
        {"longitude", "#geo+lon"},
        {"category", "#sector+name"},
        {"affected", "#affected+name"},
        {"urgency", "#severity"},
        {"amount", "#value"},
        {"currency", "#currency"},
        {"due", "#date+due"},
        {"happened", "#date+occurred"},
        {"state", "#status"},
        {"party", "#org+id"},
        {"voices_for", "#indicator+num+voices+for"},
        {"voices_against", "#indicator+num+voices+against"},
        {"voices_unsure", "#indicator+num+voices+unsure"},
    };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (strcmp(tags[i][0], column->name) == 0) {
            buf_put_text(out, tags[i][1]);
            return;
        }
    }
    buf_put_format(out, "#meta+%s", column->name);
}
