#include "client/command/row.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "client/command/instant.h"
#include "client/command/memo.h"
#include "client/command/values.h"

enum { KEY_BYTES_MAX = 200 };

static enum folkmoot_code refuse(struct row *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum folkmoot_code refuse(struct row *row, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(row->error.text, sizeof(row->error.text), format, list);
    va_end(list);
    row->error.code = FOLKMOOT_INVALID;
    return row->error.code;
}

static const char *cell(const struct row *row, enum column_use use)
{
    return columns_cell(row->rows->columns, row->rows->table, row->i, use);
}

// --- reading ---

// A hash of the cells that say something, whatever the order of their columns. The key is left out.
static void make_print(struct row *row)
{
    uint8_t sum[HASH_SIZE] = {0};
    const struct columns *columns = row->rows->columns;
    for (size_t i = 0; i < columns->n; i++) {
        const char *text = table_cell(row->rows->table, row->i, i);
        enum column_use use = columns->list[i].use;
        if (!text[0] || use == COLUMN_KEY || use == COLUMN_IGNORED)
            continue;
        struct hash hash;
        uint8_t one[HASH_SIZE];
        hash_begin(&hash, "folkmoot import cell v1");
        hash_put_sized(&hash, bytes_of_text(columns->list[i].name));
        hash_put_sized(&hash, bytes_of_text(text));
        hash_end(&hash, one);
        for (size_t k = 0; k < HASH_SIZE; k++)
            sum[k] ^= one[k];
    }
    text_hex(bytes_of(sum, (ROW_PRINT_BYTES - 1) / 2), row->print);
}

void row_name_twin(struct row *row, size_t twin)
{
    snprintf(row->name, sizeof(row->name), "row %s %zu", row->print, twin);
}

static enum folkmoot_code read_kind(struct row *row)
{
    const char *kind = cell(row, COLUMN_KIND);
    const char *usual = options_value(&row->rows->app->call, "kind");
    if (!kind[0] && usual)
        kind = usual;
    if (!kind[0])
        return refuse(row, "the row names no kind: fill the column kind, or use --kind");
    if (!puts_is_kind(kind) || strcmp(kind, "same_as") == 0)
        return refuse(row, "\"%.40s\" is no kind that can be imported", kind);
    snprintf(row->kind, sizeof(row->kind), "%s", kind);
    return FOLKMOOT_OK;
}

enum folkmoot_code row_read(struct row *row, const struct rows *rows, size_t i)
{
    *row = (struct row){.rows = rows, .i = i};
    const char *key = cell(row, COLUMN_KEY);
    if (strlen(key) > KEY_BYTES_MAX)
        return refuse(row, "the key is longer than %d bytes", KEY_BYTES_MAX);
    snprintf(row->name, sizeof(row->name), "%s", key);
    make_print(row);
    return read_kind(row);
}

// --- references ---

static bool each_part(const char *text, bool (*each)(const char *, void *), void *arg)
{
    char part[VALUES_REFERENCE_BYTES];
    while (values_next(&text, part, sizeof(part))) {
        if (!each(part, arg))
            return false;
    }
    return true;
}

void row_each_reference(const struct row *row, bool (*each)(const char *name, void *arg), void *arg)
{
    const char *party = cell(row, COLUMN_PARTY);
    if (each_part(cell(row, COLUMN_ABOUT), each, arg) && party[0])
        each(party, arg);
}

// --- writing ---

static enum folkmoot_code read_time(struct row *row, int64_t *time)
{
    const char *text = cell(row, COLUMN_TIME);
    *time = row->rows->time;
    if (!text[0] || instant_parse(text, time))
        return FOLKMOOT_OK;
    return refuse(row, "\"%.40s\" in the column time is no time", text);
}

// The person of the row's card; *given is false without one.
static enum folkmoot_code read_person(struct row *row, uint8_t person[16], bool *given)
{
    const char *code = cell(row, COLUMN_PERSON);
    *given = code[0] != 0;
    return *given ? folkmoot_card(row->rows->app->fm, code, person, &row->error) : FOLKMOOT_OK;
}

// A field of this name in this row, "" without one.
static const char *field_cell(const struct row *row, const char *name)
{
    const struct columns *columns = row->rows->columns;
    for (size_t i = 0; i < columns->n; i++) {
        if (columns->list[i].use == COLUMN_FIELD && strcmp(columns->list[i].name, name) == 0)
            return table_cell(row->rows->table, row->i, i);
    }
    return "";
}

// A voice has words and a language, and nothing else that a table could say.
static enum folkmoot_code check_voice(struct row *row)
{
    const struct columns *columns = row->rows->columns;
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->list[i];
        enum column_use use = column->use;
        bool fits = use == COLUMN_KIND || use == COLUMN_KEY || use == COLUMN_ABOUT ||
                    use == COLUMN_PERSON || use == COLUMN_STANCE || use == COLUMN_TIME ||
                    use == COLUMN_IGNORED || strcmp(column->name, "words") == 0 ||
                    strcmp(column->name, "language") == 0;
        if (!fits && table_cell(row->rows->table, row->i, i)[0])
            return refuse(row, "a voice has no %s", column->name);
    }
    if (!cell(row, COLUMN_ABOUT)[0])
        return refuse(row, "the voice says in the column about on what it is");
    if (!cell(row, COLUMN_STANCE)[0])
        return refuse(row, "the voice needs a stance: for, against, unsure or withdrawn");
    if (!cell(row, COLUMN_PERSON)[0])
        return refuse(row, "the voice needs the card of its person");
    return FOLKMOOT_OK;
}

