#pragma once

// What an import remembers of a row beside its record: a hash of the cells that it last took in.
// Kept among the import's names (folkmoot_name): "import N of NAME" for the N-th time, and the same
// with the hash, so that cells which return to what they once said are seen as new.

#include <stdbool.h>

#include "client/folkmoot.h"

// Whether the row was last taken in with these cells.
bool memo_is_last(struct folkmoot *fm, const char *name, const char *print);
// Notes that it was taken in; the record is whatever the row was about.
enum folkmoot_code memo_put(struct folkmoot *fm, const char *name, const char *print,
                            const char *kind, const uint8_t *id, struct folkmoot_error *error);
