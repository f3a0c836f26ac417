#pragma once

// What an import remembers beside the names of its records, so that importing again makes only the
// differences. Kept among the names, too (folkmoot_name): under "WHAT of NAME" a hash stands where
// a record's id would. NAME is a row's; WHAT is "cells" (what its record was made of), "row" (the
// whole row of a mapped table), "value FIELD …" (a value that the import put, below), or of the
// source of a table "record N" and "records".

#include <stdbool.h>

#include "client/folkmoot.h"

enum { MEMO_PRINT_SIZE = 16 };

// False when nothing is remembered; `print` is then untouched.
bool memo_get(struct folkmoot *fm, const char *what, const char *name, const char *kind,
              uint8_t print[MEMO_PRINT_SIZE]);
// Whether just this is remembered.
bool memo_is(struct folkmoot *fm, const char *what, const char *name, const char *kind,
             const uint8_t print[MEMO_PRINT_SIZE]);
enum folkmoot_code memo_put(struct folkmoot *fm, const char *what, const char *name,
                            const char *kind, const uint8_t print[MEMO_PRINT_SIZE],
                            struct folkmoot_error *error);

// Whether the row's import put this value, and has not taken it back since.
bool memo_has_value(struct folkmoot *fm, const char *name, const char *kind, const char *field,
                    const char *text);
// Remembers that it did, or that it took it back.
enum folkmoot_code memo_put_value(struct folkmoot *fm, const char *name, const char *kind,
                                  const char *field, const char *text, bool said,
                                  struct folkmoot_error *error);
