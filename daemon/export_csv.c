// CSV (RFC 4180): one kind a file, a row of names first, lines that end with CR LF, UTF-8.

#include <csv.h>
#include <string.h>

#include "daemon/export_columns.h"
#include "daemon/export_format.h"

// A spreadsheet takes a cell that begins so for a formula. One that would be one, but for the
// apostrophes before it, gets one more, so that taking one away always gives the text back.
static bool is_formula(struct bytes text)
{
    size_t i = 0;
    while (i < text.n && text.p[i] == '\'')
        i++;
    return i < text.n && strchr("=+-@\t\r", text.p[i]) != NULL;
}

static void put_cell(struct buf *line, struct bytes text, bool is_number)
{
    struct buf safe BUF_CLEANUP = {0};
    if (text.n == 0)
        return;
    if (!is_number && is_formula(text))
        buf_put_u8(&safe, '\'');
    buf_put(&safe, text);
    size_t room = 2 * safe.n + 2;
    uint8_t *to = safe.err ? NULL : buf_room(line, room);
    if (to)
        line->n += csv_write(to, room, safe.p, safe.n);
    else if (!line->err)
        line->err = ERR_NOMEM;
}

static void end_cell(struct buf *line, size_t i, size_t n)
{
    buf_put_text(line, i + 1 < n ? "," : "\r\n");
}

static enum err put_heads(struct export_writing *writing,
                          void (*put)(const struct export_column *column, struct buf *out))
{
    struct export_column columns[EXPORT_COLUMNS_MAX];
    struct buf line BUF_CLEANUP = {0};
    struct buf cell BUF_CLEANUP = {0};
    size_t n = export_columns(writing->wish->kind, writing->wish->masked, columns);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&cell);
        put(&columns[i], &cell);
        buf_put(&line, buf_bytes(&cell));
        end_cell(&line, i, n);
    }
    export_write(writing, buf_bytes(&line));
    return cell.err ? cell.err : line.err;
}

static void put_name(const struct export_column *column, struct buf *out)
{
    buf_put_text(out, column->name);
}

static enum err begin(struct export_writing *writing)
{
    enum err err = put_heads(writing, put_name);
    return !err && writing->wish->hxl ? put_heads(writing, export_put_hxl) : err;
}

static enum err put(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena)
{
    struct export_column columns[EXPORT_COLUMNS_MAX];
    struct buf line BUF_CLEANUP = {0};
    struct buf cell BUF_CLEANUP = {0};
    size_t n = export_columns(row->kind->kind, writing->wish->masked, columns);
    (void)arena;
    for (size_t i = 0; i < n && !cell.err; i++) {
        buf_reset(&cell);
        columns[i].put(&columns[i], row, &cell);
        put_cell(&line, buf_bytes(&cell), columns[i].is_number);
        end_cell(&line, i, n);
    }
    export_write(writing, buf_bytes(&line));
    writing->rows++;
    return cell.err ? cell.err : line.err;
}

const struct export_format export_csv = {
    .name = "csv",
    .one_kind = true,
    .has_hxl = true,
    .begin = begin,
    .put = put,
    .end = export_nothing,
    .done = export_nothing_done,
};
