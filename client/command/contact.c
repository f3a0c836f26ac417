#include "client/command/contact.h"

#include <stdio.h>

#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/puts.h"
#include "client/command/speaker.h"
#include "client/command/writing.h"

static bool is_about(const struct folkmoot_record *record, const uint8_t person[16])
{
    for (size_t i = 0; i < record->about_n; i++) {
        if (strcmp(record->about[i].kind, "person") == 0 &&
            memcmp(record->about[i].id, person, 16) == 0)
            return true;
    }
    return false;
}

// --- what there is ---

struct contacts {
    const uint8_t *person;
    struct ref first; // of them; its kind is "" when there is none
    cJSON *json;      // NULL: print
    bool shows;
};

static void print_contact(const struct folkmoot_record *record)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        for (size_t k = 0; k < field->values_n && strcmp(field->name, "about") != 0; k++) {
            struct buf BUF_CLEANUP line = {0};
            buf_put_format(&line, "%-12s", field->name);
            page_put_value(&line, field->values[k].text);
            page_line(0, &line);
        }
    }
}

static bool take(const struct folkmoot_record *record, void *arg)
{
    struct contacts *contacts = arg;
    if (!is_about(record, contacts->person))
        return true;
    if (!contacts->first.kind[0]) {
        snprintf(contacts->first.kind, sizeof(contacts->first.kind), "%s", record->kind);
        memcpy(contacts->first.id, record->id, sizeof(contacts->first.id));
    }
    if (contacts->json)
        cJSON_AddItemToArray(contacts->json, json_record(record, true));
    else if (contacts->shows)
        print_contact(record);
    return true;
}

static enum command_exit look(struct app *app, struct contacts *contacts)
{
    struct folkmoot_error error = {0};
    if (folkmoot_list(app->fm, "contact", take, contacts, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

static enum command_exit show(struct app *app, const uint8_t person[16])
{
    struct contacts contacts = {.person = person, .shows = true};
    cJSON *document = app->json ? cJSON_CreateObject() : NULL;
    if (document)
        contacts.json = cJSON_AddArrayToObject(document, "contacts");
    enum command_exit done = look(app, &contacts);
    if (document && done == COMMAND_OK)
        return json_print(document);
    cJSON_Delete(document);
    if (done == COMMAND_OK && !contacts.first.kind[0])
        return app_say(COMMAND_FAILED,
                       "this device has no contact of that person; only coordinators and who wrote "
                       "one down have it");
    return done;
}

// --- adding to it ---

static enum command_exit write_down(struct app *app, const uint8_t person[16], struct puts *puts)
{
    struct contacts contacts = {.person = person};
    struct folkmoot_error error = {0};
    char about[REF_TEXT_BYTES];
    int64_t time;
    enum command_exit done = writing_time(app, &time);
    if (done == COMMAND_OK)
        done = look(app, &contacts);
    if (done != COMMAND_OK)
        return done;
    struct ref *ref = &contacts.first;
    bool known = ref->kind[0];
    ref_text("person", person, about);
    if (!known)
        done = puts_add(app, puts, "contact", "about", about);
    if (done != COMMAND_OK)
        return done;
    enum folkmoot_code code =
        known ? folkmoot_edit(app->fm, "contact", ref->id, puts->list, puts->n, time, &error)
              : folkmoot_add(app->fm, "contact", puts->list, puts->n, time, ref->id, &error);
    if (code != FOLKMOOT_OK)
        return app_fail(&error);
    snprintf(ref->kind, sizeof(ref->kind), "contact");
    return writing_report(app, known ? "edited" : "added", ref, "");
}

enum command_exit contact_command(struct app *app)
{
    uint8_t person[16];
    struct puts puts = {.n = 0};
    enum command_exit done = speaker_find(app, app->call.args[0], person);
    if (done == COMMAND_OK)
        done = puts_add_options(app, &puts, "contact");
    if (done != COMMAND_OK)
        return done;
    return puts.n ? write_down(app, person, &puts) : show(app, person);
}
