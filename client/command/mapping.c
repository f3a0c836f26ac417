#include "client/command/mapping.h"

#include "client/command/file.h"
#include "client/command/numbers.h"
#include "client/command/puts.h"

enum { RULE_COLUMNS_MAX = 48, ARENA_MAX = 64 << 20, SOURCE_BYTES_MAX = 100 };

// The reader knows in which section it is.
struct reading {
    struct mapping *mapping;
    uint32_t line;
    bool in_table;
    struct rule *rule;     // NULL: not in a record's section
    struct lookup *lookup; // NULL: not in a table of values
};

static enum command_exit wrong(const struct reading *reading, const char *text, const char *about)
{
    return app_say(COMMAND_USAGE, "%s:%u: %s%s%.100s%s", reading->mapping->path, reading->line,
                   text, about ? " \"" : "", about ? about : "", about ? "\"" : "");
}

static char *strip(char *text)
{
    text += strspn(text, " \t\r");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]);)
        text[--n] = 0;
    return text;
}

// --- [table] ---

static bool read_area(struct mapping *mapping, const char *text)
{
    double sides[4];
    mapping->has_area = numbers_read(text, sides, 4) && sides[0] < sides[2] && sides[1] < sides[3];
    if (mapping->has_area)
        mapping->area = (struct area){sides[0], sides[1], sides[2], sides[3]};
    return mapping->has_area;
}

static bool read_dates(struct mapping *mapping, const char *text)
{
    mapping->dates = strcmp(text, "day/month/year") == 0 ? DATES_DAY_FIRST : DATES_MONTH_FIRST;
    return mapping->dates == DATES_DAY_FIRST || strcmp(text, "month/day/year") == 0;
}

static bool read_separator(struct mapping *mapping, const char *text)
{
    static const struct pair names[] = {{"comma", ","}, {"semicolon", ";"}, {"tab", "\t"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i].from) == 0)
            mapping->form.separator = names[i].to[0];
    }
    return mapping->form.separator != 0;
}

static bool read_yes(bool *out, const char *text)
{
    *out = strcmp(text, "yes") == 0;
    return *out || strcmp(text, "no") == 0;
}

static enum command_exit read_table(struct reading *reading, const char *name, const char *value)
{
    struct mapping *mapping = reading->mapping;
    bool right = true;
    if (strcmp(name, "source") == 0)
        mapping->source = value;
    else if (strcmp(name, "charset") == 0)
        mapping->form.charset = value;
    else if (strcmp(name, "list") == 0)
        mapping->form.list = value;
    else if (strcmp(name, "odd pin") == 0)
        mapping->odd = value;
    else if (strcmp(name, "separator") == 0)
        right = read_separator(mapping, value);
    else if (strcmp(name, "area") == 0)
        right = read_area(mapping, value);
    else if (strcmp(name, "dates") == 0)
        right = read_dates(mapping, value);
    else if (strcmp(name, "complete") == 0)
        right = read_yes(&mapping->complete, value);
    else
        return wrong(reading,
                     "[table] has source, charset, separator, list, area, odd pin, dates and "
                     "complete, but no",
                     name);
    return right ? COMMAND_OK
                 : wrong(reading, "this is not what docs/imports.md describes:", value);
}

// --- [KIND …] ---

static bool has_use(const struct rule *rule, enum column_use use, const char *name)
{
    for (size_t i = 0; i < rule->columns.n; i++) {
        const struct column *column = &rule->columns.list[i];
        if (column->use == use && (use != COLUMN_FIELD || strcmp(column->name, name) == 0))
            return true;
    }
    return false;
}

static enum command_exit read_template(struct reading *reading, struct template *template,
                                       const char *value)
{
    template->line = reading->line;
    const char *text = template_read(template, value, &reading->mapping->arena);
    return text ? wrong(reading, text, NULL) : COMMAND_OK;
}

static enum command_exit add_column(struct reading *reading, const char *name, const char *value)
{
    struct rule *rule = reading->rule;
    struct column column;
    columns_name(&column, name, strlen(name));
    bool fits = column.use != COLUMN_IGNORED && column.use != COLUMN_KIND &&
                (column.use != COLUMN_FIELD || puts_kind_has(rule->kind, column.name)) &&
                (column.use != COLUMN_PARTY || puts_kind_has(rule->kind, "party"));
    if (!fits)
        return wrong(reading, "this kind of record has no field", name);
    if (has_use(rule, column.use, column.name))
        return wrong(reading, "a second time in one section:", name);
    if (rule->columns.n == RULE_COLUMNS_MAX)
        return wrong(reading, "more lines than a section may have", NULL);
    rule->columns.list[rule->columns.n] = column;
    return read_template(reading, &rule->templates[rule->columns.n++], value);
}

