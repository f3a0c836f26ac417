#include "client/command/puts.h"

#include <stdio.h>

#include "base/text.h"

bool puts_is_kind(const char *kind)
{
    const char *name;
    for (size_t i = 0; (name = folkmoot_kind_name(i)); i++) {
        if (strcmp(name, kind) == 0)
            return true;
    }
    return false;
}

bool puts_kind_has(const char *kind, const char *field)
{
    const char *name;
    for (size_t i = 0; (name = folkmoot_field_name(kind, i)); i++) {
        if (strcmp(name, field) == 0)
            return true;
    }
    return false;
}

bool puts_is_list(const char *field)
{
    static const char *const lists[] = {"category",    "affected",  "strengths",
                                        "register_id", "telephone", "email"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (strcmp(lists[i], field) == 0)
            return true;
    }
    return false;
}

static bool is_id(const char *text)
{
    return strlen(text) == REF_ID_DIGITS && text[strspn(text, "0123456789abcdefABCDEF")] == 0;
}

// KIND:ID of a record that need not have arrived here yet.
static bool is_whole_ref(const char *text)
{
    char kind[REF_KIND_BYTES];
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof(kind) || !is_id(colon + 1))
        return false;
    snprintf(kind, sizeof(kind), "%.*s", (int)(colon - text), text);
    return puts_is_kind(kind);
}

static enum command_exit look_up(struct app *app, const char *field, const char *value, char *out)
{
    struct ref ref;
    enum command_exit done = ref_find(app, value, &ref);
    if (done != COMMAND_OK)
        return done;
    const char *wanted = strcmp(field, "speaker") == 0 ? "person" : field;
    if (strcmp(field, "about") == 0)
        ref_text(ref.kind, ref.id, out);
    else if (strcmp(ref.kind, wanted) == 0)
        ref_hex(ref.id, out);
    else
        return app_say(COMMAND_FAILED, "\"%s\" is a %s, and --%s takes a %s", value, ref.kind,
                       field, wanted);
    return COMMAND_OK;
}

static enum command_exit has_room(const struct puts *puts)
{
    if (puts->n < PUTS_MAX)
        return COMMAND_OK;
    return app_say(COMMAND_USAGE, "there are more than %d values in one change", PUTS_MAX);
}

enum command_exit puts_add(struct app *app, struct puts *puts, const char *kind, const char *field,
                           const char *value)
{
    if (!puts_kind_has(kind, field))
        return app_say(COMMAND_USAGE, "a %s has no field \"%s\"; see folkmoot help add", kind,
                       field);
    enum command_exit done = has_room(puts);
    if (done != COMMAND_OK)
        return done;
    bool about = strcmp(field, "about") == 0;
    bool ref = about || strcmp(field, "party") == 0 || strcmp(field, "speaker") == 0;
    if (ref && value && !(about ? is_whole_ref(value) : is_id(value))) {
        char *text = puts->refs[puts->n];
        done = look_up(app, field, value, text);
        value = text;
    }
    if (done == COMMAND_OK)
        puts->list[puts->n++] = (struct folkmoot_put){field, value};
    return done;
}

enum command_exit puts_add_id(struct puts *puts, const char *field, const uint8_t *id)
{
    enum command_exit done = has_room(puts);
    if (done != COMMAND_OK)
        return done;
    ref_hex(id, puts->refs[puts->n]);
    puts->list[puts->n] = (struct folkmoot_put){field, puts->refs[puts->n]};
    puts->n++;
    return COMMAND_OK;
}

enum command_exit puts_add_options(struct app *app, struct puts *puts, const char *kind)
{
    enum command_exit done = COMMAND_OK;
    for (size_t i = 0; i < app->call.options_n && done == COMMAND_OK; i++) {
        const struct call_option *option = &app->call.options[i];
        if (option->field)
            done = puts_add(app, puts, kind, option->name, option->value);
    }
    return done;
}
