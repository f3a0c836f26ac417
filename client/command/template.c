#include "client/command/template.h"

#include <stdio.h>
#include <string.h>

static const char *copy(struct arena *arena, const char *text, size_t n)
{
    char *out = arena_alloc(arena, n + 1, 1);
    if (out && n)
        memcpy(out, text, n);
    return out;
}

// Moves *text and *n past the spaces around them.
static void trim(const char **text, size_t *n)
{
    static const char space[] = " \t\r\n";
    while (*n && strchr(space, **text)) {
        ++*text;
        --*n;
    }
    while (*n && strchr(space, (*text)[*n - 1]))
        --*n;
}

// --- reading ---

static const char *read_reference(struct part *part, const char *text, size_t n,
                                  struct arena *arena)
{
    static const char arrow[] = "->";
    const char *end = NULL;
    for (size_t i = 0; i + 2 <= n; i++) {
        if (memcmp(text + i, arrow, 2) == 0)
            end = text + i;
    }
    if (end) {
        const char *name = end + 2;
        size_t name_n = n - (size_t)(name - text);
        trim(&name, &name_n);
        part->lookup_name = copy(arena, name, name_n);
        n = (size_t)(end - text);
    }
    trim(&text, &n);
    part->text = copy(arena, text, n);
    if (!part->text || (end && !part->lookup_name))
        return "there is not enough memory for it";
    part->what = PART_COLUMN;
    if (strcmp(part->text, ":source") == 0)
        part->what = PART_SOURCE;
    else if (strcmp(part->text, ":column") == 0)
        part->what = PART_EACH_COLUMN;
    else if (strcmp(part->text, ":cell") == 0)
        part->what = PART_EACH_CELL;
    return n ? NULL : "{} names no column";
}

// The text up to the next reference, with what is escaped in it. Its end, or NULL without memory.
static const char *read_text(struct part *part, const char *text, struct arena *arena)
{
    char *out = arena_alloc(arena, strlen(text) + 1, 1);
    part->what = PART_TEXT;
    part->text = out;
    if (!out)
        return NULL;
    while (*text && (*text != '{' || text[1] == '{')) {
        bool escape = *text == '\\' && (text[1] == 'n' || text[1] == '\\');
        if (escape || ((*text == '{' || *text == '}') && text[1] == *text))
            text++;
        *out++ = escape && *text == 'n' ? '\n' : *text;
        text++;
    }
    return text;
}

const char *template_read(struct template *out, const char *text, struct arena *arena)
{
    out->parts = arena_alloc(arena, TEMPLATE_PARTS_MAX, sizeof(*out->parts));
    while (out->parts && *text) {
        if (out->n == TEMPLATE_PARTS_MAX)
            return "it is made of too many parts";
        struct part *part = &out->parts[out->n++];
        if (*text != '{' || text[1] == '{') {
            text = read_text(part, text, arena);
            if (!text)
                return "there is not enough memory for it";
            continue;
        }
        const char *end = strchr(text, '}');
        if (!end)
            return "a { has no } behind it";
        const char *wrong = read_reference(part, text + 1, (size_t)(end - text) - 1, arena);
        if (wrong)
            return wrong;
        text = end + 1;
    }
    return out->parts ? NULL : "there is not enough memory for it";
}

// --- finding columns ---

static bool find_column(const struct table *table, const char *name, size_t n, size_t *column)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = table_cell(table, 0, i);
        size_t text_n = strlen(text);
        trim(&text, &text_n);
        if (text_n == n && memcmp(text, name, n) == 0) {
            *column = i;
            return true;
        }
    }
    return false;
}

static const char *bind_columns(struct part *part, const struct table *table, struct arena *arena)
{
    bool optional = false;
    for (const char *at = part->text;;) {
        size_t n = strcspn(at, "|");
        const char *name = at;
        size_t name_n = n;
        trim(&name, &name_n);
        size_t column;
        optional = optional || name_n == 0;
        if (name_n && find_column(table, name, name_n, &column) &&
            part->columns_n < TEMPLATE_CHOICES_MAX)
            part->columns[part->columns_n++] = column;
        if (!at[n])
            break;
        at += n + 1;
    }
    if (part->columns_n || optional)
        return NULL;
    char *text = arena_alloc(arena, 400, 1);
    if (text)
        snprintf(text, 400,
                 "%s has no column \"%.80s\"; its first line names \"%.40s\", \"%.40s\" … (write "
                 "{%.80s|} when it may be missing)",
                 table->path, part->text, table_cell(table, 0, 0),
                 table_cell(table, 0, table->columns - 1), part->text);
    return text ? text : "a column is missing";
}

