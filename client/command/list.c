#include "client/command/list.h"

#include <stdio.h>

#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/puts.h"

enum { KIND_COLUMNS = 11, TALLY_BYTES = 48, TALLY_COLUMNS = 22 };

struct listing {
    const struct ref *about; // NULL: whatever it is about
    cJSON *document;         // that the array is in
    cJSON *array;            // NULL: lines for people
    size_t n;
};

static bool refers_to(const struct folkmoot_record *record, const struct ref *ref)
{
    for (size_t i = 0; i < record->about_n; i++) {
        if (strcmp(record->about[i].kind, ref->kind) == 0 &&
            memcmp(record->about[i].id, ref->id, REF_ID_BYTES) == 0)
            return true;
    }
    return false;
}

static size_t tensions_of(const struct folkmoot_record *record)
{
    size_t n = 0;
    for (size_t i = 0; i < record->fields_n; i++)
        n += record->fields[i].tension;
    return n;
}

static void tally(const struct folkmoot_record *record, char out[TALLY_BYTES])
{
    size_t tensions = tensions_of(record);
    int n = 0;
    out[0] = 0;
    if (record->votes_for || record->votes_against || record->votes_unsure)
        n = snprintf(out, TALLY_BYTES, "+%u -%u ?%u", record->votes_for, record->votes_against,
                     record->votes_unsure);
    if (record->damaged)
        snprintf(out + n, (size_t)(TALLY_BYTES - n), "%sdamaged", n ? " " : "");
    else if (tensions)
        snprintf(out + n, (size_t)(TALLY_BYTES - n), "%s%zu tension%s", n ? " " : "", tensions,
                 tensions == 1 ? "" : "s");
}

static void print_record(const struct folkmoot_record *record)
{
    struct buf BUF_CLEANUP line = {0};
    char short_id[REF_SHORT_BYTES];
    char counts[TALLY_BYTES];
    ref_short(record->id, short_id);
    tally(record, counts);
    buf_put_format(&line, "%s  %-*s", short_id, KIND_COLUMNS, record->kind);
    int width = page_width() - REF_SHORT_BYTES - KIND_COLUMNS - TALLY_COLUMNS - 3;
    page_put_cut(&line, record->title, width, counts[0] != 0);
    buf_put_format(&line, "%s%s", counts[0] ? "  " : "", counts);
    page_line(0, &line);
}

static bool each(const struct folkmoot_record *record, void *arg)
{
    struct listing *listing = arg;
    if (listing->about && !refers_to(record, listing->about))
        return true;
    listing->n++;
    if (listing->array)
        cJSON_AddItemToArray(listing->array, json_record(record, false));
    else
        print_record(record);
    return true;
}

static void begin(struct app *app, struct listing *listing)
{
    listing->document = app->json ? cJSON_CreateObject() : NULL;
    if (listing->document)
        listing->array = cJSON_AddArrayToObject(listing->document, "records");
}

static enum command_exit end(struct listing *listing, enum folkmoot_code code,
                             const struct folkmoot_error *error, const char *nothing)
{
    if (code != FOLKMOOT_OK) {
        cJSON_Delete(listing->document);
        return app_fail(error);
    }
    if (listing->document)
        return json_print(listing->document);
    if (listing->n == 0)
        printf("%s\n", nothing);
    return COMMAND_OK;
}

static enum command_exit list_with(struct app *app, const char *kind, struct listing *listing)
{
    struct folkmoot_error error = {0};
    begin(app, listing);
    enum folkmoot_code code = folkmoot_list(app->fm, kind, each, listing, &error);
    return end(listing, code, &error, "Nothing yet");
}

enum command_exit list_found(struct app *app)
{
    struct folkmoot_error error = {0};
    struct listing listing = {.n = 0};
    struct buf BUF_CLEANUP text = {0};
    for (size_t i = 0; i < app->call.args_n; i++) {
        buf_put_text(&text, i ? " " : "");
        buf_put_text(&text, app->call.args[i]);
    }
    buf_put_u8(&text, 0);
    if (text.err)
        return app_say(COMMAND_FAILED, "out of memory");
    begin(app, &listing);
    enum folkmoot_code code =
        folkmoot_search(app->fm, (const char *)text.p, each, &listing, &error);
    return end(&listing, code, &error, "Nothing found");
}

enum command_exit list_records(struct app *app)
{
    const char *kind = app->call.args_n ? app->call.args[0] : NULL;
    const char *about = options_value(&app->call, "about");
    struct listing listing = {.n = 0};
    struct ref ref;
    if (kind && !puts_is_kind(kind))
        return app_say(COMMAND_USAGE, "there is no kind \"%s\"; see folkmoot help add", kind);
    if (about) {
        enum command_exit done = ref_find(app, about, &ref);
        if (done != COMMAND_OK)
            return done;
        listing.about = &ref;
    }
    return list_with(app, kind, &listing);
}
