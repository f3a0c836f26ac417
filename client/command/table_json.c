#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/command/app.h"
#include "client/command/table.h"

// Objects in objects, as far as a table of people's things goes.
enum { DEPTH_MAX = 8, NAME_MAX = 400 };

// A column's name and, of the entry that is being read, its text.
struct json_column {
    char *name;
    uint32_t cell; // in the table's text; 0: none, for there is an empty one at 0
};

struct reading {
    struct table *table;
    struct json_column *columns;
    size_t n;
    size_t next; // the column that is likely to come next: entries are much alike
    bool too_many;
};

static size_t column_of(struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->n; i++) {
        size_t at = (reading->next + i) % reading->n;
        if (strcmp(reading->columns[at].name, name) == 0) {
            reading->next = at + 1;
            return at;
        }
    }
    char *copy = reading->n < TABLE_COLUMNS_MAX ? strdup(name) : NULL;
    if (!copy) {
        reading->too_many = true;
        return 0;
    }
    reading->columns[reading->n] = (struct json_column){copy, 0};
    return reading->n++;
}

static uint32_t put_text(struct table *table, const char *text)
{
    uint32_t at = (uint32_t)table->text.n;
    buf_put_text(&table->text, text);
    buf_put_u8(&table->text, 0);
    return at;
}

// A number as people write it: no more digits than a double has.
static uint32_t put_number(struct table *table, double v)
{
    char text[40];
    bool whole = v > -1e15 && v < 1e15 && !(v < (double)(int64_t)v) && !(v > (double)(int64_t)v);
    if (whole)
        snprintf(text, sizeof(text), "%lld", (long long)v);
    else
        snprintf(text, sizeof(text), "%.15g", v);
    return put_text(table, text);
}

static void put_leaf(struct reading *reading, const char *path, const cJSON *item)
{
    struct table *table = reading->table;
    uint32_t cell = 0;
    if (cJSON_IsString(item))
        cell = put_text(table, item->valuestring);
    else if (cJSON_IsNumber(item))
        cell = put_number(table, item->valuedouble);
    else if (cJSON_IsBool(item))
        cell = put_text(table, cJSON_IsTrue(item) ? "true" : "false");
    if (cell) {
        size_t column = column_of(reading, path);
        if (!reading->too_many)
            reading->columns[column].cell = cell;
    }
}

// Where the walk through one entry stands: without recursion, for the file says how deep it goes.
struct step {
    const cJSON *item;
    size_t path_n; // of its parent's name
    size_t number; // in a list
    bool in_list;
};

static void walk(struct reading *reading, const cJSON *entry)
{
    struct step steps[DEPTH_MAX] = {{.item = entry->child, .in_list = cJSON_IsArray(entry)}};
    char path[NAME_MAX] = "";
    size_t depth = 1;
    while (depth > 0) {
        struct step *step = &steps[depth - 1];
        const cJSON *item = step->item;
        if (!item) {
            depth--;
            continue;
        }
        size_t n = step->path_n;
        int more = step->in_list
                       ? snprintf(path + n, NAME_MAX - n, "%s%zu", n ? "/" : "", step->number)
                       : snprintf(path + n, NAME_MAX - n, "%s%s", n ? "/" : "", item->string);
        step->item = item->next;
        step->number++;
        if (more < 0 || (size_t)more >= NAME_MAX - n)
            continue; // a name that no mapping could mean
        if (item->child && depth < DEPTH_MAX)
            steps[depth++] = (struct step){
                .item = item->child, .path_n = n + (size_t)more, .in_list = cJSON_IsArray(item)};
        else
            put_leaf(reading, path, item);
    }
}

static void put_u32(struct buf *out, uint32_t v)
{
    buf_put(out, bytes_of(&v, sizeof(v)));
}

