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
    COLUMN_VOTER,
    COLUMN_FIELD,
    COLUMN_IGNORED,
};

enum { COLUMN_NAME_BYTES = 64 };

struct column {
    enum column_use use;
    char name[COLUMN_NAME_BYTES]; // of the field, with _ for - and space
};

struct columns {
    struct column *list;
    size_t n;
};

// Reads the table's first line with --map and --ignore-columns. Says which columns mean nothing.
// columns->list has room for each of the table's columns.
enum command_exit columns_read(struct columns *columns, const struct app *app,
                               const struct table *table);
// Names a column, with _ for - and space, and finds out what it is.
void columns_name(struct column *column, const char *name, size_t n);
