#pragma once

// One record's worth of a table: a text for each column that says something about it. The texts
// belong to whoever made them: the table, or the arena of one row.

#include "client/command/columns.h"

struct cells {
    const struct columns *columns;
    const char **text; // one for each column; never NULL
};

// The text of a special column; "" when there is no such column.
const char *cells_special(const struct cells *cells, enum column_use use);
// The text of a field's column; "" when there is none.
const char *cells_field(const struct cells *cells, const char *name);
