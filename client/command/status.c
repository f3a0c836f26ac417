#include "client/command/status.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/ref.h"

static cJSON *community_json(const struct folkmoot_community *community)
{
    cJSON *object = cJSON_CreateObject();
    json_add_hex(object, "id", community->id, sizeof(community->id));
    cJSON_AddStringToObject(object, "name", community->name);
    cJSON_AddStringToObject(object, "hub", community->address);
    json_add_hex(object, "device", community->device, sizeof(community->device));
    cJSON_AddStringToObject(object, "role", community->role);
    cJSON_AddNumberToObject(object, "written", community->written);
    cJSON_AddNumberToObject(object, "unsent", community->unsent);
    cJSON_AddNumberToObject(object, "known", (double)community->known);
    cJSON_AddBoolToObject(object, "forked", community->forked);
    cJSON_AddBoolToObject(object, "revoked", community->revoked);
    cJSON_AddNumberToObject(object, "carried", community->carried);
    cJSON_AddNumberToObject(object, "checked", (double)community->checked);
    cJSON_AddNumberToObject(object, "proved", community->proved);
    cJSON_AddStringToObject(object, "alarm", community->alarm);
    cJSON_AddBoolToObject(object, "damaged", community->damaged);
    return object;
}

static void print_entry(const char *name, const char *value)
{
    struct buf BUF_CLEANUP line = {0};
    buf_put_format(&line, "%-10s", name);
    page_put_value(&line, value);
    page_line(2, &line);
}

static void print_community(const struct folkmoot_community *community, bool chosen)
{
    struct buf BUF_CLEANUP line = {0};
    char hex[2 * sizeof(community->id) + 1];
    char counts[120];
    page_put_value(&line, community->name);
    buf_put_text(&line, chosen ? "  (chosen)" : "");
    page_line(0, &line);
    text_hex(BYTES(community->id), hex);
    print_entry("community", hex);
    print_entry("hub", community->address);
    text_hex(BYTES(community->device), hex);
    print_entry("device", hex);
    print_entry("role", community->role[0] ? community->role : "not known before the first sync");
    snprintf(counts, sizeof(counts), "%" PRIu64 " known, %u written here, %u not sent yet",
             community->known, community->written, community->unsent);
    print_entry("changes", counts);
    if (community->checked) {
        snprintf(counts, sizeof(counts), "%" PRIu64 " entries of the hub's log, %u of them own",
                 community->checked, community->proved);
        print_entry("checked", counts);
    }
    if (community->alarm[0])
        print_entry("WARNING", community->alarm);
    if (community->damaged)
        print_entry("attention", "the disk has damaged something: numbers here may be too low");
    if (community->forked)
        print_entry("attention", "this store is a copy, or was restored from one: join anew, by a "
                                 "new link");
    if (community->revoked)
        print_entry("attention", "this device was revoked: it receives nothing more; join anew, by "
                                 "a new link");
    if (community->carried) {
        snprintf(counts, sizeof(counts), "%u changes of the key before go along with the next sync",
                 community->carried);
        print_entry("attention", counts);
    }
}

// --- what was set apart ---

static bool add_apart(const struct folkmoot_apart *apart, void *arg)
{
    cJSON *object = json_ref(apart->kind, apart->id);
    cJSON_AddNumberToObject(object, "change", apart->seq);
    json_add_time(object, "time", apart->time);
    cJSON_AddStringToObject(object, "why", apart->why);
    cJSON_AddItemToArray(arg, object);
    return true;
}

static bool print_apart(const struct folkmoot_apart *apart, void *arg)
{
    (void)arg;
    struct buf BUF_CLEANUP line = {0};
    char short_id[REF_SHORT_BYTES];
    ref_short(apart->id, short_id);
    buf_put_format(&line, "set apart   change %u (%s %s): %s", apart->seq, apart->kind, short_id,
                   apart->why);
    page_line(2, &line);
    return true;
}

// Of one community, which is chosen afterwards.
static enum command_exit tell_apart(struct app *app, const struct folkmoot_community *community,
                                    cJSON *into)
{
    struct folkmoot_error error = {0};
    enum folkmoot_code code = folkmoot_choose(app->fm, community->id);
    if (code == FOLKMOOT_OK)
        code = folkmoot_list_apart(app->fm, into ? add_apart : print_apart, into, &error);
    return code == FOLKMOOT_OK ? COMMAND_OK
                               : app_say(app_exit_of(code), "what was set apart cannot be read");
}

static enum command_exit print_json(struct app *app)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(document, "communities");
    struct folkmoot_community community;
    for (size_t i = 0; i < folkmoot_community_count(app->fm); i++) {
        if (folkmoot_community_at(app->fm, i, &community) != FOLKMOOT_OK)
            continue;
        cJSON *object = community_json(&community);
        cJSON_AddItemToArray(array, object);
        (void)tell_apart(app, &community, cJSON_AddArrayToObject(object, "apart"));
    }
    return json_print(document);
}

enum command_exit status_show(struct app *app)
{
    size_t n = folkmoot_community_count(app->fm);
    struct folkmoot_community community;
    struct folkmoot_error error;
    if (options_given(&app->call, "acknowledge") && folkmoot_acknowledge(app->fm, &error))
        return app_fail(&error);
    if (app->json)
        return print_json(app);
    if (n == 0)
        printf("This device has joined no community yet: use folkmoot join LINK\n");
    for (size_t i = 0; i < n; i++) {
        enum folkmoot_code code = folkmoot_community_at(app->fm, i, &community);
        if (code != FOLKMOOT_OK)
            return app_say(app_exit_of(code), "a community cannot be read from the store");
        bool chosen = bytes_equal(BYTES(community.id), BYTES(app->community.id));
        print_community(&community, n > 1 && chosen);
        enum command_exit done = tell_apart(app, &community, NULL);
        if (done != COMMAND_OK)
            return done;
    }
    return COMMAND_OK;
}

enum command_exit status_fingerprint(struct app *app)
{
    uint8_t hash[32];
    char hex[2 * sizeof(hash) + 1];
    uint64_t records;
    struct folkmoot_error error;
    if (folkmoot_fingerprint(app->fm, hash, &records, &error))
        return app_fail(&error);
    text_hex(BYTES(hash), hex);
    if (!app->json) {
        printf("%s  %" PRIu64 " records\n", hex, records);
        return COMMAND_OK;
    }
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "fingerprint", hex);
    cJSON_AddNumberToObject(document, "records", (double)records);
    return json_print(document);
}
