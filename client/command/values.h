#pragma once

// The values of one row of a table, as folkmoot_add and folkmoot_edit take them.

#include "base/arena.h"
#include "client/command/cells.h"
#include "client/command/puts.h"

// A title has at most 400 bytes.
enum { VALUES_REFERENCE_BYTES = 512 };

struct values {
    struct folkmoot_put list[PUTS_MAX];
    size_t n;
    struct arena arena; // where values live that are no whole cell
};

// Reads a row's cells into `values`, which is all zero, looking up what they refer to.
// FOLKMOOT_INVALID, FOLKMOOT_NOT_FOUND …: the sentence is in `error`.
enum folkmoot_code values_read(struct values *values, struct app *app, const struct cells *cells,
                               const char *kind, struct folkmoot_error *error);
// Adds an id in hexadecimal.
enum folkmoot_code values_add_id(struct values *values, const char *field, const uint8_t *id,
                                 struct folkmoot_error *error);
void values_done(struct values *values);

// The next of the parts of a cell between semicolons, without the spaces around it; empty ones are
// passed over. False at the end. A part that is longer than `n` is cut.
bool values_next(const char **cell, char *part, size_t n);

#define VALUES_CLEANUP __attribute__((cleanup(values_done)))
