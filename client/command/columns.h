#pragma once

// What the columns of an imported table mean: a field of the records, or one of a few special
// words.

#include "client/command/table.h"

// The special ones, in the order of the names in columns.c; COLUMN_FIELD: a field of that name.
enum column_use {
    COLUMN_KIND,
    COLUMN_KEY,
    COLUMN_ABOUT,
    COLUMN_PARTY,
    COLUMN_PERSON,
    COLUMN_STANCE,
    COLUMN_PLACE,
    COLUMN_PLACE_CODE,
    COLUMN_PLACE_POINT,
    COLUMN_TIME,
    COLUMN_FIELD,
    COLUMN_IGNORED,
};

enum { COLUMN_NAME_BYTES = 64 };

struct column {
    enum column_use use;
    char name[COLUMN_NAME_BYTES]; // of the field, with _ for - and space
};

struct columns {
    struct column list[TABLE_COLUMNS_MAX];
    size_t n;
};

// Reads the table's first line with --map and --ignore-columns. Says which columns mean nothing.
enum command_exit columns_read(struct columns *columns, const struct app *app,
                               const struct table *table);
// The cell of a special column in a row; "" when there is no such column.
const char *columns_cell(const struct columns *columns, const struct table *table, size_t row,
                         enum column_use use);
