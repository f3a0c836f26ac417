#pragma once

// Fields and values on their way into a change: references are looked up, so that people may name a
// record as they like.

#include "client/command/ref.h"

enum { PUTS_MAX = 256 };

struct puts {
    struct folkmoot_put list[PUTS_MAX];
    char refs[PUTS_MAX][REF_TEXT_BYTES]; // values that had to be made
    size_t n;
};

// Appends one; `field` and `value` are borrowed. A value of about, party or speaker is a REF, or in
// the library's own form. value NULL: clears the field. COMMAND_USAGE: too many, or `kind` has no
// such field.
enum command_exit puts_add(struct app *app, struct puts *puts, const char *kind, const char *field,
                           const char *value);
// Appends an id in hexadecimal.
enum command_exit puts_add_id(struct puts *puts, const char *field, const uint8_t *id);
// Appends all --FIELD options of the command line.
enum command_exit puts_add_options(struct app *app, struct puts *puts, const char *kind);

bool puts_kind_has(const char *kind, const char *field);
bool puts_is_kind(const char *kind);
// Fields of which a record has several: sets of text, written "one;two" in a table's cell.
bool puts_is_list(const char *field);