static enum command_exit read_rule(struct reading *reading, const char *name, const char *value)
{
    struct rule *rule = reading->rule;
    if (strcmp(name, "only if") == 0)
        return read_template(reading, &rule->only, value);
    if (strcmp(name, "for each column") == 0) {
        rule->each = value;
        return COMMAND_OK;
    }
    bool once = strcmp(name, "once") == 0;
    if (once || strcmp(name, "may wait") == 0)
        return read_yes(once ? &rule->once : &rule->may_wait, value)
                   ? COMMAND_OK
                   : wrong(reading, "yes or no is expected, not", value);
    return add_column(reading, name, value);
}

// --- [values NAME] ---

static enum command_exit read_pair(struct reading *reading, const char *name, const char *value)
{
    struct lookup *lookup = reading->lookup;
    if (strcmp(name, "*") == 0) {
        lookup->other = value;
        return COMMAND_OK;
    }
    if (lookup->n == lookup->cap) {
        size_t cap = lookup->cap ? 2 * lookup->cap : 16;
        struct pair *grown = arena_alloc(&reading->mapping->arena, cap, sizeof(*grown));
        if (!grown)
            return wrong(reading, "there is not enough memory for so many values", NULL);
        if (lookup->n)
            memcpy(grown, lookup->pairs, lookup->n * sizeof(*grown));
        lookup->pairs = grown;
        lookup->cap = cap;
    }
    lookup->pairs[lookup->n++] = (struct pair){name, value};
    return COMMAND_OK;
}

// --- lines ---

static enum command_exit begin_rule(struct reading *reading, char *text)
{
    struct mapping *mapping = reading->mapping;
    text[strcspn(text, " ")] = 0;
    if (!puts_is_kind(text))
        return wrong(reading, "[table], [values NAME] or [KIND …] is expected, not", text);
    if (mapping->rules_n == MAPPING_RULES_MAX)
        return wrong(reading, "more sections than a mapping may have", NULL);
    struct rule *rule = &mapping->rules[mapping->rules_n++];
    *rule = (struct rule){.kind = text, .line = reading->line};
    rule->columns.list =
        arena_alloc(&mapping->arena, RULE_COLUMNS_MAX + 1, sizeof(*rule->columns.list));
    rule->templates = arena_alloc(&mapping->arena, RULE_COLUMNS_MAX + 1, sizeof(*rule->templates));
    if (!rule->columns.list || !rule->templates)
        return wrong(reading, "there is not enough memory for it", NULL);
    reading->rule = rule;
    return COMMAND_OK;
}

static enum command_exit begin_section(struct reading *reading, char *text)
{
    static const char values[] = "values ";
    struct mapping *mapping = reading->mapping;
    size_t n = strlen(text);
    reading->rule = NULL;
    reading->lookup = NULL;
    if (text[n - 1] != ']')
        return wrong(reading, "a [ has no ] at the end of its line", NULL);
    text[n - 1] = 0;
    text = strip(text + 1);
    reading->in_table = strcmp(text, "table") == 0;
    if (reading->in_table)
        return COMMAND_OK;
    if (strncmp(text, values, strlen(values)) != 0)
        return begin_rule(reading, text);
    if (mapping->lookups_n == MAPPING_LOOKUPS_MAX)
        return wrong(reading, "more tables of values than a mapping may have", NULL);
    reading->lookup = &mapping->lookups[mapping->lookups_n++];
    reading->lookup->name = strip(text + strlen(values));
    return COMMAND_OK;
}

// "NAME = VALUE". A name may have a = in it where no spaces are around that.
static enum command_exit read_setting(struct reading *reading, char *text)
{
    char *equals = strstr(text, " = ");
    char *value = equals ? equals + 3 : NULL;
    if (!equals) {
        equals = strchr(text, '=');
        value = equals ? equals + 1 : NULL;
    }
    if (!equals)
        return wrong(reading, "NAME = VALUE is expected, not", text);
    *equals = 0;
    const char *name = strip(text);
    value = strip(value);
    if (reading->in_table)
        return read_table(reading, name, value);
    if (reading->lookup)
        return read_pair(reading, name, value);
    if (reading->rule)
        return read_rule(reading, name, value);
    return wrong(reading, "a section, such as [need], has to come before", name);
}

static enum command_exit read_lines(struct reading *reading, char *text)
{
    enum command_exit done = COMMAND_OK;
    while (text && done == COMMAND_OK) {
        char *next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        reading->line++;
        text = strip(text);
        if (*text == '[')
            done = begin_section(reading, text);
        else if (*text && *text != '#')
            done = read_setting(reading, text);
        text = next;
    }
    return done;
}

// --- the whole ---

static enum command_exit check_rule(struct mapping *mapping, struct rule *rule)
{
    struct reading at = {.mapping = mapping, .line = rule->line, .rule = rule};
    if (rule->once && !has_use(rule, COLUMN_KEY, NULL))
        return wrong(&at, "a record that is told of once needs a key", NULL);
    if (rule->columns.n == 0)
        return wrong(&at, "this section makes a record that says nothing", NULL);
    // Where the category of an odd pin goes.
    bool pins = mapping->has_area && has_use(rule, COLUMN_PLACE_POINT, NULL);
    if (pins && puts_kind_has(rule->kind, "category") && !has_use(rule, COLUMN_FIELD, "category"))
        return add_column(&at, "category", "");
    return COMMAND_OK;
}