// Entries have more and more columns, so rows are kept apart until all are known.
static enum command_exit read_entries(struct reading *reading, const cJSON *list, struct buf *rows)
{
    struct table *table = reading->table;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, list)
    {
        table->rows++;
        if (table->rows >= TABLE_ROWS_MAX || !cJSON_IsObject(entry))
            return app_say(COMMAND_FAILED, "%s: entry %zu is %s", table->path, table->rows,
                           cJSON_IsObject(entry) ? "one too many: cut the list in pieces"
                                                 : "no object");
        walk(reading, entry);
        if (reading->too_many)
            return app_say(COMMAND_FAILED,
                           "%s: entry %zu has a member too many: at most %d columns", table->path,
                           table->rows, TABLE_COLUMNS_MAX);
        put_u32(rows, (uint32_t)reading->n);
        for (size_t i = 0; i < reading->n; i++) {
            put_u32(rows, reading->columns[i].cell);
            reading->columns[i].cell = 0;
        }
    }
    return COMMAND_OK;
}

static uint32_t get_u32(const struct buf *buf, size_t at)
{
    uint32_t v;
    assert(at + sizeof(v) <= buf->n);
    memcpy(&v, buf->p + at, sizeof(v));
    return v;
}

static void fill_cells(struct reading *reading, const struct buf *rows)
{
    struct table *table = reading->table;
    table->columns = reading->n;
    put_u32(&table->lines, 0);
    for (size_t i = 0; i < reading->n; i++)
        put_u32(&table->cells, put_text(table, reading->columns[i].name));
    size_t at = 0;
    for (size_t row = 1; row <= table->rows; row++) {
        uint32_t n = get_u32(rows, at);
        buf_put(&table->cells, bytes_of(rows->p + at + sizeof(n), n * sizeof(n)));
        for (size_t i = n; i < reading->n; i++)
            put_u32(&table->cells, 0);
        put_u32(&table->lines, (uint32_t)row);
        at += (n + 1) * sizeof(n);
    }
    table->rows++;
}

// The list: the member of that name, or the file itself, or the only list in it.
static const cJSON *find_list(const cJSON *root, const char *name)
{
    if (name)
        return cJSON_GetObjectItemCaseSensitive(root, name);
    if (!cJSON_IsObject(root))
        return root;
    const cJSON *found = NULL;
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        if (cJSON_IsArray(item) && found)
            return NULL;
        if (cJSON_IsArray(item))
            found = item;
    }
    return found;
}

static enum command_exit read_list(struct table *table, const cJSON *list)
{
    struct buf rows BUF_CLEANUP = {0};
    struct reading reading = {.table = table};
    reading.columns = calloc(TABLE_COLUMNS_MAX, sizeof(*reading.columns));
    put_text(table, "");
    enum command_exit done = COMMAND_FAILED;
    if (reading.columns)
        done = read_entries(&reading, list, &rows);
    if (done == COMMAND_OK && !rows.err)
        fill_cells(&reading, &rows);
    if (!reading.columns || rows.err || table->cells.err || table->text.err || table->lines.err)
        done = app_say(COMMAND_FAILED, "there is not enough memory for %s", table->path);
    else if (done == COMMAND_OK && table->columns == 0)
        done = app_say(COMMAND_FAILED, "%s: its list is empty", table->path);
    for (size_t i = 0; reading.columns && i < reading.n; i++)
        free(reading.columns[i].name);
    free(reading.columns);
    return done;
}

enum command_exit table_read_json(struct table *table, const char *list, struct bytes text)
{
    cJSON *root = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (!root)
        return app_say(COMMAND_FAILED, "%s is no JSON", table->path);
    const cJSON *found = find_list(root, list);
    enum command_exit done;
    if (cJSON_IsArray(found))
        done = read_list(table, found);
    else
        done = app_say(COMMAND_FAILED, "%s: there is no list \"%s\" in it", table->path,
                       list ? list : "(name it in the mapping: list = …)");
    cJSON_Delete(root);
    return done;
}
