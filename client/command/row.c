#include "client/command/row.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "client/command/gone.h"
#include "client/command/instant.h"
#include "client/command/news.h"

enum { KEY_BYTES_MAX = 200, ROW_ABOUT_MAX = 16 };

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
    return cells_special(&row->cells, use);
}

// --- reading ---

// A hash of the cells that say something, whatever the order of their columns. The key is left out.
static void make_print(struct row *row)
{
    const struct columns *columns = row->cells.columns;
    for (size_t i = 0; i < columns->n; i++) {
        const char *text = row->cells.text[i];
        enum column_use use = columns->list[i].use;
        if (!text[0] || use == COLUMN_KEY || use == COLUMN_IGNORED)
            continue;
        struct hash hash;
        uint8_t one[HASH_SIZE];
        hash_begin(&hash, "folkmoot import cell v1");
        hash_put_sized(&hash, bytes_of_text(columns->list[i].name));
        hash_put_sized(&hash, bytes_of_text(text));
        hash_end(&hash, one);
        for (size_t k = 0; k < MEMO_PRINT_SIZE; k++)
            row->print[k] ^= one[k];
    }
}

void row_name_twin(struct row *row, size_t twin)
{
    char hex[2 * MEMO_PRINT_SIZE + 1];
    text_hex(BYTES(row->print), hex);
    snprintf(row->name, sizeof(row->name), "row %s %zu", hex, twin);
}

static enum folkmoot_code read_kind(struct row *row, const char *kind)
{
    if (!kind[0])
        kind = cell(row, COLUMN_KIND);
    if (!kind[0] && row->rows->kind)
        kind = row->rows->kind;
    if (!kind[0])
        return refuse(row, "the row names no kind: fill the column kind, or use --kind");
    if (!puts_is_kind(kind))
        return refuse(row, "\"%.40s\" is no kind that can be imported", kind);
    snprintf(row->kind, sizeof(row->kind), "%s", kind);
    return FOLKMOOT_OK;
}

enum folkmoot_code row_read(struct row *row, const struct rows *rows, const struct cells *cells,
                            const char *kind)
{
    *row = (struct row){.rows = rows, .cells = *cells};
    const char *key = cell(row, COLUMN_KEY);
    if (strlen(key) > KEY_BYTES_MAX)
        return refuse(row, "the key is longer than %d bytes", KEY_BYTES_MAX);
    snprintf(row->name, sizeof(row->name), "%s", key);
    row->named = key[0] != 0;
    make_print(row);
    return read_kind(row, kind);
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

// --- who speaks ---

// A voter is somebody who has a number in one table: a card of theirs is made of it, the same on
// every device. 26 characters of 5 bits each.
static void voter_code(const struct row *row, const char *voter, char code[27])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct hash hash;
    uint8_t sum[HASH_SIZE];
    hash_begin(&hash, "folkmoot import voter v1");
    hash_put_sized(&hash, bytes_of_text(row->rows->source ? row->rows->source : ""));
    hash_put_sized(&hash, bytes_of_text(voter));
    hash_end(&hash, sum);
    for (size_t i = 0; i < 26; i++)
        code[i] = alphabet[sum[i] & 31];
    code[26] = 0;
}

// The person of the row's card; *given is false without one.
static enum folkmoot_code read_person(struct row *row, uint8_t person[16], bool *given)
{
    const char *code = cell(row, COLUMN_PERSON);
    const char *voter = cell(row, COLUMN_VOTER);
    char made[27];
    if (!code[0] && voter[0]) {
        voter_code(row, voter, made);
        code = made;
    }
    *given = code[0] != 0;
    return *given ? folkmoot_card(row->rows->app->fm, code, person, &row->error) : FOLKMOOT_OK;
}

static enum folkmoot_code read_time(struct row *row, int64_t *time)
{
    const char *text = cell(row, COLUMN_TIME);
    *time = row->rows->time;
    if (!text[0] || instant_parse(text, time))
        return FOLKMOOT_OK;
    return refuse(row, "time: \"%.40s\" is no time such as 2026-11-23 or 2026-11-23T10:30:00Z",
                  text);
}

// --- voices ---

