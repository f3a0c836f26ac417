#pragma once

// A table in a CSV file (RFC 4180), read whole: UTF-8, with or without a byte order mark, lines
// ended by LF or CRLF, line breaks in quotes. The first line is row 0.

#include "base/buf.h"
#include "client/command/command.h"

enum { TABLE_COLUMNS_MAX = 256, TABLE_ROWS_MAX = 200000, TABLE_BYTES_MAX = 64 << 20 };

struct table {
    const char *path; // as people gave it
    struct buf text;  // all cells, each ended by a zero byte
    struct buf cells; // of uint32_t: where each cell begins in text
    struct buf lines; // of uint32_t: the line on which each row begins, from 1
    size_t columns, rows;
};

// All zero is an empty table. Says what is wrong, with file and line. `path` is borrowed.
enum command_exit table_read(struct table *table, const char *path);
void table_done(struct table *table);
// Valid as long as the table.
const char *table_cell(const struct table *table, size_t row, size_t column);
uint32_t table_line(const struct table *table, size_t row);
