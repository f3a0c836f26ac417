#include "daemon/population.h"

#include <csv.h>

#include "base/text.h"
#include "daemon/file.h"

enum {
    TEXT_MAX = 200, // bytes of a code or name: as in a Place
    COLUMNS_MAX = 100,
    ARENA_MAX = 8 << 20,
};

enum column { CODE, NAME, PERSONS, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = {"code", "name", "persons"};

struct reading {
    const char *path;
    struct fault *fault;
    enum err err; // the first; sticks
    struct arena *arena;
    struct population_place *places; // room for POPULATION_MAX
    size_t n;
    size_t columns[COLUMN_COUNT]; // in which it stands, from 1; 0: nowhere
    size_t columns_n;             // as the first line has them
    bool has_columns;
    size_t cell;                   // of the row, from 1
    struct population_place place; // the row's
    uint32_t line, row_line;       // being fed; on which the row began
    bool is_in_row;
};

// --- what is wrong ---

static void fail(struct reading *r, enum err err, const char *why)
{
    if (!r->err)
        r->err = fault_set(r->fault, err, "%s:%u: %s", r->path, r->row_line, why);
}

static const char quoting[] = "a quotation mark is in the wrong place (RFC 4180: a cell that has "
                              "one is quoted, and the mark itself doubled)";

// --- cells ---

static void take_column(struct reading *r, struct bytes cell)
{
    r->columns_n = r->cell;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (!bytes_equal(cell, bytes_of_text(column_names[i])))
            continue;
        if (r->columns[i])
            fail(r, ERR_MALFORMED, "a column is named twice");
        r->columns[i] = r->cell;
    }
}

static struct bytes take_text(struct reading *r, struct bytes cell)
{
    if (cell.n > TEXT_MAX)
        fail(r, ERR_LIMIT, "a code or name has at most 200 bytes");
    else if (!text_is_utf8(cell))
        fail(r, ERR_MALFORMED, "this is not UTF-8: save the table as CSV in UTF-8");
    struct bytes copy = r->err ? (struct bytes){0} : arena_copy(r->arena, cell);
    if (cell.n && !copy.p)
        fail(r, ERR_NOMEM, "out of memory");
    return copy;
}

static void take_persons(struct reading *r, struct bytes cell)
{
    uint64_t persons = 0;
    bool is_number = cell.n <= 10;
    for (size_t i = 0; is_number && i < cell.n; i++) {
        is_number = cell.p[i] >= '0' && cell.p[i] <= '9';
        persons = persons * 10 + (uint64_t)(cell.p[i] - '0');
    }
    if (!is_number || persons > UINT32_MAX)
        fail(r, ERR_MALFORMED,
             "persons is a whole number in digits alone, such as 12345, or empty where it is not "
             "known");
    r->place.is_counted = cell.n > 0;
    r->place.persons = (uint32_t)persons;
}

static void on_cell(void *text, size_t n, void *arg)
{
    struct reading *r = arg;
    struct bytes cell = bytes_of(text ? text : "", text ? n : 0);
    if (++r->cell > COLUMNS_MAX)
        fail(r, ERR_LIMIT, "a row has at most 100 cells");
    else if (!r->has_columns)
        take_column(r, cell);
    else if (r->cell == r->columns[CODE])
        r->place.code = take_text(r, cell);
    else if (r->cell == r->columns[NAME])
        r->place.name = take_text(r, cell);
    else if (r->cell == r->columns[PERSONS])
        take_persons(r, cell);
}

// --- rows ---

static void end_columns(struct reading *r)
{
    r->has_columns = true;
    if (!r->columns[CODE] || !r->columns[NAME])
        fail(r, ERR_MALFORMED,
             "the first line names the columns, with commas between them: \"code\" and \"name\", "
             "and \"persons\" if that is known");
}

