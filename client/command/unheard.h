#pragma once

// Who has not been heard: sorts of party, by how few persons of them have a voice on anything.

#include <cjson/cJSON.h>

#include "client/command/app.h"

// Prints it for people, or adds it to a document as "heard". The library's code; `error` is filled.
enum folkmoot_code unheard_say(struct app *app, cJSON *document, struct folkmoot_error *error);
