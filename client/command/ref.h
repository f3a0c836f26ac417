#pragma once

// A record as people name it. Ids of records that one device made begin alike, so the short id that
// list and show print is the end of the id: eight hexadecimal digits.

#include "client/command/app.h"

enum {
    REF_KIND_BYTES = 16,
    REF_ID_BYTES = 16,
    REF_ID_DIGITS = 32,
    REF_SHORT_BYTES = 9,
    REF_TEXT_BYTES = 49,
};

struct ref {
    char kind[REF_KIND_BYTES];
    uint8_t id[REF_ID_BYTES];
};

// Finds the record that `text` names: a short id, the beginning or the whole of an id, KIND:ID, an
// import's key, or an exact title. Says what is wrong.
enum command_exit ref_find(struct app *app, const char *text, struct ref *ref);
// The same, in silence: what went wrong in `error`.
enum folkmoot_code ref_look(struct app *app, const char *text, struct ref *ref,
                            struct folkmoot_error *error);
// The short id; KIND:ID; 32 digits.
void ref_short(const uint8_t *id, char out[REF_SHORT_BYTES]);
void ref_text(const char *kind, const uint8_t *id, char out[REF_TEXT_BYTES]);
void ref_hex(const uint8_t *id, char out[REF_ID_DIGITS + 1]);
