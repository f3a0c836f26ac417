#include "client/command/audience.h"

#include <stdio.h>

#include "client/command/json.h"
#include "client/command/ref.h"
#include "client/command/writing.h"

// How wide an audience is, narrowest first; -1: there is no such one.
static int width_of(const char *name)
{
    const char *known;
    for (int i = 0; (known = folkmoot_field_value("need", "audience", (size_t)i)); i++) {
        if (strcmp(known, name) == 0)
            return i;
    }
    return -1;
}

// Of several values that stand side by side the narrowest holds, and what this version does not
// know is as narrow as can be; without one it is the community.
static const char *audience_of(const struct folkmoot_record *record, bool *said)
{
    int narrowest = -1;
    *said = false;
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        for (size_t k = 0; k < field->values_n && strcmp(field->name, "audience") == 0; k++) {
            int width = width_of(field->values[k].text);
            int known = width < 0 ? 0 : width;
            narrowest = !*said || known < narrowest ? known : narrowest;
            *said = true;
        }
    }
    return folkmoot_field_value("need", "audience", narrowest < 0 ? 0 : (size_t)narrowest);
}

static enum command_exit show(struct app *app, const struct ref *ref)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    bool said;
    if (folkmoot_record_get(app->fm, ref->kind, ref->id, FOLKMOOT_BRIEF, &record, &error) !=
        FOLKMOOT_OK)
        return app_fail(&error);
    const char *audience = audience_of(&record, &said);
    folkmoot_record_done(&record);
    if (app->json) {
        cJSON *document = json_ref(ref->kind, ref->id);
        cJSON_AddStringToObject(document, "audience", audience);
        cJSON_AddBoolToObject(document, "said", said);
        return json_print(document);
    }
    printf("%s%s\n", audience, said ? "" : " (nobody has said so)");
    return COMMAND_OK;
}

static enum command_exit put(struct app *app, const struct ref *ref, const char *audience)
{
    struct folkmoot_put put = {"audience", audience};
    struct folkmoot_error error = {0};
    int64_t time;
    if (width_of(audience) < 0)
        return app_say(COMMAND_USAGE,
                       "\"%s\" is no audience; say community, organisations or public", audience);
    enum command_exit done = writing_time(app, &time);
    if (done != COMMAND_OK)
        return done;
    if (folkmoot_edit(app->fm, ref->kind, ref->id, &put, 1, time, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    char text[40];
    snprintf(text, sizeof(text), "is for: %s", audience);
    return writing_report(app, text, ref, "");
}

enum command_exit audience_command(struct app *app)
{
    struct ref ref;
    enum command_exit done = ref_find(app, app->call.args[0], &ref);
    if (done != COMMAND_OK)
        return done;
    return app->call.args_n == 2 ? put(app, &ref, app->call.args[1]) : show(app, &ref);
}
