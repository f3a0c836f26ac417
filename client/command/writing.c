#include "client/command/writing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/command/instant.h"
#include "client/command/json.h"
#include "client/command/puts.h"
#include "client/command/speaker.h"
#include "client/command/voice.h"

enum { NAME_BYTES_MAX = 64 };

enum command_exit writing_time(const struct app *app, int64_t *time)
{
    const char *text = options_value(&app->call, "time");
    *time = 0;
    if (!text || instant_parse(text, time))
        return COMMAND_OK;
    return app_say(COMMAND_USAGE,
                   "\"%s\" is no time; write 2026-11-23, 2026-11-23T10:30 or 2026-11-23T10:30:00Z",
                   text);
}

enum command_exit writing_report(const struct app *app, const char *done, const struct ref *ref,
                                 const char *card)
{
    if (app->json) {
        cJSON *document = json_ref(ref->kind, ref->id);
        cJSON_AddStringToObject(document, "done", done);
        if (card[0])
            cJSON_AddStringToObject(document, "card", card);
        return json_print(document);
    }
    char short_id[REF_SHORT_BYTES];
    ref_short(ref->id, short_id);
    printf("%s %s %s\n", ref->kind, short_id, done);
    if (card[0])
        printf("card %s  (give it to the person: it is kept nowhere else)\n", card);
    return COMMAND_OK;
}

// --- add ---

static enum command_exit check_kind(const char *kind)
{
    if (!puts_is_kind(kind))
        return app_say(COMMAND_USAGE, "there is no kind \"%s\"; see folkmoot help add", kind);
    if (strcmp(kind, "same_as") == 0)
        return app_say(COMMAND_USAGE, "use folkmoot same REF REF to say that two records are one");
    return COMMAND_OK;
}