static const char *bind_lookup(struct part *part, const struct lookup *lookups, size_t n,
                               struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(lookups[i].name, part->lookup_name) == 0) {
            part->lookup = &lookups[i];
            return NULL;
        }
    }
    char *text = arena_alloc(arena, 200, 1);
    if (text)
        snprintf(text, 200, "there is no [values %.80s] in it", part->lookup_name);
    return text ? text : "a table of values is missing";
}

const char *template_bind(struct template *template, const struct table *table,
                          const struct lookup *lookups, size_t lookups_n, struct arena *arena)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < template->n && !wrong; i++) {
        struct part *part = &template->parts[i];
        if (part->what == PART_COLUMN)
            wrong = bind_columns(part, table, arena);
        if (!wrong && part->lookup_name)
            wrong = bind_lookup(part, lookups, lookups_n, arena);
    }
    return wrong;
}

const char *template_column(const struct template *template, const struct table *table)
{
    for (size_t i = 0; i < template->n; i++) {
        if (template->parts[i].columns_n)
            return table_cell(table, 0, template->parts[i].columns[0]);
    }
    return NULL;
}

// --- filling ---

// What a part says in this row, without the spaces around it.
static struct bytes part_text(const struct part *part, const struct making *making)
{
    const char *text = "";
    size_t n = 0;
    if (part->what == PART_SOURCE)
        text = making->source ? making->source : "";
    else if (part->what == PART_EACH_COLUMN)
        text = table_cell(making->table, 0, making->column);
    else if (part->what == PART_EACH_CELL)
        text = table_cell(making->table, making->row, making->column);
    n = strlen(text);
    trim(&text, &n);
    for (size_t i = 0; i < part->columns_n && n == 0; i++) {
        text = table_cell(making->table, making->row, part->columns[i]);
        n = strlen(text);
        trim(&text, &n);
    }
    return bytes_of(text, n);
}

static enum folkmoot_code look_up(const struct part *part, struct bytes *text,
                                  struct folkmoot_error *error)
{
    const struct lookup *lookup = part->lookup;
    for (size_t i = 0; i < lookup->n; i++) {
        if (bytes_equal(*text, bytes_of_text(lookup->pairs[i].from))) {
            *text = bytes_of_text(lookup->pairs[i].to);
            return FOLKMOOT_OK;
        }
    }
    if (lookup->other) {
        *text = bytes_of_text(lookup->other);
        return FOLKMOOT_OK;
    }
    error->code = FOLKMOOT_INVALID;
    snprintf(error->text, sizeof(error->text),
             "column \"%.60s\" says \"%.60s\", which [values %.40s] of the mapping does not know: "
             "add a line for it",
             part->text, text->n ? (const char *)text->p : "", lookup->name);
    return error->code;
}

static enum folkmoot_code fill(const struct template *template, const struct making *making,
                               struct buf *out, bool *says, struct folkmoot_error *error)
{
    bool any = false;
    *says = false;
    for (size_t i = 0; i < template->n; i++) {
        const struct part *part = &template->parts[i];
        if (part->what == PART_TEXT) {
            buf_put_text(out, part->text);
            continue;
        }
        struct bytes text = part_text(part, making);
        enum folkmoot_code code = FOLKMOOT_OK;
        if (part->lookup && text.n)
            code = look_up(part, &text, error);
        if (code != FOLKMOOT_OK)
            return code;
        buf_put(out, text);
        any = any || part->what != PART_SOURCE;
        *says = *says || (text.n && part->what != PART_SOURCE);
    }
    *says = *says || !any;
    return FOLKMOOT_OK;
}

enum folkmoot_code template_fill(const struct template *template, const struct making *making,
                                 const char **text, struct folkmoot_error *error)
{
    struct buf out BUF_CLEANUP = {.max = 1 << 20};
    bool says;
    *text = "";
    if (template->raw) {
        *text = table_cell(making->table, making->row, template->parts[0].columns[0]);
        return FOLKMOOT_OK;
    }
    enum folkmoot_code code = fill(template, making, &out, &says, error);
    if (code != FOLKMOOT_OK || !says || out.n == 0)
        return code;
    const char *made = out.err ? NULL : copy(making->arena, (const char *)out.p, out.n);
    if (made) {
        *text = made;
        return FOLKMOOT_OK;
    }
    error->code = FOLKMOOT_INVALID;
    snprintf(error->text, sizeof(error->text), "the row is too long");
    return error->code;
}