static void end_place(struct reading *r)
{
    if (r->cell != r->columns_n)
        fail(
            r, ERR_MALFORMED,
            "this row has more or fewer cells than the first line (a cell with a comma is quoted)");
    else if (r->place.code.n == 0)
        fail(r, ERR_MALFORMED, "this row has no code: each place needs one of its own");
    else if (r->n == POPULATION_MAX)
        fail(r, ERR_LIMIT, "at most 20,000 places: take larger ones, wards for streets");
    r->place.line = r->row_line;
    if (!r->err)
        r->places[r->n++] = r->place;
}

static void on_row(int end, void *arg)
{
    struct reading *r = arg;
    (void)end;
    if (!r->has_columns)
        end_columns(r);
    else
        end_place(r);
    r->place = (struct population_place){.is_counted = false};
    r->cell = 0;
    r->is_in_row = false;
}

static bool is_blank(struct bytes line)
{
    size_t i = 0;
    while (i < line.n && strchr(" \t\r\n", line.p[i]) && line.p[i])
        i++;
    return i == line.n;
}

static void feed_line(struct reading *r, struct csv_parser *parser, struct bytes line)
{
    r->line++;
    if (!r->is_in_row)
        r->row_line = r->line;
    r->is_in_row = r->is_in_row || !is_blank(line);
    if (csv_parse(parser, line.p, line.n, on_cell, on_row, r) != line.n)
        fail(r, ERR_MALFORMED, quoting);
}

// Line by line, for libcsv does not tell where it is.
static void feed(struct reading *r, struct csv_parser *parser, struct bytes text)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf}; // that some programs begin UTF-8 with
    size_t at = text.n >= sizeof mark && memcmp(text.p, mark, sizeof mark) == 0 ? sizeof mark : 0;
    while (at < text.n && !r->err) {
        const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) + 1 - at : text.n - at;
        feed_line(r, parser, bytes_of(text.p + at, n));
        at += n;
    }
    if (!r->err && csv_fini(parser, on_cell, on_row, r) != 0)
        fail(r, ERR_MALFORMED, quoting);
}

static void parse(struct reading *r, struct bytes text)
{
    struct csv_parser parser;
    r->row_line = 1;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        fail(r, ERR_NOMEM, "libcsv could not be started");
        return;
    }
    feed(r, &parser, text);
    csv_free(&parser);
    if (!r->has_columns)
        end_columns(r);
}

// --- the table ---

static void make(struct reading *r, struct population *population)
{
    const struct population_place **by_name =
        r->err ? NULL : arena_alloc(r->arena, r->n + 1, sizeof(const struct population_place *));
    if (!by_name) {
        fail(r, ERR_NOMEM, "out of memory");
        return;
    }
    const struct population_place *twice = population_make(r->places, r->n, by_name, population);
    if (!twice)
        return;
    r->row_line = twice->line;
    fail(r, ERR_MALFORMED, "a place before it has the same code: each needs one of its own");
}

static enum err read_into(const char *path, struct arena *arena, struct population *population,
                          struct fault *fault)
{
    struct buf text BUF_CLEANUP = {0};
    struct reading r = {.path = path, .fault = fault, .arena = arena};
    enum err err = file_read(path, POPULATION_BYTES_MAX, &text, fault);
    if (err)
        return err;
    r.places = arena_alloc(arena, POPULATION_MAX, sizeof *r.places);
    if (!r.places)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    parse(&r, buf_bytes(&text));
    make(&r, population);
    return r.err;
}

void population_table_done(struct population_table *table)
{
    arena_done(&table->arena);
    *table = (struct population_table){.population = {0}};
}

enum err population_table_read(const char *path, struct population_table *table,
                               struct fault *fault)
{
    struct population_table fresh = {.population = {0}};
    arena_init(&fresh.arena, ARENA_MAX);
    enum err err = path[0] ? read_into(path, &fresh.arena, &fresh.population, fault) : OK;
    if (err) {
        population_table_done(&fresh);
        return err;
    }
    population_table_done(table);
    *table = fresh;
    return OK;
}