enum command_exit writing_add(struct app *app)
{
    const char *kind = app->call.args[0];
    if (strcmp(kind, "voice") == 0)
        return voice_add(app);
    struct puts puts = {.n = 0};
    struct ref ref = {.kind = ""};
    char card[SPEAKER_CARD_BYTES];
    uint8_t person[16];
    bool spoken;
    int64_t time;
    enum command_exit done = check_kind(kind);
    if (done == COMMAND_OK)
        done = writing_time(app, &time);
    if (done == COMMAND_OK)
        done = puts_add_options(app, &puts, kind);
    if (done == COMMAND_OK)
        done = speaker_option(app, &spoken, person, card);
    if (done == COMMAND_OK && spoken)
        done = puts_add_id(&puts, "speaker", person);
    if (done != COMMAND_OK)
        return done;
    if (puts.n == 0)
        return app_say(COMMAND_USAGE, "say what the %s is, with --words at least", kind);
    struct folkmoot_error error = {0};
    snprintf(ref.kind, sizeof(ref.kind), "%s", kind);
    if (folkmoot_add(app->fm, kind, puts.list, puts.n, time, ref.id, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return writing_report(app, "added", &ref, card);
}

// --- edit ---

// Cuts "field=value" in two; the field's name gets _ for -.
static const char *cut(const char *text, char name[NAME_BYTES_MAX])
{
    size_t n = strcspn(text, "=");
    snprintf(name, NAME_BYTES_MAX, "%.*s", (int)(n < NAME_BYTES_MAX ? n : 0), text);
    for (char *at = name; *at; at++)
        *at = (char)(*at == '-' ? '_' : *at);
    return text[n] == '=' ? text + n + 1 : NULL;
}

static const char *own_name(const char *kind, const char *text)
{
    char name[NAME_BYTES_MAX];
    const char *field;
    cut(text, name);
    for (size_t i = 0; (field = folkmoot_field_name(kind, i)); i++) {
        if (strcmp(field, name) == 0)
            return field;
    }
    return NULL;
}

static enum command_exit add_clears(struct app *app, struct puts *puts, const char *kind)
{
    const char *text;
    enum command_exit done = COMMAND_OK;
    for (size_t i = 0; done == COMMAND_OK && (text = options_next(&app->call, "clear", &i));) {
        const char *field = own_name(kind, text);
        done = puts_add(app, puts, kind, field ? field : text, NULL);
    }
    return done;
}

static enum command_exit remove_values(struct app *app, const struct ref *ref, int64_t time)
{
    const char *text;
    for (size_t i = 0; (text = options_next(&app->call, "remove", &i));) {
        struct puts one = {.n = 0};
        struct folkmoot_error error = {0};
        const char *equals = strchr(text, '=');
        const char *field = own_name(ref->kind, text);
        if (!equals || !field)
            return app_say(COMMAND_USAGE, "--remove takes FIELD=VALUE, a field of a %s, not \"%s\"",
                           ref->kind, text);
        enum command_exit done = puts_add(app, &one, ref->kind, field, equals + 1);
        if (done != COMMAND_OK)
            return done;
        if (folkmoot_remove(app->fm, ref->kind, ref->id, field, one.list[0].value, time, &error) !=
            FOLKMOOT_OK)
            return app_fail(&error);
    }
    return COMMAND_OK;
}

static enum command_exit put_values(struct app *app, const struct ref *ref, const struct puts *puts,
                                    int64_t time)
{
    struct folkmoot_error error = {0};
    if (puts->n && folkmoot_edit(app->fm, ref->kind, ref->id, puts->list, puts->n, time, &error) !=
                       FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

// All that one command line asks for, or nothing.
static enum command_exit edit_at_once(struct app *app, const struct ref *ref,
                                      const struct puts *puts, int64_t time)
{
    struct folkmoot_error error = {0};
    if (folkmoot_begin(app->fm, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    enum command_exit done = put_values(app, ref, puts, time);
    if (done == COMMAND_OK)
        done = remove_values(app, ref, time);
    bool failed = folkmoot_end(app->fm, done == COMMAND_OK, &error) != FOLKMOOT_OK;
    return failed && done == COMMAND_OK ? app_fail(&error) : done;
}

enum command_exit writing_edit(struct app *app)
{
    struct puts puts = {.n = 0};
    struct ref ref;
    int64_t time;
    enum command_exit done = ref_find(app, app->call.args[0], &ref);
    if (done == COMMAND_OK)
        done = writing_time(app, &time);
    if (done == COMMAND_OK)
        done = puts_add_options(app, &puts, ref.kind);
    if (done == COMMAND_OK)
        done = add_clears(app, &puts, ref.kind);
    if (done != COMMAND_OK)
        return done;
    if (puts.n == 0 && !options_given(&app->call, "remove"))
        return app_say(COMMAND_USAGE,
                       "say what to change, with --FIELD VALUE, --clear or --remove");
    done = edit_at_once(app, &ref, &puts, time);
    return done == COMMAND_OK ? writing_report(app, "edited", &ref, "") : done;
}

// --- resolve ---

static const struct folkmoot_field *find_field(const struct folkmoot_record *record,
                                               const char *name)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    }
    return NULL;
}

// "@2" → the second value; anything else stands for itself.
static enum command_exit pick(const struct folkmoot_field *field, const char *text,
                              const char **value)
{
    *value = text;
    if (text[0] != '@' || text[1] < '0' || text[1] > '9')
        return COMMAND_OK;
    char *end;
    unsigned long n = strtoul(text + 1, &end, 10);
    if (*end)
        return COMMAND_OK;
    if (n < 1 || n > field->values_n)
        return app_say(COMMAND_FAILED, "there is no value %s: %s has %zu of them", text,
                       field->name, field->values_n);
    *value = field->values[n - 1].text;
    return COMMAND_OK;
}

static enum command_exit resolve(struct app *app, const struct ref *ref,
                                 const struct folkmoot_record *record,
                                 const struct call_option *option, int64_t time)
{
    struct puts puts = {.n = 0};
    const char *value;
    const struct folkmoot_field *field = find_field(record, option->name);
    if (!field || !field->tension)
        return app_say(COMMAND_FAILED, "there is no tension in %s; to change it, use folkmoot edit",
                       option->name);
    enum command_exit done = pick(field, option->value, &value);
    if (done == COMMAND_OK)
        done = puts_add(app, &puts, ref->kind, option->name, value);
    return done == COMMAND_OK ? put_values(app, ref, &puts, time) : done;
}

static const struct call_option *only_field(const struct app *app)
{
    const struct call_option *found = NULL;
    for (size_t i = 0; i < app->call.options_n; i++) {
        if (!app->call.options[i].field)
            continue;
        if (found)
            return NULL;
        found = &app->call.options[i];
    }
    return found;
}

enum command_exit writing_resolve(struct app *app)
{
    struct ref ref;
    int64_t time;
    struct folkmoot_record record = {.fields_n = 0};
    struct folkmoot_error error = {0};
    const struct call_option *option = only_field(app);
    if (!option)
        return app_say(COMMAND_USAGE, "say one field and which value holds: --FIELD VALUE or @N");
    enum command_exit done = ref_find(app, app->call.args[0], &ref);
    if (done == COMMAND_OK)
        done = writing_time(app, &time);
    if (done != COMMAND_OK)
        return done;
    if (folkmoot_record_get(app->fm, ref.kind, ref.id, FOLKMOOT_BRIEF, &record, &error) !=
        FOLKMOOT_OK)
        return app_fail(&error);
    done = resolve(app, &ref, &record, option, time);
    folkmoot_record_done(&record);
    return done == COMMAND_OK ? writing_report(app, "resolved", &ref, "") : done;
}

// --- same, undo ---

enum command_exit writing_same(struct app *app)
{
    struct ref a, b;
    int64_t time;
    bool same = !options_given(&app->call, "part");
    enum command_exit done = ref_find(app, app->call.args[0], &a);
    if (done == COMMAND_OK)
        done = ref_find(app, app->call.args[1], &b);
    if (done == COMMAND_OK)
        done = writing_time(app, &time);
    if (done != COMMAND_OK)
        return done;
    if (strcmp(a.kind, b.kind) != 0)
        return app_say(COMMAND_FAILED,
                       "one is a %s and the other a %s: only two of one kind can be one", a.kind,
                       b.kind);
    struct folkmoot_error error = {0};
    if (folkmoot_same(app->fm, a.kind, a.id, b.id, same, time, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    char other[REF_SHORT_BYTES];
    char text[REF_SHORT_BYTES + 30];
    ref_short(b.id, other);
    snprintf(text, sizeof(text), "%s %s", same ? "joined with" : "parted from", other);
    return writing_report(app, text, &a, "");
}

enum command_exit writing_undo(struct app *app)
{
    unsigned long seq = 0;
    if (app->call.args_n == 1) {
        char *end;
        errno = 0;
        seq = strtoul(app->call.args[0], &end, 10);
        if (*end || errno || seq == 0 || seq > UINT32_MAX || app->call.args[0][0] == '-')
            return app_say(COMMAND_USAGE, "\"%s\" is no change's number", app->call.args[0]);
    }
    struct folkmoot_error error = {0};
    if (folkmoot_undo(app->fm, (uint32_t)seq, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    if (app->json) {
        cJSON *document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "done", "undone");
        return json_print(document);
    }
    printf("undone\n");
    return COMMAND_OK;
}
