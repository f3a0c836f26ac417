#include "client/command/json.h"

#include <stdio.h>

#include "base/text.h"
#include "client/command/instant.h"

enum { HEX_BYTES_MAX = 32 };

enum command_exit json_print(cJSON *document)
{
    char *text = cJSON_Print(document);
    cJSON_Delete(document);
    if (!text)
        return app_say(COMMAND_FAILED, "there is not enough memory for the JSON document");
    printf("%s\n", text);
    cJSON_free(text);
    return COMMAND_OK;
}

void json_add_hex(cJSON *object, const char *name, const uint8_t *bytes, size_t n)
{
    char hex[2 * HEX_BYTES_MAX + 1] = "";
    if (n <= HEX_BYTES_MAX)
        text_hex(bytes_of(bytes, n), hex);
    cJSON_AddStringToObject(object, name, hex);
}

void json_add_time(cJSON *object, const char *name, int64_t ms)
{
    char text[INSTANT_BYTES];
    instant_print_utc(ms, text);
    cJSON_AddStringToObject(object, name, text);
}

cJSON *json_ref(const char *kind, const uint8_t *id)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "kind", kind);
    json_add_hex(object, "id", id, 16);
    return object;
}

static void add_links(cJSON *object, const char *name, const struct folkmoot_link *links, size_t n)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(array, json_ref(links[i].kind, links[i].id));
}

static cJSON *value_of(const struct folkmoot_value *value)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "text", value->text);
    json_add_hex(object, "device", value->device, sizeof(value->device));
    cJSON_AddNumberToObject(object, "seq", value->seq);
    json_add_time(object, "time", value->time);
    return object;
}

static void add_fields(cJSON *object, const struct folkmoot_record *record)
{
    cJSON *array = cJSON_AddArrayToObject(object, "fields");
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", field->name);
        cJSON_AddNumberToObject(item, "number", field->number);
        cJSON_AddBoolToObject(item, "set", field->set);
        cJSON_AddBoolToObject(item, "tension", field->tension);
        cJSON *values = cJSON_AddArrayToObject(item, "values");
        for (size_t k = 0; k < field->values_n; k++)
            cJSON_AddItemToArray(values, value_of(&field->values[k]));
        cJSON_AddItemToArray(array, item);
    }
}

static void add_voices(cJSON *object, const struct folkmoot_record *record)
{
    cJSON *array = cJSON_AddArrayToObject(object, "voices");
    for (size_t i = 0; i < record->voices_n; i++) {
        const struct folkmoot_stance *voice = &record->voices[i];
        cJSON *item = cJSON_CreateObject();
        json_add_hex(item, "person", voice->person, sizeof(voice->person));
        cJSON_AddStringToObject(item, "stance", voice->stance);
        cJSON_AddStringToObject(item, "words", voice->words);
        json_add_time(item, "time", voice->time);
        cJSON_AddItemToArray(array, item);
    }
}

static void add_past(cJSON *object, const struct folkmoot_record *record)
{
    cJSON *array = cJSON_AddArrayToObject(object, "past");
    for (size_t i = 0; i < record->past_n; i++) {
        const struct folkmoot_past *past = &record->past[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "field", past->field);
        if (past->text)
            cJSON_AddStringToObject(item, "text", past->text);
        else
            cJSON_AddNullToObject(item, "text");
        json_add_hex(item, "device", past->device, sizeof(past->device));
        json_add_time(item, "time", past->time);
        json_add_hex(item, "by_device", past->by_device, sizeof(past->by_device));
        json_add_time(item, "by_time", past->by_time);
        cJSON_AddItemToArray(array, item);
    }
}

static void add_tally(cJSON *object, const struct folkmoot_record *record)
{
    cJSON *tally = cJSON_AddObjectToObject(object, "tally");
    cJSON_AddNumberToObject(tally, "for", record->votes_for);
    cJSON_AddNumberToObject(tally, "against", record->votes_against);
    cJSON_AddNumberToObject(tally, "unsure", record->votes_unsure);
}

static void add_tensions(cJSON *object, const struct folkmoot_record *record)
{
    cJSON *array = cJSON_AddArrayToObject(object, "tensions");
    for (size_t i = 0; i < record->fields_n; i++) {
        if (record->fields[i].tension)
            cJSON_AddItemToArray(array, cJSON_CreateString(record->fields[i].name));
    }
}

cJSON *json_record(const struct folkmoot_record *record, bool whole)
{
    cJSON *object = json_ref(record->kind, record->id);
    cJSON_AddStringToObject(object, "title", record->title);
    add_tally(object, record);
    add_tensions(object, record);
    if (record->damaged)
        cJSON_AddBoolToObject(object, "damaged", true);
    add_links(object, "about", record->about, record->about_n);
    if (!whole)
        return object;
    add_links(object, "from", record->from, record->from_n);
    add_links(object, "same", record->same, record->same_n);
    add_fields(object, record);
    add_voices(object, record);
    add_past(object, record);
    return object;
}
