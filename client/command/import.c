#include "client/command/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/command/json.h"
#include "client/command/row.h"
#include "client/command/writing.h"

// A chain of references that runs up the file takes a pass for each link.
enum { PASSES_MAX = 64 };

// Names of rows: which row a key or title belongs to, and how often a row without a key came
// before.
struct index_slot {
    const char *name; // NULL: free
    size_t row;
};

struct import {
    struct rows rows;
    struct row *list; // one for each row of the table but the first, in its order
    bool *written;
    size_t n;
    struct index_slot *slots;
    size_t slots_n; // a power of two, more than twice the names
    size_t counts[ROW_DONE_N];
};

// --- which row has which name ---

static size_t hash_of(const char *name)
{
    // FNV-1a, 64 bits.
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3U;
    return (size_t)(hash ^ hash >> 32);
}

static struct index_slot *slot_of(const struct import *import, const char *name)
{
    size_t i = hash_of(name) & (import->slots_n - 1);
    while (import->slots[i].name && strcmp(import->slots[i].name, name) != 0)
        i = (i + 1) & (import->slots_n - 1);
    return &import->slots[i];
}

// Notes a name; false when another row has it.
static bool note(struct import *import, const char *name, size_t row)
{
    struct index_slot *slot = slot_of(import, name);
    if (slot->name)
        return false;
    *slot = (struct index_slot){name, row};
    return true;
}

// --- saying what is wrong ---

static enum command_exit fail_row(const struct row *row)
{
    const struct table *table = row->rows->table;
    const char *text = row->error.text[0] ? row->error.text : "it failed, and nothing says why";
    return app_say(app_exit_of(row->error.code), "%s:%u: %s; nothing was imported", table->path,
                   table_line(table, row->i), text);
}

// --- reading ---

static enum command_exit name_row(struct import *import, struct row *row, size_t i)
{
    if (!row->name[0]) {
        size_t twin = 0;
        do
            row_name_twin(row, twin++);
        while (!note(import, row->name, i));
        return COMMAND_OK;
    }
    const struct index_slot *slot = slot_of(import, row->name);
    if (!slot->name) {
        note(import, row->name, i);
        return COMMAND_OK;
    }
    const struct table *table = import->rows.table;
    return app_say(COMMAND_FAILED,
                   "%s:%u: the key \"%s\" is that of line %u, too; nothing was imported",
                   table->path, table_line(table, row->i), row->name,
                   table_line(table, import->list[slot->row].i));
}

static const char *title_of(const struct import *import, size_t row)
{
    const struct columns *columns = import->rows.columns;
    for (size_t i = 0; i < columns->n; i++) {
        if (columns->list[i].use == COLUMN_FIELD && strcmp(columns->list[i].name, "title") == 0)
            return table_cell(import->rows.table, row, i);
    }
    return "";
}

static enum command_exit read_rows(struct import *import)
{
    for (size_t i = 0; i < import->n; i++) {
        struct row *row = &import->list[i];
        if (row_read(row, &import->rows, i + 1) != FOLKMOOT_OK)
            return fail_row(row);
        enum command_exit done = name_row(import, row, i);
        if (done != COMMAND_OK)
            return done;
    }
    // Keys first, so that a title never hides one.
    for (size_t i = 0; i < import->n; i++) {
        const char *title = title_of(import, i + 1);
        if (title[0])
            (void)note(import, title, i);
    }
    return COMMAND_OK;
}

// --- writing ---

struct waiting {
    const struct import *import;
    const char *name; // for what the row waits; NULL: nothing
};

static bool is_written(const char *name, void *arg)
{
    struct waiting *waiting = arg;
    const struct index_slot *slot = slot_of(waiting->import, name);
    if (slot->name && !waiting->import->written[slot->row]) {
        waiting->name = slot->name;
        return false;
    }
    return true;
}

static bool is_ready(const struct import *import, const struct row *row)
{
    struct waiting waiting = {import, NULL};
    row_each_reference(row, is_written, &waiting);
    return waiting.name == NULL;
}

static enum command_exit write_row(struct import *import, size_t i)
{
    enum row_done done;
    if (row_write(&import->list[i], &done) != FOLKMOOT_OK)
        return fail_row(&import->list[i]);
    import->written[i] = true;
    import->counts[done]++;
    return COMMAND_OK;
}