// A voice has words and a language, and nothing else that a table could say.
static enum folkmoot_code check_voice(struct row *row)
{
    const struct columns *columns = row->cells.columns;
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->list[i];
        enum column_use use = column->use;
        bool fits = use == COLUMN_KIND || use == COLUMN_KEY || use == COLUMN_ABOUT ||
                    use == COLUMN_PERSON || use == COLUMN_VOTER || use == COLUMN_STANCE ||
                    use == COLUMN_TIME || use == COLUMN_IGNORED ||
                    strcmp(column->name, "words") == 0 || strcmp(column->name, "language") == 0;
        if (!fits && row->cells.text[i][0])
            return refuse(row, "a voice has no %s", column->name);
    }
    if (!cell(row, COLUMN_ABOUT)[0])
        return refuse(row, "the voice says in the column about on what it is");
    if (!cell(row, COLUMN_STANCE)[0])
        return refuse(row, "the voice needs a stance: for, against, unsure or withdrawn");
    if (!cell(row, COLUMN_PERSON)[0] && !cell(row, COLUMN_VOTER)[0])
        return refuse(row, "the voice needs the card of its person");
    return FOLKMOOT_OK;
}

// What the row is about, at most `max`.
static enum folkmoot_code read_about(struct row *row, struct ref *refs, size_t max, size_t *n)
{
    const char *about = cell(row, COLUMN_ABOUT);
    char part[VALUES_REFERENCE_BYTES];
    *n = 0;
    while (values_next(&about, part, sizeof(part))) {
        if (*n == max)
            return refuse(row, "about: names more than %zu records", max);
        enum folkmoot_code code = ref_look(row->rows->app, part, &refs[*n], &row->error);
        if (code != FOLKMOOT_OK)
            return code;
        ++*n;
    }
    return FOLKMOOT_OK;
}

// A voice on each of what it is about. *news: whether any of them said something new.
static enum folkmoot_code give_voices(struct row *row, const uint8_t *person, int64_t time,
                                      bool *news)
{
    struct ref refs[ROW_ABOUT_MAX];
    size_t n;
    const char *words = cells_field(&row->cells, "words");
    const char *language = cells_field(&row->cells, "language");
    struct folkmoot *fm = row->rows->app->fm;
    enum folkmoot_code code = read_about(row, refs, ROW_ABOUT_MAX, &n);
    uint32_t before = folkmoot_written(fm);
    for (size_t i = 0; i < n && code == FOLKMOOT_OK; i++)
        code = folkmoot_voice(fm, refs[i].kind, refs[i].id, person, cell(row, COLUMN_STANCE),
                              words[0] ? words : NULL, language[0] ? language : NULL, time,
                              &row->error);
    *news = folkmoot_written(fm) != before;
    return code;
}

// Who said something at a known time and has no key needs no memo: the voice itself tells.
static bool needs_memo(const struct row *row, int64_t time)
{
    return row->named || time == 0;
}

static enum folkmoot_code write_voice(struct row *row, enum row_done *done)
{
    struct folkmoot *fm = row->rows->app->fm;
    uint8_t person[16];
    bool given, news = false;
    int64_t time;
    enum folkmoot_code code = check_voice(row);
    if (code == FOLKMOOT_OK)
        code = read_time(row, &time);
    if (code != FOLKMOOT_OK)
        return code;
    if (needs_memo(row, time) && memo_is(fm, "cells", row->name, row->kind, row->print))
        return FOLKMOOT_OK;
    code = read_person(row, person, &given);
    if (code == FOLKMOOT_OK)
        code = give_voices(row, person, time, &news);
    if (code == FOLKMOOT_OK && needs_memo(row, time))
        code = memo_put(fm, "cells", row->name, row->kind, row->print, &row->error);
    *done = news ? ROW_VOICED : ROW_UNCHANGED;
    return code;
}

// --- two that are one ---

static enum folkmoot_code write_same(struct row *row, enum row_done *done)
{
    struct folkmoot *fm = row->rows->app->fm;
    struct ref refs[2];
    size_t n;
    int64_t time;
    if (memo_is(fm, "cells", row->name, row->kind, row->print))
        return FOLKMOOT_OK;
    enum folkmoot_code code = read_time(row, &time);
    if (code == FOLKMOOT_OK)
        code = read_about(row, refs, 2, &n);
    if (code != FOLKMOOT_OK)
        return code;
    if (n != 2 || strcmp(refs[0].kind, refs[1].kind) != 0)
        return refuse(row, "about: has to name two records of one kind, that are one");
    uint32_t before = folkmoot_written(fm);
    code = folkmoot_same(fm, refs[0].kind, refs[0].id, refs[1].id, true, time, &row->error);
    if (code == FOLKMOOT_OK)
        code = memo_put(fm, "cells", row->name, row->kind, row->print, &row->error);
    *done = folkmoot_written(fm) != before ? ROW_JOINED : ROW_UNCHANGED;
    return code;
}

