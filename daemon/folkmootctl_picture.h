#pragma once

// The picture as folkmootctl shows it: in a terminal, and as one page of HTML.

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#include "daemon/folkmootctl_outlines.h"
#include "daemon/folkmootctl_show.h"

// One self-contained page: no script, nothing from elsewhere. `now` in ms since 1970 UTC. False:
// errno says why it could not be written. outlines: for a map; NULL: none.
bool ctl_write_picture(const cJSON *answer, const char *path, double now,
                       const struct outlines *outlines);
// The map as a section of the page (folkmootctl_map.c).
void ctl_put_map(FILE *out, const cJSON *answer, const struct outlines *outlines);

// Who has not been heard (folkmootctl_unheard.c), in a terminal and as a section of the page.
void ctl_say_unheard(const cJSON *answer);
void ctl_put_unheard(FILE *out, const cJSON *answer);
// Text for an element or attribute of the page.
void picture_put_text(FILE *out, const char *text);

// What both read the answer by.
const char *picture_text(const cJSON *object, const char *name);
double picture_number(const cJSON *object, const char *name);
const cJSON *picture_list(const cJSON *object, const char *name);
// Persons of all party kinds: "for", "against" or "unsure"; NULL: of all three.
double picture_persons(const cJSON *item, const char *stance);
// Records in a count, whatever their state.
double picture_records(const cJSON *count);
// "2026-03-01" (UTC) for ms since 1970; for days since 1970 with day_ms = 1 day.
void picture_date(double ms, char out[32]);
// How an item's state is told: "nobody has answered", or when what did.
void picture_state(const cJSON *item, char out[160]);
