#include "client/command/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/command/import_private.h"
#include "client/command/tidy.h"
#include "client/command/writing.h"

enum { ITEMS_MAX = 20000000, ROW_BYTES_MAX = 4 << 20, TOLD_MOST = 50 };

// --- making a row ---

static enum folkmoot_code fill_cells(const struct rule *rule, const struct making *making,
                                     const char **text, struct folkmoot_error *error)
{
    if (rule->each && !table_cell(making->table, making->row, making->column)[0])
        return FOLKMOOT_NOT_FOUND;
    if (rule->only.n) {
        const char *condition;
        enum folkmoot_code code = template_fill(&rule->only, making, &condition, error);
        if (code != FOLKMOOT_OK || !condition[0])
            return code == FOLKMOOT_OK ? FOLKMOOT_NOT_FOUND : code;
    }
    for (size_t i = 0; i < rule->columns.n; i++) {
        enum folkmoot_code code = template_fill(&rule->templates[i], making, &text[i], error);
        if (code != FOLKMOOT_OK)
            return code;
    }
    return FOLKMOOT_OK;
}

// A mapped record whose key says nothing could never be found again.
static enum folkmoot_code check_key(const struct rule *rule, struct row *row)
{
    for (size_t i = 0; i < rule->columns.n; i++) {
        if (rule->columns.list[i].use != COLUMN_KEY || row->named)
            continue;
        row->error.code = FOLKMOOT_INVALID;
        snprintf(row->error.text, sizeof(row->error.text), "key: the row has none");
        return row->error.code;
    }
    return FOLKMOOT_OK;
}

enum folkmoot_code import_make(const struct import *import, const struct import_item *item,
                               struct import_made *made)
{
    const struct rule *rule = &import->mapping.rules[item->rule];
    *made = (struct import_made){.odd = false};
    arena_init(&made->arena, ROW_BYTES_MAX);
    struct making making = {&import->table, item->row, item->column, import->mapping.source,
                            &made->arena};
    struct cells cells = {&rule->columns,
                          arena_alloc(&made->arena, rule->columns.n, sizeof(*cells.text))};
    made->row.cells = cells;
    if (!cells.text)
        return FOLKMOOT_INTERNAL;
    enum folkmoot_code code = fill_cells(rule, &making, cells.text, &made->row.error);
    if (code != FOLKMOOT_OK)
        return code;
    if (import->mapping.path)
        tidy_cells(&cells, &import->mapping, &made->arena, &made->odd);
    code = row_read(&made->row, &import->rows, &cells, rule->kind);
    if (code == FOLKMOOT_OK && import->mapping.path)
        code = check_key(rule, &made->row);
    if (code == FOLKMOOT_OK && !made->row.named)
        row_name_twin(&made->row, item->twin);
    return code;
}

void import_unmake(struct import_made *made)
{
    arena_done(&made->arena);
}

// --- saying what is wrong ---

// The column of the table that a sentence about a field, "amount: must be …", is about.
static const char *column_of(const struct import *import, const struct rule *rule,
                             const char *sentence)
{
    size_t n = strcspn(sentence, ":");
    for (size_t i = 0; import->mapping.path && i < rule->columns.n; i++) {
        const char *name = rule->columns.list[i].name;
        bool place = strcmp(name, "place_point") == 0 && strncmp(sentence, "place:", 6) == 0;
        if (place || (strlen(name) == n && strncmp(name, sentence, n) == 0))
            return template_column(&rule->templates[i], &import->table);
    }
    return NULL;
}

void import_leave_out(struct import *import, struct import_item *item, struct row *row)
{
    const struct table *table = &import->table;
    const struct rule *rule = &import->mapping.rules[item->rule];
    const char *text = row->error.text[0] ? row->error.text : "it failed, and nothing says why";
    const char *column =
        rule->each ? table_cell(table, 0, item->column) : column_of(import, rule, text);
    item->state = ITEM_LEFT_OUT;
    if (++import->report.left_out == TOLD_MOST + 1)
        app_say(COMMAND_FAILED, "more rows are wrong, and not told one by one");
    if (import->report.left_out > TOLD_MOST)
        return;
    app_say(COMMAND_FAILED, "%s:%s%u: %s%s%.60s%s%s%s; %s", table->path,
            table->json ? " entry " : "", table_line(table, item->row), text,
            column ? " (column \"" : "", column ? column : "", column ? "\")" : "",
            rule->kind[0] ? ", for a " : "", rule->kind[0] ? rule->kind : "",
            import->strict ? "nothing will be imported" : "left out");
}

// --- reading ---

static struct import_item *add_item(struct import *import)
{
    if (import->n == import->cap) {
        size_t cap = import->cap ? 2 * import->cap : 1024;
        struct import_item *grown =
            cap <= ITEMS_MAX ? realloc(import->items, cap * sizeof(*grown)) : NULL;
        if (!grown)
            return NULL;
        import->items = grown;
        import->cap = cap;
    }
    return &import->items[import->n++];
}

static bool note(struct hashes *names, const char *name, uint32_t item, bool *memory)
{
    uint64_t hash = hashes_of(name, strlen(name));
    if (hashes_find(names, hash) != UINT32_MAX)
        return false;
    *memory = hashes_add(names, hash, item);
    return true;
}

static bool has_twin(const struct import *import, struct row *row, uint32_t twin)
{
    row_name_twin(row, twin);
    return hashes_find(&import->names, hashes_of(row->name, strlen(row->name))) != UINT32_MAX;
}

