#include "client/command/erase.h"

#include <stdio.h>
#include <unistd.h>

#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/ref.h"
#include "client/command/speaker.h"

// --- what is meant ---

static enum command_exit find(struct app *app, struct ref *ref)
{
    const char *person = options_value(&app->call, "person");
    if (person && app->call.args_n)
        return app_say(COMMAND_USAGE, "say a record or a person, not both");
    if (!person && !app->call.args_n)
        return app_say(COMMAND_USAGE, "say what to erase: a REF, or --person CARD");
    if (!person)
        return ref_find(app, app->call.args[0], ref);
    snprintf(ref->kind, sizeof(ref->kind), "person");
    return speaker_find(app, person, ref->id);
}

static bool erases_own_only(const struct app *app)
{
    return options_given(&app->call, "mine") || strcmp(app->community.role, "coordinator") != 0;
}

static void put_title(struct app *app, const struct ref *ref, struct buf *out)
{
    struct folkmoot_record record;
    struct folkmoot_error error;
    char short_id[REF_SHORT_BYTES];
    ref_short(ref->id, short_id);
    buf_put_format(out, "%s %s ", ref->kind, short_id);
    if (folkmoot_record_get(app->fm, ref->kind, ref->id, FOLKMOOT_BRIEF, &record, &error))
        return;
    page_put_value(out, record.title);
    buf_put_text(out, " ");
    folkmoot_record_done(&record);
}

// --- is it meant? ---

static enum command_exit confirm(struct app *app, const struct ref *ref)
{
    char answer[8] = "";
    struct buf BUF_CLEANUP line = {0};
    if (options_given(&app->call, "yes"))
        return COMMAND_OK;
    if (app->json || isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return app_say(COMMAND_USAGE,
                       "what is erased comes back for nobody: say --yes, if that is meant");
    put_title(app, ref, &line);
    buf_put_text(&line, erases_own_only(app)
                            ? "loses what this device wrote of it, for ever and everywhere."
                            : "is erased with all that hangs on it, for ever and everywhere.");
    page_line(0, &line);
    printf("Type yes if that is meant: ");
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return COMMAND_OK;
    return app_say(COMMAND_FAILED, "nothing was erased");
}

// --- what came of it ---

static enum command_exit report(struct app *app, const struct ref *ref, uint32_t erased)
{
    if (app->json) {
        cJSON *document = json_ref(ref->kind, ref->id);
        cJSON_AddStringToObject(document, "done", "erased");
        cJSON_AddNumberToObject(document, "erased_here", erased);
        return json_print(document);
    }
    printf("the words of %u change%s of this device are erased here; the hub erases what it and "
           "others have of %s, from the next sync on\n",
           erased, erased == 1 ? "" : "s", erases_own_only(app) ? "these" : "it");
    return COMMAND_OK;
}

enum command_exit erase_words(struct app *app)
{
    struct ref ref;
    uint32_t erased = 0;
    struct folkmoot_error error = {0};
    enum command_exit done = find(app, &ref);
    if (done == COMMAND_OK)
        done = confirm(app, &ref);
    if (done != COMMAND_OK)
        return done;
    bool own_only = options_given(&app->call, "mine");
    if (folkmoot_erase(app->fm, ref.kind, ref.id, own_only, &erased, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return report(app, &ref, erased);
}
