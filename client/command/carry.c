#include "client/command/carry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/command/file.h"
#include "client/command/json.h"
#include "client/command/online.h"
#include "client/command/page.h"

enum { FILE_MAX = 2 << 20 };

// --- export ---

static enum command_exit say_written(const struct app *app, size_t n, uint32_t left)
{
    const char *path = app->call.args[1];
    if (app->json) {
        cJSON *document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "done", "written");
        cJSON_AddNumberToObject(document, "bytes", (double)n);
        cJSON_AddNumberToObject(document, "unsent", app->community.unsent);
        cJSON_AddNumberToObject(document, "left", left);
        return json_print(document);
    }
    printf("%s has %u unsent change%s, in %zu bytes that only the hub can read. Any device of the\n"
           "community may take it there: folkmoot carry import FILE. What comes back is for this\n"
           "device alone, which takes it in by the same command.\n",
           path, app->community.unsent - left, app->community.unsent - left == 1 ? "" : "s", n);
    if (left)
        printf("%u more did not fit: write another letter when the answer has come.\n", left);
    return COMMAND_OK;
}

static enum command_exit export_letter(struct app *app)
{
    uint8_t *letter = NULL;
    size_t n = 0;
    uint32_t left = 0;
    struct folkmoot_error error;
    if (folkmoot_letter_write(app->fm, &letter, &n, &left, &error))
        return app_fail(&error);
    enum command_exit done = file_write_new(app->call.args[1], bytes_of(letter, n));
    free(letter);
    return done == COMMAND_OK ? say_written(app, n, left) : done;
}

// --- import ---

static enum command_exit take_answer(struct app *app, struct bytes letter)
{
    struct folkmoot_progress progress = {0};
    struct folkmoot_error error;
    if (folkmoot_letter_read(app->fm, letter.p, letter.n, &progress, &error))
        return app_fail(&error);
    if (app->json) {
        cJSON *document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "done", "read");
        cJSON_AddNumberToObject(document, "sent", progress.pushed);
        cJSON_AddNumberToObject(document, "received", progress.pulled);
        cJSON_AddNumberToObject(document, "apart", progress.apart);
        cJSON_AddNumberToObject(document, "unsent", progress.unsent);
        return json_print(document);
    }
    printf("the hub has %u more change%s of this device; received %u, still to send %u\n",
           progress.pushed, progress.pushed == 1 ? "" : "s", progress.pulled, progress.unsent);
    if (progress.apart)
        printf("set apart by the hub: %u\n", progress.apart);
    return COMMAND_OK;
}

static enum command_exit deliver(struct app *app, struct bytes letter)
{
    char path[PATH_MAX];
    struct buf BUF_CLEANUP answer = {0};
    int n = snprintf(path, sizeof path, "%s.answer", app->call.args[1]);
    if (n < 0 || (size_t)n >= sizeof path)
        return app_say(COMMAND_FAILED, "the name of the file is too long");
    enum command_exit done = online_deliver(app, letter, &answer);
    if (done == COMMAND_OK)
        done = file_write_new(path, buf_bytes(&answer));
    if (done != COMMAND_OK)
        return done;
    if (app->json) {
        cJSON *document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "done", "delivered");
        cJSON_AddStringToObject(document, "answer", path);
        return json_print(document);
    }
    printf("delivered. The hub's answer is in %s: carry it back to whoever wrote the letter, who\n"
           "alone can read it.\n",
           path);
    return COMMAND_OK;
}

static enum command_exit import_letter(struct app *app)
{
    const char *path = app->call.args[1];
    struct buf BUF_CLEANUP bytes = {.max = FILE_MAX};
    enum command_exit done = file_read_bytes(path, &bytes);
    if (done != COMMAND_OK)
        return done;
    struct bytes letter = buf_bytes(&bytes);
    switch (folkmoot_letter_kind(app->fm, letter.p, letter.n)) {
    case FOLKMOOT_LETTER_ANSWER:
        return take_answer(app, letter);
    case FOLKMOOT_LETTER_TO_HUB:
        return deliver(app, letter);
    case FOLKMOOT_LETTER_OTHERS:
        return app_say(COMMAND_FAILED,
                       "%s is an answer to another device: it is to be carried there", path);
    case FOLKMOOT_LETTER_ELSEWHERE:
        return app_say(COMMAND_FAILED,
                       "%s is a letter of another community: name that one with --community", path);
    case FOLKMOOT_LETTER_NONE:
        break;
    }
    return app_say(COMMAND_FAILED, "%s is no letter", path);
}

enum command_exit carry_command(struct app *app)
{
    const char *what = app->call.args[0];
    if (strcmp(what, "export") == 0)
        return export_letter(app);
    if (strcmp(what, "import") == 0)
        return import_letter(app);
    return app_say(COMMAND_USAGE, "carry export FILE, or carry import FILE: not \"%s\"", what);
}
