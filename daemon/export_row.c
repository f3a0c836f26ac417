#include "daemon/export_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "proto/change.h"
#include "sync/collect.h"

// --- values ---

struct sorting {
    const struct export_value *value;
    size_t at;
};

static int by_bytes(const void *a, const void *b)
{
    const struct sorting *x = a;
    const struct sorting *y = b;
    int order = bytes_compare(x->value->raw.whole, y->value->raw.whole);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
    const struct sorting *x = a;
    const struct sorting *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

// Leaves the first of each that are alike, in their order.
static enum err keep_distinct(struct export_field *field, struct arena *arena)
{
    struct sorting *sorting = arena_alloc(arena, field->n, sizeof *sorting);
    struct export_value *kept = arena_alloc(arena, field->n, sizeof *kept);
    if (!sorting || !kept)
        return ERR_NOMEM;
    for (size_t i = 0; i < field->n; i++)
        sorting[i] = (struct sorting){&field->values[i], i};
    qsort(sorting, field->n, sizeof *sorting, by_bytes);
    size_t n = 0;
    for (size_t i = 0; i < field->n; i++) {
        if (n == 0 || !bytes_equal(sorting[i].value->raw.whole, sorting[n - 1].value->raw.whole))
            sorting[n++] = sorting[i];
    }
    qsort(sorting, n, sizeof *sorting, by_place);
    for (size_t i = 0; i < n; i++)
        kept[i] = *sorting[i].value;
    field->values = kept;
    field->n = n;
    return OK;
}

// Of audiences the narrowest holds; one that is not known is narrow.
static uint64_t width(const struct export_value *value)
{
    return value->raw.value <= AUDIENCE_PUBLIC ? value->raw.value : 0;
}

static void put_narrowest_first(struct export_field *field)
{
    for (size_t i = 1; i < field->n; i++) {
        struct export_value value = field->values[i];
        if (width(&value) < width(&field->values[0])) {
            field->values[i] = field->values[0];
            field->values[0] = value;
        }
    }
}

static enum err make_field(uint32_t kind, const struct field_view *view, struct arena *arena,
                           struct export_field *field)
{
    field->schema = schema_field(kind, view->field);
    field->tension = view->tension;
    field->values = arena_alloc(arena, view->edits.n, sizeof *field->values);
    if (!field->values)
        return ERR_NOMEM;
    // The greatest rank stands last: it holds, and of a set all do.
    for (size_t i = 0; i < view->edits.n; i++) {
        size_t at = field->schema->set ? i : view->edits.n - 1 - i;
        const struct live_edit *edit = LIST_AT(struct live_edit, view->edits, at);
        struct export_value *value = &field->values[field->n];
        struct wire_reader reader = wire_reader(edit->edit);
        *value = (struct export_value){.time = edit->time, .device = edit->device};
        field->n += wire_next(&reader, &value->raw) == OK;
    }
    // Of a stance the last counts, and the earlier ones are history.
    if (field->n > 0 && !field->schema->set && !view->tension)
        field->n = 1;
    enum err err = field->n > 1 ? keep_distinct(field, arena) : OK;
    if (!err && view->field == FIELD_AUDIENCE)
        put_narrowest_first(field);
    return err;
}

static void note_times(struct export_row *row, const struct field_view *view)
{
    for (size_t i = 0; i < view->edits.n; i++) {
        int64_t time = LIST_AT(struct live_edit, view->edits, i)->time;
        row->first = time < row->first ? time : row->first;
        row->last = time > row->last ? time : row->last;
    }
}

static enum err make_fields(const struct record_view *view, struct arena *arena,
                            struct export_row *row)
{
    row->first = INT64_MAX;
    row->last = INT64_MIN;
    row->fields = arena_alloc(arena, view->fields.n, sizeof *row->fields);
    if (!row->fields)
        return ERR_NOMEM;
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        struct export_field *made = &row->fields[row->fields_n];
        enum err err = make_field(view->kind, field, arena, made);
        if (err)
            return err;
        row->fields_n += made->n > 0;
        note_times(row, field);
    }
    return OK;
}

static enum err make_subjects(const struct record_view *view, struct arena *arena,
                              struct export_row *row)
{
    if (view->parts.n == 0)
        return OK;
    row->subjects = arena_alloc(arena, view->parts.n, sizeof *row->subjects);
    if (!row->subjects)
        return ERR_NOMEM;
    for (size_t i = 0; i < view->parts.n; i++) {
        struct bytes part = *LIST_AT(struct bytes, view->parts, i);
        row->subjects[row->subjects_n++] =
            (struct ref){be32_get(part.p), bytes_of(part.p + 4, ID_SIZE)};
    }
    return OK;
}