// A voice on each of what it is about.
static enum folkmoot_code give_voices(struct row *row, const uint8_t *person, int64_t time)
{
    const char *about = cell(row, COLUMN_ABOUT);
    const char *words = field_cell(row, "words");
    const char *language = field_cell(row, "language");
    char part[VALUES_REFERENCE_BYTES];
    struct folkmoot *fm = row->rows->app->fm;
    while (values_next(&about, part, sizeof(part))) {
        struct ref ref;
        enum folkmoot_code code = ref_look(row->rows->app, part, &ref, &row->error);
        if (code == FOLKMOOT_OK)
            code = folkmoot_voice(fm, ref.kind, ref.id, person, cell(row, COLUMN_STANCE),
                                  words[0] ? words : NULL, language[0] ? language : NULL, time,
                                  &row->error);
        if (code == FOLKMOOT_OK)
            code = memo_put(fm, row->name, row->print, ref.kind, ref.id, &row->error);
        if (code != FOLKMOOT_OK)
            return code;
    }
    return FOLKMOOT_OK;
}

static enum folkmoot_code write_voice(struct row *row, enum row_done *done)
{
    uint8_t person[16];
    bool given;
    int64_t time;
    enum folkmoot_code code = check_voice(row);
    if (code == FOLKMOOT_OK)
        code = read_time(row, &time);
    if (code == FOLKMOOT_OK)
        code = read_person(row, person, &given);
    if (code == FOLKMOOT_OK)
        code = give_voices(row, person, time);
    *done = ROW_VOICED;
    return code;
}

static enum folkmoot_code read_values(struct row *row, struct values *values)
{
    uint8_t person[16];
    bool given;
    enum folkmoot_code code = read_person(row, person, &given);
    if (code == FOLKMOOT_OK && cell(row, COLUMN_STANCE)[0])
        return refuse(row, "only a voice has a stance");
    if (code == FOLKMOOT_OK)
        code = values_read(values, row->rows->app, row->rows->columns, row->rows->table, row->i,
                           row->kind, &row->error);
    if (code == FOLKMOOT_OK && given)
        code = values_add_id(values, "speaker", person, &row->error);
    return code;
}

static enum folkmoot_code add(struct row *row, const struct values *values, int64_t time)
{
    struct folkmoot *fm = row->rows->app->fm;
    uint8_t id[16];
    enum folkmoot_code code =
        folkmoot_add(fm, row->kind, values->list, values->n, time, id, &row->error);
    if (code == FOLKMOOT_OK)
        code = folkmoot_name(fm, row->name, row->kind, id, &row->error);
    if (code == FOLKMOOT_OK)
        code = memo_put(fm, row->name, row->print, row->kind, id, &row->error);
    return code;
}

static enum folkmoot_code edit(struct row *row, struct values *values, const uint8_t *id,
                               int64_t time, enum row_done *done)
{
    struct folkmoot *fm = row->rows->app->fm;
    enum folkmoot_code code = values_keep_news(values, row->rows->app, row->kind, id, &row->error);
    if (code == FOLKMOOT_OK && values->n) {
        *done = ROW_EDITED;
        code = folkmoot_edit(fm, row->kind, id, values->list, values->n, time, &row->error);
    }
    if (code == FOLKMOOT_OK)
        code = memo_put(fm, row->name, row->print, row->kind, id, &row->error);
    return code;
}

static enum folkmoot_code write_record(struct row *row, enum row_done *done)
{
    struct values values VALUES_CLEANUP = {.n = 0};
    char kind[REF_KIND_BYTES];
    uint8_t id[16];
    int64_t time;
    enum folkmoot_code code = read_time(row, &time);
    if (code == FOLKMOOT_OK)
        code = read_values(row, &values);
    if (code != FOLKMOOT_OK)
        return code;
    code = folkmoot_named(row->rows->app->fm, row->name, kind, sizeof(kind), id);
    if (code == FOLKMOOT_NOT_FOUND) {
        *done = ROW_ADDED;
        return add(row, &values, time);
    }
    if (code != FOLKMOOT_OK)
        return refuse(row, "the store could not say what \"%.80s\" is", row->name);
    if (strcmp(kind, row->kind) != 0)
        return refuse(row, "the key \"%.80s\" already names a %s, of an earlier import", row->name,
                      kind);
    return edit(row, &values, id, time, done);
}

enum folkmoot_code row_write(struct row *row, enum row_done *done)
{
    *done = ROW_UNCHANGED;
    if (memo_is_last(row->rows->app->fm, row->name, row->print))
        return FOLKMOOT_OK;
    return strcmp(row->kind, "voice") == 0 ? write_voice(row, done) : write_record(row, done);
}
