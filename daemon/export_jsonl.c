// JSON lines: one record a line, with all that is for the reader.

#include "daemon/export_json.h"

static cJSON *subjects(const struct export_row *row, enum err *err)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < row->subjects_n; i++) {
        struct buf text BUF_CLEANUP = {0};
        export_put_ref(&text, row->subjects[i].kind, row->subjects[i].id);
        buf_put_u8(&text, 0);
        cJSON *item = text.err ? NULL : cJSON_CreateString((const char *)text.p);
        if (!cJSON_AddItemToArray(list, item) && !*err)
            *err = ERR_NOMEM;
    }
    return list;
}

// One value, or of a set all.
static cJSON *field_item(const struct export_field *field, enum err *err)
{
    if (!field->schema->set)
        return export_json_value(field->schema, &field->values[0], err);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < field->n; i++) {
        cJSON *item = export_json_value(field->schema, &field->values[i], err);
        if (!cJSON_AddItemToArray(list, item) && !*err)
            *err = ERR_NOMEM;
    }
    return list;
}

static cJSON *side(const struct export_field *field, const struct export_value *value,
                   enum err *err)
{
    cJSON *item = cJSON_CreateObject();
    export_json_add(item, "value", export_json_value(field->schema, value, err), err);
    export_json_add_time(item, "said", value->time, err);
    if (value->device.n) {
        struct buf hex BUF_CLEANUP = {0};
        for (size_t i = 0; i < value->device.n; i++)
            buf_put_format(&hex, "%02x", value->device.p[i]);
        export_json_add_text(item, "device", buf_bytes(&hex), err);
    }
    return item;
}

static cJSON *sides(const struct export_field *field, enum err *err)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < field->n; i++) {
        if (!cJSON_AddItemToArray(list, side(field, &field->values[i], err)) && !*err)
            *err = ERR_NOMEM;
    }
    return list;
}

static cJSON *voices(const struct tally *tally, enum err *err)
{
    cJSON *object = cJSON_CreateObject();
    export_json_add(object, "for", cJSON_CreateNumber(tally->for_), err);
    export_json_add(object, "against", cJSON_CreateNumber(tally->against), err);
    export_json_add(object, "unsure", cJSON_CreateNumber(tally->unsure), err);
    return object;
}

static enum err put(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena)
{
    enum err err = OK;
    cJSON *line = cJSON_CreateObject();
    cJSON *fields = cJSON_CreateObject();
    cJSON *tensions = cJSON_CreateObject();
    (void)arena;
    export_json_add_text(line, "kind", bytes_of_text(row->kind->name), &err);
    export_json_add_text(line, "id", bytes_of_text(row->id), &err);
    export_json_add_text(line, "joined_id", bytes_of_text(row->joined), &err);
    export_json_add_time(line, "first_said", row->first, &err);
    export_json_add_time(line, "last_said", row->last, &err);
    if (row->subjects_n)
        export_json_add(line, "subject", subjects(row, &err), &err);
    for (size_t i = 0; i < row->fields_n; i++) {
        const struct export_field *field = &row->fields[i];
        export_json_add(fields, field->schema->name, field_item(field, &err), &err);
        if (field->tension)
            export_json_add(tensions, field->schema->name, sides(field, &err), &err);
    }
    export_json_add(line, "fields", fields, &err);
    export_json_add(line, "tensions", tensions, &err);
    if (row->tally.for_ + row->tally.against + row->tally.unsure > 0)
        export_json_add(line, "voices", voices(&row->tally, &err), &err);
    err = export_json_write(writing, line, err);
    export_write(writing, bytes_of_text("\n"));
    writing->rows++;
    return err;
}

const struct export_format export_jsonl = {
    .name = "jsonl",
    .begin = export_nothing,
    .put = put,
    .end = export_nothing,
    .done = export_nothing_done,
};
