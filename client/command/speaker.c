#include "client/command/speaker.h"

#include <sys/random.h>

#include "base/text.h"
#include "client/command/ref.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static bool make_code(char code[SPEAKER_CARD_BYTES])
{
    uint8_t random[SPEAKER_CARD_BYTES - 1];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    for (size_t i = 0; i < sizeof(random); i++)
        code[i] = alphabet[random[i] & 31];
    code[SPEAKER_CARD_BYTES - 1] = 0;
    bytes_wipe(random, sizeof(random));
    return true;
}

enum command_exit speaker_option(struct app *app, bool *given, uint8_t person[16],
                                 char fresh[SPEAKER_CARD_BYTES])
{
    const char *code = options_value(&app->call, "person");
    fresh[0] = 0;
    *given = code != NULL;
    if (!code)
        return COMMAND_OK;
    if (strcmp(code, "new") == 0) {
        if (!make_code(fresh))
            return app_say(COMMAND_FAILED, "the system gave no random bytes for a new card");
        code = fresh;
    }
    struct folkmoot_error error = {0};
    if (folkmoot_card(app->fm, code, person, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

static bool is_id(const char *text)
{
    return strlen(text) == REF_ID_DIGITS && text[strspn(text, "0123456789abcdefABCDEF")] == 0;
}

enum command_exit speaker_find(struct app *app, const char *text, uint8_t person[16])
{
    static const char prefix[] = "person:";
    struct folkmoot_error error = {0};
    const char *id = strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : text;
    if (is_id(id) && text_unhex(bytes_of_text(id), person, 16) == OK)
        return COMMAND_OK;
    if (folkmoot_card(app->fm, text, person, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

enum command_exit speaker_myself(struct app *app, bool *given, uint8_t person[16])
{
    struct folkmoot_error error = {0};
    *given = strcmp(app->community.role, "member") == 0;
    if (*given && folkmoot_myself(app->fm, person, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}
