#pragma once

// Times as people type and read them. Milliseconds since 1970 UTC throughout.

#include <stdbool.h>
#include <stdint.h>

enum { INSTANT_BYTES = 40 };

// Reads 2026-11-23 (midnight UTC, as in a record's fields), 2026-11-23T10:30, with seconds if one
// likes, and Z, +01:00 or nothing behind it: then it is the time of this place. False when it is no
// such time; *ms is then untouched.
bool instant_parse(const char *text, int64_t *ms);
// "2026-11-23 10:30", in the time of this place.
void instant_print(int64_t ms, char out[INSTANT_BYTES]);
// "2026-11-23T10:30:00.000Z".
void instant_print_utc(int64_t ms, char out[INSTANT_BYTES]);
