#include "daemon/export_json.h"

#include <string.h>

#include "base/text.h"

void export_json_add(cJSON *object, const char *name, cJSON *item, enum err *err)
{
    if (!*err && item && cJSON_AddItemToObject(object, name, item))
        return;
    cJSON_Delete(item);
    if (!*err)
        *err = ERR_NOMEM;
}

// Ends the text, which has no zero byte in it.
static const char *ended(struct buf *text, enum err *err)
{
    buf_put_u8(text, 0);
    if (text->err && !*err)
        *err = text->err;
    return text->err ? "" : (const char *)text->p;
}

static cJSON *text_item(struct buf *text, enum err *err)
{
    return cJSON_CreateString(ended(text, err));
}

void export_json_add_text(cJSON *object, const char *name, struct bytes text, enum err *err)
{
    struct buf copy BUF_CLEANUP = {0};
    buf_put(&copy, text);
    export_json_add(object, name, text_item(&copy, err), err);
}

void export_json_add_number(cJSON *object, const char *name, struct bytes text, enum err *err)
{
    struct buf copy BUF_CLEANUP = {0};
    buf_put(&copy, text);
    export_json_add(object, name, cJSON_CreateRaw(ended(&copy, err)), err);
}

void export_json_add_time(cJSON *object, const char *name, int64_t ms, enum err *err)
{
    struct buf text BUF_CLEANUP = {0};
    export_put_time(&text, ms);
    export_json_add(object, name, text_item(&text, err), err);
}

static void add_degrees(cJSON *object, const char *name, int32_t e7, enum err *err)
{
    struct buf text BUF_CLEANUP = {0};
    export_put_degrees(&text, e7);
    export_json_add_number(object, name, buf_bytes(&text), err);
}

static cJSON *place_item(struct bytes bytes, enum err *err)
{
    struct place place = {0};
    cJSON *item = cJSON_CreateObject();
    if (message_decode(&place_message, bytes, NULL, &place, NULL))
        return item;
    if (place.name.n)
        export_json_add_text(item, "name", place.name, err);
    if (place.code.n)
        export_json_add_text(item, "code", place.code, err);
    if (place.has_latitude && place.has_longitude) {
        add_degrees(item, "latitude", place.latitude, err);
        add_degrees(item, "longitude", place.longitude, err);
    }
    return item;
}

static cJSON *ref_item(struct bytes bytes, enum err *err)
{
    struct ref ref = {0};
    char hex[EXPORT_ID_TEXT] = "";
    cJSON *item = cJSON_CreateObject();
    if (message_decode(&ref_message, bytes, NULL, &ref, NULL))
        return item;
    const struct schema_kind *kind = schema_kind(ref.kind);
    text_hex(ref.id, hex);
    export_json_add_text(item, "kind", bytes_of_text(kind ? kind->name : ""), err);
    export_json_add_text(item, "id", bytes_of_text(hex), err);
    return item;
}

cJSON *export_json_value(const struct schema_field *schema, const struct export_value *value,
                         enum err *err)
{
    struct buf text BUF_CLEANUP = {0};
    if (schema->of == &place_message)
        return place_item(value->raw.bytes, err);
    if (schema->of == &ref_message)
        return ref_item(value->raw.bytes, err);
    export_put_value(&text, schema, value);
    return text_item(&text, err);
}

enum err export_json_write(struct export_writing *writing, cJSON *json, enum err err)
{
    char *text = err ? NULL : cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (!text)
        return err ? err : ERR_NOMEM;
    export_write(writing, bytes_of_text(text));
    cJSON_free(text);
    return OK;
}