// Writes every row that refers only to what is here. *left: how many still wait.
static enum command_exit write_ready(struct import *import, size_t *left)
{
    *left = 0;
    for (size_t i = 0; i < import->n; i++) {
        if (import->written[i])
            continue;
        if (!is_ready(import, &import->list[i])) {
            ++*left;
            continue;
        }
        enum command_exit done = write_row(import, i);
        if (done != COMMAND_OK)
            return done;
    }
    return COMMAND_OK;
}

static enum command_exit fail_waiting(const struct import *import)
{
    size_t i = 0;
    while (import->written[i])
        i++;
    struct row *row = &import->list[i];
    row->error.code = FOLKMOOT_INVALID;
    snprintf(row->error.text, sizeof(row->error.text),
             "what this row is about refers back to it, or stands too far down: put the rows in "
             "order");
    return fail_row(row);
}

// A row may stand before what it refers to, so rows that wait are looked at again.
static enum command_exit write_rows(struct import *import)
{
    size_t left = import->n;
    for (int pass = 0; left && pass < PASSES_MAX; pass++) {
        enum command_exit done = write_ready(import, &left);
        if (done != COMMAND_OK)
            return done;
    }
    return left ? fail_waiting(import) : COMMAND_OK;
}

static enum command_exit write_at_once(struct import *import)
{
    struct folkmoot *fm = import->rows.app->fm;
    struct folkmoot_error error = {0};
    if (folkmoot_begin(fm, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    enum command_exit done = write_rows(import);
    bool failed = folkmoot_end(fm, done == COMMAND_OK, &error) != FOLKMOOT_OK;
    return failed && done == COMMAND_OK ? app_fail(&error) : done;
}

// --- the whole ---

static enum command_exit report(const struct import *import)
{
    const size_t *counts = import->counts;
    if (!import->rows.app->json) {
        printf("%zu added, %zu voices, %zu edited, %zu unchanged\n", counts[ROW_ADDED],
               counts[ROW_VOICED], counts[ROW_EDITED], counts[ROW_UNCHANGED]);
        return COMMAND_OK;
    }
    cJSON *document = cJSON_CreateObject();
    cJSON_AddNumberToObject(document, "added", (double)counts[ROW_ADDED]);
    cJSON_AddNumberToObject(document, "voices", (double)counts[ROW_VOICED]);
    cJSON_AddNumberToObject(document, "edited", (double)counts[ROW_EDITED]);
    cJSON_AddNumberToObject(document, "unchanged", (double)counts[ROW_UNCHANGED]);
    return json_print(document);
}

static bool make_room(struct import *import)
{
    import->n = import->rows.table->rows - 1;
    import->slots_n = 16;
    // A row has a key and a title at most.
    while (import->slots_n < 4 * import->n)
        import->slots_n *= 2;
    import->list = calloc(import->n + 1, sizeof(*import->list));
    import->written = calloc(import->n + 1, sizeof(*import->written));
    import->slots = calloc(import->slots_n, sizeof(*import->slots));
    return import->list && import->written && import->slots;
}

static enum command_exit import_rows(struct import *import)
{
    enum command_exit done;
    if (!make_room(import))
        done = app_say(COMMAND_FAILED, "there is not enough memory for this table");
    else
        done = read_rows(import);
    if (done == COMMAND_OK)
        done = write_at_once(import);
    free(import->list);
    free(import->written);
    free(import->slots);
    return done == COMMAND_OK ? report(import) : done;
}

static enum command_exit import_table(struct app *app, const struct table *table)
{
    static struct columns columns;
    struct import import = {.rows = {.app = app, .table = table, .columns = &columns}};
    enum command_exit done = writing_time(app, &import.rows.time);
    if (done == COMMAND_OK)
        done = columns_read(&columns, app, table);
    return done == COMMAND_OK ? import_rows(&import) : done;
}

enum command_exit import_file(struct app *app)
{
    struct table table = {.rows = 0};
    enum command_exit done = table_read(&table, app->call.args[0]);
    if (done == COMMAND_OK)
        done = import_table(app, &table);
    table_done(&table);
    return done;
}
