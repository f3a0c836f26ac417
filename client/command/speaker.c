#include "client/command/speaker.h"

#include <sys/random.h>

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
