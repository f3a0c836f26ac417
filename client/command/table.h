#pragma once

// A table, read whole: a CSV file (RFC 4180; commas, semicolons or tabs between the cells, lines
// ended by LF or CRLF, line breaks in quotes) whose first line, row 0, names the columns; or a list
// of objects in a JSON file, whose columns are called as the members, one in another
// "recipient/0/name".

#include "base/buf.h"
#include "client/command/command.h"

enum { TABLE_COLUMNS_MAX = 4096, TABLE_ROWS_MAX = 1000000, TABLE_BYTES_MAX = 64 << 20 };

// What a mapping says of the file. All zero: it is found out.
struct table_form {
    const char *charset;
    char separator;
    const char *list; // of a JSON file: the member that is the list; NULL: the file is one, or has
                      // only one
};

struct table {
    const char *path; // as people gave it
    const char *note; // what is to be told of how it was read; NULL: nothing
    bool json;
    struct buf text;  // all cells, each ended by a zero byte
    struct buf cells; // of uint32_t: where each cell begins in text
    struct buf lines; // of uint32_t: the line (JSON: entry) on which each row begins, from 1
    size_t columns, rows;
};

// All zero is an empty table. Says what is wrong, with file and line. `path` is borrowed.
enum command_exit table_read(struct table *table, const char *path, const struct table_form *form);
void table_done(struct table *table);
// Valid as long as the table.
const char *table_cell(const struct table *table, size_t row, size_t column);
uint32_t table_line(const struct table *table, size_t row);

// table_json.c
enum command_exit table_read_json(struct table *table, const char *list, struct bytes text);