// Rows that say the same are numbered without a gap: the first number that is free.
static uint32_t next_twin(const struct import *import, struct row *row)
{
    uint32_t taken = 0, free = 0;
    if (!has_twin(import, row, 0))
        return 0;
    for (free = 1; has_twin(import, row, free); free *= 2)
        taken = free;
    while (free - taken > 1) {
        uint32_t middle = taken + (free - taken) / 2;
        if (has_twin(import, row, middle))
            taken = middle;
        else
            free = middle;
    }
    return free;
}

// Notes the item's name. FOLKMOOT_NOT_FOUND: it is told of once, and was.
static enum folkmoot_code name_item(struct import *import, struct import_item *item,
                                    struct import_made *made)
{
    struct row *row = &made->row;
    uint32_t at = (uint32_t)(item - import->items);
    bool memory = true;
    if (!row->named) {
        item->twin = next_twin(import, row);
        row_name_twin(row, item->twin);
        (void)note(&import->names, row->name, at, &memory);
        return memory ? FOLKMOOT_OK : FOLKMOOT_INTERNAL;
    }
    if (note(&import->names, row->name, at, &memory))
        return memory ? FOLKMOOT_OK : FOLKMOOT_INTERNAL;
    if (import->mapping.rules[item->rule].once)
        return FOLKMOOT_NOT_FOUND;
    uint32_t other = hashes_find(&import->names, hashes_of(row->name, strlen(row->name)));
    row->error.code = FOLKMOOT_INVALID;
    snprintf(row->error.text, sizeof(row->error.text),
             "key: \"%.100s\" is that of line %u, too: give each row its own", row->name,
             table_line(&import->table, import->items[other].row));
    return row->error.code;
}

static void note_made(struct import *import, const struct import_item *item,
                      const struct import_made *made, bool *memory)
{
    const char *title = cells_field(&made->row.cells, "title");
    if (title[0])
        (void)note(&import->titles, title, (uint32_t)(item - import->items), memory);
    import->report.odd += made->odd;
}

static enum command_exit read_item(struct import *import, struct import_item one)
{
    struct import_made made;
    bool memory = true;
    struct import_item *item = add_item(import);
    if (!item)
        return app_say(COMMAND_FAILED, "there is not enough memory for this table");
    *item = one;
    enum folkmoot_code code = import_make(import, item, &made);
    if (code == FOLKMOOT_OK)
        code = name_item(import, item, &made);
    if (code == FOLKMOOT_OK)
        note_made(import, item, &made, &memory);
    if (code == FOLKMOOT_NOT_FOUND)
        import->n--;
    else if (code == FOLKMOOT_INVALID)
        import_leave_out(import, item, &made.row);
    import_unmake(&made);
    if (code == FOLKMOOT_INTERNAL || !memory)
        return app_say(COMMAND_FAILED, "there is not enough memory for this table");
    return COMMAND_OK;
}

static enum command_exit read_rule(struct import *import, uint32_t row, size_t rule)
{
    const struct rule *rows = &import->mapping.rules[rule];
    enum command_exit done = COMMAND_OK;
    struct import_item item = {.row = row, .rule = (uint8_t)rule};
    if (!rows->each)
        return read_item(import, item);
    for (size_t i = 0; i < import->table.columns && done == COMMAND_OK; i++) {
        item.column = (uint16_t)i;
        if (mapping_is_for(rows, table_cell(&import->table, 0, i)))
            done = read_item(import, item);
    }
    return done;
}

static enum command_exit read_rows(struct import *import)
{
    enum command_exit done = COMMAND_OK;
    for (size_t row = 1; row < import->table.rows; row++) {
        size_t wrong = import->report.left_out;
        // Where the first section's record cannot be made, the others hang on nothing.
        for (size_t i = 0; i < import->mapping.rules_n && done == COMMAND_OK; i++) {
            if (i == 0 || import->report.left_out == wrong)
                done = read_rule(import, (uint32_t)row, i);
        }
    }
    return done;
}

// --- the whole ---

static enum command_exit finish(struct import *import)
{
    enum command_exit done = report_print(&import->report, import->app, import->dry);
    return done == COMMAND_OK && import->report.left_out ? COMMAND_FAILED : done;
}

static enum command_exit import_all(struct import *import)
{
    struct app *app = import->app;
    enum command_exit done = writing_time(app, &import->rows.time);
    if (done == COMMAND_OK)
        done = mapping_read(&import->mapping, app);
    if (done == COMMAND_OK)
        done = table_read(&import->table, app->call.args[0], &import->mapping.form);
    if (done == COMMAND_OK)
        done = mapping_bind(&import->mapping, app, &import->table);
    if (done != COMMAND_OK)
        return done;
    if (import->table.note)
        app_say(COMMAND_OK, "%s: %s", import->table.path, import->table.note);
    import->rows.source = import->mapping.source;
    import->gone.source = import->mapping.complete ? import->mapping.source : NULL;
    done = read_rows(import);
    if (done == COMMAND_OK)
        done = import_write(import);
    return done == COMMAND_OK ? finish(import) : done;
}

enum command_exit import_file(struct app *app)
{
    static struct import import;
    import = (struct import){.app = app,
                             .rows = {.app = app, .kind = options_value(&app->call, "kind")},
                             .gone = {.app = app},
                             .strict = options_given(&app->call, "strict"),
                             .dry = options_given(&app->call, "dry_run")};
    enum command_exit done = import_all(&import);
    mapping_done(&import.mapping);
    table_done(&import.table);
    hashes_done(&import.names);
    hashes_done(&import.titles);
    gone_done(&import.gone);
    free(import.items);
    return done;
}