static enum command_exit check(struct mapping *mapping)
{
    enum command_exit done = COMMAND_OK;
    if (mapping->rules_n == 0)
        return app_say(COMMAND_USAGE, "%s makes no records: it needs a section such as [need]",
                       mapping->path);
    if (mapping->complete && (!mapping->source || !has_use(&mapping->rules[0], COLUMN_KEY, NULL)))
        return app_say(
            COMMAND_USAGE,
            "%s: a table that is complete needs a source, and a key in the first section",
            mapping->path);
    for (size_t i = 0; i < mapping->rules_n && done == COMMAND_OK; i++)
        done = check_rule(mapping, &mapping->rules[i]);
    return done;
}

static enum command_exit read_mapping(struct mapping *mapping, const char *path)
{
    struct buf text BUF_CLEANUP = {.max = MAPPING_BYTES_MAX};
    struct reading reading = {.mapping = mapping};
    mapping->path = path;
    enum command_exit done = file_read(path, NULL, &text, NULL);
    if (done != COMMAND_OK)
        return done;
    struct bytes copy = arena_copy(&mapping->arena, buf_bytes(&text)); // ends with a zero byte
    if (!copy.p)
        return app_say(COMMAND_FAILED, "%s is too large", path);
    done = read_lines(&reading, (char *)copy.p);
    return done == COMMAND_OK ? check(mapping) : done;
}

enum command_exit mapping_read(struct mapping *mapping, const struct app *app)
{
    const char *path = options_value(&app->call, "mapping");
    const char *source = options_value(&app->call, "source");
    arena_init(&mapping->arena, ARENA_MAX);
    mapping->odd = "pin to check";
    enum command_exit done = path ? read_mapping(mapping, path) : COMMAND_OK;
    if (source)
        mapping->source = source;
    if (done == COMMAND_OK && mapping->source && strlen(mapping->source) > SOURCE_BYTES_MAX)
        return app_say(COMMAND_USAGE, "the source's name is longer than %d bytes",
                       SOURCE_BYTES_MAX);
    return done;
}

// --- finding the columns ---

static enum command_exit bind_plain(struct mapping *mapping, const struct app *app,
                                    const struct table *table)
{
    struct rule *rule = &mapping->rules[0];
    struct arena *arena = &mapping->arena;
    rule->kind = "";
    rule->columns.list = arena_alloc(arena, table->columns, sizeof(*rule->columns.list));
    rule->templates = arena_alloc(arena, table->columns, sizeof(*rule->templates));
    struct part *parts = arena_alloc(arena, table->columns, sizeof(*parts));
    if (!rule->columns.list || !rule->templates || !parts)
        return app_say(COMMAND_FAILED, "there is not enough memory for this table");
    for (size_t i = 0; i < table->columns; i++) {
        parts[i] = (struct part){.what = PART_COLUMN, .columns = {i}, .columns_n = 1};
        rule->templates[i] = (struct template){.parts = &parts[i], .n = 1, .raw = true};
    }
    mapping->rules_n = 1;
    return columns_read(&rule->columns, app, table);
}

static enum command_exit bind_one(struct mapping *mapping, struct template *template,
                                  const struct table *table)
{
    const char *text =
        template_bind(template, table, mapping->lookups, mapping->lookups_n, &mapping->arena);
    if (!text)
        return COMMAND_OK;
    return app_say(COMMAND_FAILED, "%s:%u: %s", mapping->path, template->line, text);
}

enum command_exit mapping_bind(struct mapping *mapping, const struct app *app,
                               const struct table *table)
{
    if (!mapping->path)
        return bind_plain(mapping, app, table);
    if (options_given(&app->call, "map"))
        return app_say(COMMAND_USAGE, "use either --mapping or --map");
    enum command_exit done = COMMAND_OK;
    for (size_t i = 0; i < mapping->rules_n && done == COMMAND_OK; i++) {
        struct rule *rule = &mapping->rules[i];
        done = bind_one(mapping, &rule->only, table);
        for (size_t k = 0; k < rule->columns.n && done == COMMAND_OK; k++)
            done = bind_one(mapping, &rule->templates[k], table);
    }
    return done;
}

bool mapping_is_for(const struct rule *rule, const char *column)
{
    size_t n = strlen(rule->each);
    if (strcmp(rule->each, "numbers") == 0)
        return column[0] && column[strspn(column, "0123456789")] == 0;
    if (n && rule->each[n - 1] == '*')
        return strncmp(column, rule->each, n - 1) == 0;
    return strcmp(column, rule->each) == 0;
}

void mapping_done(struct mapping *mapping)
{
    arena_done(&mapping->arena);
}
