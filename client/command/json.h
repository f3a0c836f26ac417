#pragma once

// --json: one document a command, for programs. Texts are as they were written, uncleaned.

#include <cjson/cJSON.h>

#include "client/command/app.h"

// Prints a document and a line break to stdout and frees it.
enum command_exit json_print(cJSON *document);
// {"kind","id"}, to which more may be added.
cJSON *json_ref(const char *kind, const uint8_t *id);
// A record; with `whole` also its fields, what refers to it, voices and past.
cJSON *json_record(const struct folkmoot_record *record, bool whole);
// Adds bytes as hexadecimal; a time as RFC 3339 text.
void json_add_hex(cJSON *object, const char *name, const uint8_t *bytes, size_t n);
void json_add_time(cJSON *object, const char *name, int64_t ms);
