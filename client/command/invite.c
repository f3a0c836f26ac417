#include "client/command/invite.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/command/instant.h"
#include "client/command/json.h"
#include "client/command/online.h"
#include "client/command/page.h"
#include "client/command/qr.h"

enum { USES_MAX = 1000 };

static bool read_number(const char *text, unsigned long max, unsigned long *n, char **end)
{
    errno = 0;
    *n = strtoul(text, end, 10);
    return text[0] >= '0' && text[0] <= '9' && errno == 0 && *n > 0 && *n <= max;
}

// "30m", "12h", "7d".
static enum command_exit read_valid(const struct app *app, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    const char *text = options_value(&app->call, "valid");
    unsigned long n;
    char *end;
    if (!text)
        return COMMAND_OK;
    if (read_number(text, 1000000, &n, &end) && end[0] && !end[1]) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (*end == units[i].unit)
                *ms = (int64_t)n * units[i].ms;
        }
    }
    if (*ms > 0)
        return COMMAND_OK;
    return app_say(COMMAND_USAGE, "\"%s\" is no span of time; write 30m, 12h or 7d", text);
}

static enum command_exit read_uses(const struct app *app, uint32_t *uses)
{
    const char *text = options_value(&app->call, "uses");
    unsigned long n;
    char *end;
    if (!text)
        return COMMAND_OK;
    if (!read_number(text, USES_MAX, &n, &end) || *end)
        return app_say(COMMAND_USAGE, "an invitation is for 1 to %d devices", USES_MAX);
    *uses = (uint32_t)n;
    return COMMAND_OK;
}

static enum command_exit show_json(const char *role, const char *link, int64_t expires)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "role", role);
    cJSON_AddStringToObject(document, "link", link);
    json_add_time(document, "expires", expires);
    return json_print(document);
}

static void show(const struct app *app, const struct folkmoot_invitation *invitation,
                 const char *link, int64_t expires)
{
    char until[INSTANT_BYTES];
    struct buf BUF_CLEANUP line = {0};
    instant_print(expires, until);
    buf_put_format(&line, "An invitation to ");
    page_put_value(&line, app->community.name);
    buf_put_format(&line, " for %u device%s, as %s, valid until %s.",
                   invitation->uses ? invitation->uses : 1, invitation->uses > 1 ? "s" : "",
                   invitation->role, until);
    page_line(0, &line);
    printf("Whoever has the link may use it: give it to nobody else.\n\n");
    if (isatty(STDOUT_FILENO) == 1 && qr_print(stdout, link))
        printf("\n");
    printf("%s\n", link);
}

enum command_exit invite_make(struct app *app)
{
    struct folkmoot_invitation invitation = {.role = options_value(&app->call, "role"),
                                             .label = options_value(&app->call, "label")};
    struct buf BUF_CLEANUP link = {0};
    int64_t expires = 0;
    if (!invitation.role)
        invitation.role = "volunteer";
    enum command_exit done = read_valid(app, &invitation.valid_ms);
    if (done == COMMAND_OK)
        done = read_uses(app, &invitation.uses);
    if (done == COMMAND_OK)
        done = online_invite(app, &invitation, &link, &expires);
    if (done == COMMAND_OK && link.n == 0)
        done = app_say(COMMAND_FAILED, "there is no memory for the link");
    if (done != COMMAND_OK)
        return done;
    if (app->json)
        return show_json(invitation.role, (const char *)link.p, expires);
    show(app, &invitation, (const char *)link.p, expires);
    return COMMAND_OK;
}
