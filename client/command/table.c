#include "client/command/table.h"

#include <csv.h>
#include <stdio.h>

#include "client/command/app.h"
#include "client/command/file.h"

// What the parser's callbacks know.
struct reading {
    struct table *table;
    uint32_t line;      // being fed
    uint32_t row_line;  // on which the row began
    size_t row_columns; // of the row so far
    bool open;          // in the middle of a row
    bool bad_columns;
    enum err err;
};

// --- cells and rows ---

static void put_u32(struct buf *out, uint32_t v)
{
    buf_put(out, bytes_of(&v, sizeof(v)));
}

// A cell's text without the CR of a line break: within quotes a table's own line breaks remain.
static void put_cell(struct buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\r' || i + 1 == n || text[i + 1] != '\n')
            buf_put_u8(out, (uint8_t)text[i]);
    }
    buf_put_u8(out, 0);
}

static void on_cell(void *text, size_t n, void *arg)
{
    struct reading *reading = arg;
    struct table *table = reading->table;
    reading->open = true;
    reading->row_columns++;
    if (reading->row_columns > TABLE_COLUMNS_MAX)
        return;
    put_u32(&table->cells, (uint32_t)table->text.n);
    put_cell(&table->text, text ? text : "", text ? n : 0);
}

static void on_row(int end, void *arg)
{
    struct reading *reading = arg;
    struct table *table = reading->table;
    (void)end;
    if (table->rows == 0)
        table->columns = reading->row_columns;
    if (reading->row_columns != table->columns || reading->row_columns > TABLE_COLUMNS_MAX)
        reading->bad_columns = true;
    put_u32(&table->lines, reading->row_line);
    table->rows++;
    if (!reading->bad_columns)
        reading->row_columns = 0;
    reading->open = false;
}

static enum command_exit check(const struct reading *reading)
{
    const struct table *table = reading->table;
    if (reading->bad_columns)
        return app_say(COMMAND_FAILED,
                       "%s:%u: this row has %zu cells, and the first line names %zu", table->path,
                       reading->row_line, reading->row_columns, table->columns);
    if (table->rows > TABLE_ROWS_MAX || table->columns > TABLE_COLUMNS_MAX)
        return app_say(COMMAND_FAILED, "%s:%u: more than %d rows or %d columns: cut it in pieces",
                       table->path, reading->line, TABLE_ROWS_MAX, TABLE_COLUMNS_MAX);
    if (table->text.err || table->cells.err || table->lines.err)
        return app_say(COMMAND_FAILED, "%s:%u: there is not enough memory for this table",
                       table->path, reading->line);
    return COMMAND_OK;
}

// --- lines ---

static enum command_exit quoting(const struct reading *reading)
{
    return app_say(
        COMMAND_FAILED,
        "%s:%u: a quotation mark is in the wrong place (RFC 4180: a cell that has one is "
        "quoted, and the mark itself doubled)",
        reading->table->path, reading->row_line);
}

static enum command_exit feed_line(struct reading *reading, struct csv_parser *parser,
                                   struct bytes line)
{
    bool blank = strspn((const char *)line.p, " \t\r\n") >= line.n;
    if (!reading->open)
        reading->row_line = reading->line;
    // Whatever ends without the end of a row leaves one open; a blank line does not begin one.
    reading->open = reading->open || !blank;
    if (csv_parse(parser, line.p, line.n, on_cell, on_row, reading) != line.n)
        return quoting(reading);
    return check(reading);
}

static enum command_exit feed(struct reading *reading, struct csv_parser *parser, struct bytes text)
{
    enum command_exit done = COMMAND_OK;
    size_t at = 0;
    while (at < text.n && done == COMMAND_OK) {
        const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) + 1 - at : text.n - at;
        reading->line++;
        done = feed_line(reading, parser, bytes_of(text.p + at, n));
        at += n;
    }
    if (done == COMMAND_OK && csv_fini(parser, on_cell, on_row, reading) != 0)
        return quoting(reading);
    return done == COMMAND_OK ? check(reading) : done;
}

// What stands between the names of the first line: a tab or semicolon only where there is more of
// it than of commas.
static char find_separator(struct bytes text)
{
    size_t commas = 0, semicolons = 0, tabs = 0;
    for (size_t i = 0; i < text.n && text.p[i] != '\n'; i++) {
        commas += text.p[i] == ',';
        semicolons += text.p[i] == ';';
        tabs += text.p[i] == '\t';
    }
    if (tabs > commas && tabs >= semicolons)
        return '\t';
    return semicolons > commas ? ';' : ',';
}

static enum command_exit parse(struct table *table, char separator, struct bytes text)
{
    struct reading reading = {.table = table};
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return app_say(COMMAND_FAILED, "libcsv could not be started");
    csv_set_delim(&parser, (unsigned char)(separator ? separator : find_separator(text)));
    enum command_exit done = feed(&reading, &parser, text);
    csv_free(&parser);
    if (done == COMMAND_OK && table->rows == 0)
        done = app_say(COMMAND_FAILED, "%s is empty: its first line has to name the columns",
                       table->path);
    return done;
}

enum command_exit table_read(struct table *table, const char *path, const struct table_form *form)
{
    struct buf text BUF_CLEANUP = {.max = TABLE_BYTES_MAX};
    size_t n = strlen(path);
    table->path = path;
    table->json = n > 5 && strcmp(path + n - 5, ".json") == 0;
    enum command_exit done = file_read(path, form->charset, &text, &table->note);
    if (done != COMMAND_OK)
        return done;
    struct bytes all = bytes_of(text.p, text.n - 1); // so that strspn finds an end
    return table->json ? table_read_json(table, form->list, all)
                       : parse(table, form->separator, all);
}

void table_done(struct table *table)
{
    buf_done(&table->text);
    buf_done(&table->cells);
    buf_done(&table->lines);
}

static uint32_t get_u32(const struct buf *buf, size_t i)
{
    uint32_t v;
    memcpy(&v, buf->p + i * sizeof(v), sizeof(v));
    return v;
}

const char *table_cell(const struct table *table, size_t row, size_t column)
{
    return (const char *)table->text.p + get_u32(&table->cells, row * table->columns + column);
}

uint32_t table_line(const struct table *table, size_t row)
{
    return get_u32(&table->lines, row);
}