// --- records ---

static enum folkmoot_code read_values(struct row *row, struct values *values)
{
    uint8_t person[16];
    bool given;
    enum folkmoot_code code = read_person(row, person, &given);
    if (code == FOLKMOOT_OK && cell(row, COLUMN_STANCE)[0])
        return refuse(row, "only a voice has a stance");
    if (code == FOLKMOOT_OK)
        code = values_read(values, row->rows->app, &row->cells, row->kind, &row->error);
    if (code == FOLKMOOT_OK && given)
        code = values_add_id(values, "speaker", person, &row->error);
    return code;
}

static enum folkmoot_code add(struct row *row, const struct values *values, int64_t time)
{
    struct folkmoot *fm = row->rows->app->fm;
    enum folkmoot_code code =
        folkmoot_add(fm, row->kind, values->list, values->n, time, row->id, &row->error);
    if (code == FOLKMOOT_OK)
        code = folkmoot_name(fm, row->name, row->kind, row->id, &row->error);
    if (code == FOLKMOOT_OK && row->named)
        code = news_said(fm, row->name, row->kind, row->id, values, &row->error);
    return code;
}

static enum folkmoot_code edit(struct row *row, const struct values *values, int64_t time,
                               enum row_done *done)
{
    struct news news NEWS_CLEANUP = {.n = 0};
    struct folkmoot *fm = row->rows->app->fm;
    bool again = gone_is_withdrawn(fm, row->kind, row->id);
    enum folkmoot_code code =
        news_find(&news, fm, row->name, row->kind, row->id, values, again, &row->error);
    if (code != FOLKMOOT_OK || news.n == 0)
        return code;
    *done = ROW_EDITED;
    code = folkmoot_correct(fm, row->kind, row->id, news.list, news.n, time, &row->error);
    return code == FOLKMOOT_OK ? news_note(&news, fm, row->name, row->kind, row->id, &row->error)
                               : code;
}

static enum folkmoot_code write_values(struct row *row, bool known, enum row_done *done)
{
    struct values values VALUES_CLEANUP = {.n = 0};
    int64_t time;
    enum folkmoot_code code = read_time(row, &time);
    if (code == FOLKMOOT_OK)
        code = read_values(row, &values);
    if (code == FOLKMOOT_OK && !known)
        *done = ROW_ADDED;
    if (code == FOLKMOOT_OK)
        code = known ? edit(row, &values, time, done) : add(row, &values, time);
    if (code == FOLKMOOT_OK)
        code = memo_put(row->rows->app->fm, "cells", row->name, row->kind, row->print, &row->error);
    return code;
}

static enum folkmoot_code write_record(struct row *row, enum row_done *done)
{
    struct folkmoot *fm = row->rows->app->fm;
    char kind[REF_KIND_BYTES];
    enum folkmoot_code code = folkmoot_named(fm, row->name, kind, sizeof(kind), row->id);
    if (code != FOLKMOOT_OK && code != FOLKMOOT_NOT_FOUND) {
        row->error.code = code;
        snprintf(row->error.text, sizeof(row->error.text),
                 "the store could not say what \"%.80s\" is", row->name);
        return code;
    }
    bool known = code == FOLKMOOT_OK;
    if (known && strcmp(kind, row->kind) != 0)
        return refuse(row, "the key \"%.80s\" already names a %s, of an earlier import", row->name,
                      kind);
    if (known && memo_is(fm, "cells", row->name, row->kind, row->print) &&
        !gone_is_withdrawn(fm, row->kind, row->id))
        return FOLKMOOT_OK;
    return write_values(row, known, done);
}

enum folkmoot_code row_write(struct row *row, enum row_done *done)
{
    *done = ROW_UNCHANGED;
    if (strcmp(row->kind, "voice") == 0)
        return write_voice(row, done);
    if (strcmp(row->kind, "same_as") == 0)
        return write_same(row, done);
    return write_record(row, done);
}
