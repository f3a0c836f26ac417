#include "client/command/voice.h"

#include "client/command/puts.h"
#include "client/command/speaker.h"
#include "client/command/writing.h"

static enum command_exit check_stance(const char *stance)
{
    const char *value;
    for (size_t i = 0; (value = folkmoot_field_value("voice", "stance", i)); i++) {
        if (strcmp(value, stance) == 0)
            return COMMAND_OK;
    }
    return app_say(COMMAND_USAGE, "\"%s\" is no stance; say for, against, unsure or withdrawn",
                   stance);
}

static enum command_exit give(struct app *app, const char *subject, const char *stance)
{
    struct ref ref;
    uint8_t person[16];
    char card[SPEAKER_CARD_BYTES];
    bool spoken;
    int64_t time;
    const char *words = options_value(&app->call, "words");
    const char *language = options_value(&app->call, "language");
    enum command_exit done = check_stance(stance);
    if (done == COMMAND_OK)
        done = writing_time(app, &time);
    if (done == COMMAND_OK)
        done = ref_find(app, subject, &ref);
    if (done == COMMAND_OK)
        done = speaker_option(app, &spoken, person, card);
    if (done == COMMAND_OK && !spoken)
        done = speaker_myself(app, &spoken, person);
    if (done != COMMAND_OK)
        return done;
    if (!spoken)
        return app_say(COMMAND_USAGE, "say whose voice it is: --person CARD, or --person new");
    struct folkmoot_error error = {0};
    if (folkmoot_voice(app->fm, ref.kind, ref.id, person, stance, words, language, time, &error) !=
        FOLKMOOT_OK)
        return app_fail(&error);
    return writing_report(app, stance, &ref, card);
}

enum command_exit voice_give(struct app *app)
{
    return give(app, app->call.args[0], app->call.args[1]);
}

enum command_exit voice_withdraw(struct app *app)
{
    return give(app, app->call.args[0], "withdrawn");
}

enum command_exit voice_add(struct app *app)
{
    static const char *const taken[] = {"about", "stance", "words", "language"};
    for (size_t i = 0; i < app->call.options_n; i++) {
        const struct call_option *option = &app->call.options[i];
        bool known = !option->field;
        for (size_t k = 0; k < sizeof(taken) / sizeof(taken[0]); k++)
            known = known || strcmp(option->name, taken[k]) == 0;
        if (!known)
            return app_say(COMMAND_USAGE,
                           "a voice takes --about, --stance, --person, --words and --language, "
                           "not --%s",
                           option->name);
    }
    const char *about = options_value(&app->call, "about");
    const char *stance = options_value(&app->call, "stance");
    if (!about || !stance)
        return app_say(COMMAND_USAGE, "a voice needs --about REF and --stance STANCE");
    return give(app, about, stance);
}
