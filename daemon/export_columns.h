#pragma once

// The columns of a kind of record, from its schema: what CSV, GeoJSON and their readers call them.
// docs/exports.md shows them. Any thread.

#include "daemon/export_row.h"

enum { EXPORT_COLUMNS_MAX = 32 };

struct export_column {
    const char *name;
    bool is_number;                   // as a whole cell, and then it holds one value at most
    const struct schema_field *field; // NULL: of no field
    // Appends the cell.
    void (*put)(const struct export_column *column, const struct export_row *row, struct buf *out);
};

// Those of a kind that is given to anybody, for outsiders (masked) or for the community. How many.
size_t export_columns(uint32_t kind, bool masked, struct export_column columns[EXPORT_COLUMNS_MAX]);
// Its tag in an HXL row (hxlstandard.org).
void export_put_hxl(const struct export_column *column, struct buf *out);
