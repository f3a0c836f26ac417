#include "client/command/app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "client/command/page.h"

enum { PATH_BYTES_MAX = 4000, ID_DIGITS_LEAST = 4 };

enum command_exit app_say(enum command_exit code, const char *format, ...)
{
    char text[1200];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    struct buf BUF_CLEANUP clean = {0};
    page_put_clean(&clean, text);
    fprintf(stderr, "folkmoot: %.*s\n", (int)clean.n, clean.p ? (const char *)clean.p : "");
    return code;
}

enum command_exit app_exit_of(enum folkmoot_code code)
{
    switch (code) {
    case FOLKMOOT_OK:
        return COMMAND_OK;
    case FOLKMOOT_NETWORK:
        return COMMAND_NETWORK;
    case FOLKMOOT_REFUSED:
    case FOLKMOOT_UNTRUSTED:
        return COMMAND_REFUSED;
    case FOLKMOOT_INVALID:
    case FOLKMOOT_NOT_FOUND:
    case FOLKMOOT_AMBIGUOUS:
    case FOLKMOOT_FORKED:
    case FOLKMOOT_STORE:
    case FOLKMOOT_INTERNAL:
        break;
    }
    return COMMAND_FAILED;
}

enum command_exit app_fail(const struct folkmoot_error *error)
{
    const char *text = error->text[0] ? error->text : "it failed, and nothing says why";
    return app_say(app_exit_of(error->code), "%s", text);
}

// --- the store ---

// The store's folder into `path`.
static enum command_exit store_path(const struct app *app, char *path)
{
    const char *store = options_value(&app->call, "store");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    if (!store)
        store = getenv("FOLKMOOT_STORE");
    int n;
    if (store && store[0])
        n = snprintf(path, PATH_BYTES_MAX, "%s", store);
    else if (data && data[0] == '/')
        n = snprintf(path, PATH_BYTES_MAX, "%s/folkmoot", data);
    else if (home && home[0])
        n = snprintf(path, PATH_BYTES_MAX, "%s/.local/share/folkmoot", home);
    else
        return app_say(COMMAND_USAGE, "there is no home folder; say --store DIR");
    if (n < 0 || n >= PATH_BYTES_MAX)
        return app_say(COMMAND_USAGE, "the store's path is longer than %d bytes", PATH_BYTES_MAX);
    return COMMAND_OK;
}

// Makes the folders above `path`; the last one is the library's to make.
static enum command_exit make_parents(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        int failed = mkdir(path, 0700) ? errno : 0;
        if (failed && failed != EEXIST)
            return app_say(COMMAND_FAILED, "the folder %s cannot be made: %s", path,
                           strerror(failed));
        *at = '/';
    }
    return COMMAND_OK;
}

static enum command_exit open_store(struct app *app)
{
    char path[PATH_BYTES_MAX] = "";
    enum command_exit done = store_path(app, path);
    if (done == COMMAND_OK)
        done = make_parents(path);
    if (done != COMMAND_OK)
        return done;
    struct folkmoot_error error = {0};
    if (folkmoot_open(path, NULL, &app->fm, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

// --- the community ---

// Whether `text` is the community's name, or at least four digits that its id begins with.
static bool is_named(const struct folkmoot_community *community, const char *text)
{
    char hex[2 * sizeof(community->id) + 1];
    text_hex(BYTES(community->id), hex);
    if (strcmp(community->name, text) == 0)
        return true;
    size_t n = strlen(text);
    return n >= ID_DIGITS_LEAST && n < sizeof(hex) && strncmp(hex, text, n) == 0;
}

static enum command_exit find_community(struct app *app, const char *text, size_t *found)
{
    size_t hits = 0;
    struct folkmoot_community community;
    for (size_t i = 0; i < folkmoot_community_count(app->fm); i++) {
        if (folkmoot_community_at(app->fm, i, &community) == FOLKMOOT_OK &&
            is_named(&community, text)) {
            *found = i;
            hits++;
        }
    }
    if (hits == 0)
        return app_say(COMMAND_FAILED,
                       "this device has joined no community \"%s\"; see folkmoot status", text);
    if (hits > 1)
        return app_say(COMMAND_FAILED,
                       "several communities are called \"%s\"; use an id from folkmoot status",
                       text);
    return COMMAND_OK;
}

static enum command_exit choose_community(struct app *app)
{
    size_t i = 0;
    const char *text = options_value(&app->call, "community");
    if (folkmoot_community_count(app->fm) == 0) {
        if (app->call.command->needs != COMMAND_NEEDS_COMMUNITY)
            return COMMAND_OK;
        return app_say(COMMAND_FAILED,
                       "this device has joined no community yet: use folkmoot join LINK, with the "
                       "link of an invitation");
    }
    enum command_exit done = text ? find_community(app, text, &i) : COMMAND_OK;
    if (done != COMMAND_OK)
        return done;
    enum folkmoot_code code = folkmoot_community_at(app->fm, i, &app->community);
    if (code == FOLKMOOT_OK)
        code = folkmoot_choose(app->fm, app->community.id);
    if (code != FOLKMOOT_OK)
        return app_say(app_exit_of(code), "the community cannot be read from the store");
    return COMMAND_OK;
}

enum command_exit app_open(struct app *app)
{
    if (app->call.command->needs == COMMAND_NEEDS_NOTHING)
        return COMMAND_OK;
    enum command_exit done = open_store(app);
    return done == COMMAND_OK ? choose_community(app) : done;
}

void app_close(struct app *app)
{
    folkmoot_close(&app->fm);
}
