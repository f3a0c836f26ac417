#pragma once

// JSON values for the forms that are made of them. Each is the caller's to delete (cJSON). Any
// thread.

#include <cjson/cJSON.h>

#include "daemon/export_format.h"

// Adds a member. Where memory is short it is missing, and *err says so (it sticks).
void export_json_add(cJSON *object, const char *name, cJSON *item, enum err *err);
void export_json_add_text(cJSON *object, const char *name, struct bytes text, enum err *err);
// What the text says, as a number.
void export_json_add_number(cJSON *object, const char *name, struct bytes text, enum err *err);
void export_json_add_time(cJSON *object, const char *name, int64_t ms, enum err *err);
// A value of a field: a text, or {"name","code","latitude","longitude"} of a place, or
// {"kind","id"} of a reference.
cJSON *export_json_value(const struct schema_field *schema, const struct export_value *value,
                         enum err *err);
// Writes it on one line, without the line's end, and deletes it.
enum err export_json_write(struct export_writing *writing, cJSON *json, enum err err) must_check;