enum err export_row_make(const struct given *given, struct arena *arena, struct export_row *row)
{
    const struct record_view *view = &given->view;
    *row = (struct export_row){.kind = schema_kind(view->kind)};
    text_hex(view->id, row->id);
    text_hex(given->joined, row->joined);
    if (view->tally)
        row->tally = *view->tally;
    enum err err = make_subjects(view, arena, row);
    return err ? err : make_fields(view, arena, row);
}

const struct export_field *export_row_field(const struct export_row *row, uint32_t number)
{
    for (size_t i = 0; i < row->fields_n; i++) {
        if (row->fields[i].schema->number == number)
            return &row->fields[i];
    }
    return NULL;
}

// --- texts ---

static void put_hex(struct buf *out, struct bytes bytes)
{
    char hex[2 * ID_SIZE + 1];
    if (bytes.n > ID_SIZE)
        return;
    text_hex(bytes, hex);
    buf_put_text(out, hex);
}

void export_put_ref(struct buf *out, uint32_t kind, struct bytes id)
{
    const struct schema_kind *known = schema_kind(kind);
    if (known)
        buf_put_text(out, known->name);
    else
        buf_put_format(out, "%" PRIu32, kind);
    buf_put_u8(out, ':');
    put_hex(out, id);
}

static void put_date(struct buf *out, int64_t seconds, struct tm *parts)
{
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, parts))
        buf_put_format(out, "%04d-%02d-%02d", parts->tm_year + 1900, parts->tm_mon + 1,
                       parts->tm_mday);
}

void export_put_time(struct buf *out, int64_t ms)
{
    struct tm parts = {0};
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    put_date(out, seconds, &parts);
    buf_put_format(out, "T%02d:%02d:%02dZ", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void put_day(struct buf *out, int32_t day)
{
    struct tm parts;
    put_date(out, (int64_t)day * 24 * 60 * 60, &parts);
}

static void put_amount(struct buf *out, uint64_t minor)
{
    buf_put_format(out, "%" PRIu64, minor / 100);
    if (minor % 100)
        buf_put_format(out, ".%02" PRIu64, minor % 100);
}

void export_put_degrees(struct buf *out, int32_t e7)
{
    int64_t size = e7 < 0 ? -(int64_t)e7 : e7;
    buf_put_format(out, "%s%" PRId64 ".%07" PRId64, e7 < 0 ? "-" : "", size / 10000000,
                   size % 10000000);
}

static void put_enum(struct buf *out, const struct schema_field *schema, uint64_t value)
{
    uint64_t i = 0;
    while (i < value && schema->values[i])
        i++;
    if (schema->values[i])
        buf_put_text(out, schema->values[i]);
    else
        buf_put_format(out, "%" PRIu64, value);
}

static void put_message(struct buf *out, const struct schema_field *schema, struct bytes bytes)
{
    struct ref ref = {0};
    struct place place = {0};
    if (schema->of == &ref_message && !message_decode(&ref_message, bytes, NULL, &ref, NULL))
        export_put_ref(out, ref.kind, ref.id);
    struct log_head head = {0};
    if (schema->of == &log_head_message &&
        !message_decode(&log_head_message, bytes, NULL, &head, NULL)) {
        put_hex(out, head.log);
        buf_put_format(out, "|%" PRIu64 "|", head.size);
        put_hex(out, head.root);
    }
    if (schema->of == &place_message && !message_decode(&place_message, bytes, NULL, &place, NULL))
        buf_put(out, place.name.n ? place.name : place.code);
}

void export_put_value(struct buf *out, const struct schema_field *schema,
                      const struct export_value *value)
{
    switch (schema->type) {
    case SCHEMA_TEXT:
        buf_put(out, value->raw.bytes);
        return;
    case SCHEMA_ID:
    case SCHEMA_HANDLE:
        put_hex(out, value->raw.bytes);
        return;
    case SCHEMA_ENUM:
        put_enum(out, schema, value->raw.value);
        return;
    case SCHEMA_TIME:
        export_put_time(out, (int64_t)value->raw.value);
        return;
    case SCHEMA_AMOUNT:
        put_amount(out, value->raw.value);
        return;
    case SCHEMA_DAY:
        put_day(out, (int32_t)wire_unzigzag(value->raw.value));
        return;
    case SCHEMA_BOOL:
        buf_put_text(out, value->raw.value ? "true" : "false");
        return;
    case SCHEMA_MESSAGE:
        put_message(out, schema, value->raw.bytes);
        return;
    }
}

bool export_row_place(const struct export_row *row, struct place *place)
{
    const struct export_field *field = export_row_field(row, FIELD_PLACE);
    *place = (struct place){0};
    return field &&
           message_decode(&place_message, field->values[0].raw.bytes, NULL, place, NULL) == OK;
}
