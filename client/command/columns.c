#include "client/command/columns.h"

#include <stdio.h>

#include "client/command/app.h"
#include "client/command/puts.h"

static const char *const special[] = {
    [COLUMN_KIND] = "kind",
    [COLUMN_KEY] = "key",
    [COLUMN_ABOUT] = "about",
    [COLUMN_PARTY] = "party",
    [COLUMN_PERSON] = "person",
    [COLUMN_STANCE] = "stance",
    [COLUMN_PLACE] = "place",
    [COLUMN_PLACE_CODE] = "place_code",
    [COLUMN_PLACE_POINT] = "place_point",
    [COLUMN_TIME] = "time",
    [COLUMN_VOTER] = "voter",
};

static bool is_field(const char *name)
{
    const char *kind;
    for (size_t i = 0; (kind = folkmoot_kind_name(i)); i++) {
        if (puts_kind_has(kind, name))
            return true;
    }
    return false;
}

static void set_name(char out[COLUMN_NAME_BYTES], const char *text, size_t n)
{
    snprintf(out, COLUMN_NAME_BYTES, "%.*s", (int)(n < COLUMN_NAME_BYTES ? n : COLUMN_NAME_BYTES),
             text);
    for (char *at = out; *at; at++) {
        if (*at == '-' || *at == ' ')
            *at = '_';
    }
}

// What --map calls this column, if it does: "COLUMN=FIELD,COLUMN=FIELD".
static void map_name(const struct app *app, const char *name, char out[COLUMN_NAME_BYTES])
{
    const char *map;
    size_t n = strlen(name);
    for (size_t i = 0; (map = options_next(&app->call, "map", &i));) {
        while (*map) {
            size_t pair = strcspn(map, ",");
            if (pair > n && map[n] == '=' && strncmp(map, name, n) == 0)
                set_name(out, map + n + 1, pair - n - 1);
            map += pair + (map[pair] == ',');
        }
    }
}

// Whether each name that --map speaks of is a column, so that a slip of the pen does not pass.
static enum command_exit check_map(const struct app *app, const struct table *table)
{
    const char *map;
    for (size_t i = 0; (map = options_next(&app->call, "map", &i));) {
        while (*map) {
            size_t pair = strcspn(map, ",");
            size_t n = strcspn(map, "=,");
            bool found = false;
            for (size_t k = 0; k < table->columns && n < pair; k++) {
                const char *name = table_cell(table, 0, k);
                found = found || (strlen(name) == n && strncmp(name, map, n) == 0);
            }
            if (!found)
                return app_say(COMMAND_USAGE,
                               "--map takes COLUMN=FIELD,…, and %s has no column \"%.*s\"",
                               table->path, (int)n, map);
            map += pair + (map[pair] == ',');
        }
    }
    return COMMAND_OK;
}

void columns_name(struct column *column, const char *name, size_t n)
{
    set_name(column->name, name, n);
    column->use = is_field(column->name) ? COLUMN_FIELD : COLUMN_IGNORED;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (strcmp(special[i], column->name) == 0)
            column->use = (enum column_use)i;
    }
}

static void read_column(struct column *column, const struct app *app, const char *text)
{
    char name[COLUMN_NAME_BYTES];
    set_name(name, text, strlen(text));
    map_name(app, text, name);
    columns_name(column, name, strlen(name));
}

static enum command_exit check_once(const struct columns *columns, const struct table *table)
{
    for (size_t i = 0; i < columns->n; i++) {
        for (size_t k = 0; k < i; k++) {
            bool twice = strcmp(columns->list[i].name, columns->list[k].name) == 0;
            if (twice && columns->list[i].use != COLUMN_IGNORED)
                return app_say(COMMAND_FAILED, "%s:1: two columns are called \"%s\"", table->path,
                               columns->list[i].name);
        }
    }
    return COMMAND_OK;
}

static enum command_exit check_known(const struct columns *columns, const struct app *app,
                                     const struct table *table)
{
    struct buf BUF_CLEANUP names = {.max = 400};
    for (size_t i = 0; i < columns->n; i++) {
        if (columns->list[i].use == COLUMN_IGNORED)
            buf_put_format(&names, "%s\"%s\"", names.n ? ", " : "", table_cell(table, 0, i));
    }
    if (names.n == 0 || options_given(&app->call, "ignore_columns"))
        return COMMAND_OK;
    return app_say(COMMAND_FAILED,
                   "%s:1: nothing here is called %.*s: use --map COLUMN=FIELD, or --ignore-columns",
                   table->path, (int)names.n, (const char *)names.p);
}

enum command_exit columns_read(struct columns *columns, const struct app *app,
                               const struct table *table)
{
    columns->n = table->columns;
    for (size_t i = 0; i < columns->n; i++)
        read_column(&columns->list[i], app, table_cell(table, 0, i));
    enum command_exit done = check_map(app, table);
    if (done == COMMAND_OK)
        done = check_once(columns, table);
    return done == COMMAND_OK ? check_known(columns, app, table) : done;
}
