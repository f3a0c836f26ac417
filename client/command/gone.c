#include "client/command/gone.h"

#include <stdio.h>

#include "base/bytes.h"
#include "client/command/news.h"

enum { WHAT_BYTES = 60, NAME_BYTES = 300, TOLD_MOST = 20 };

// What is remembered of a record, under "gone of KIND:ID".
static const uint8_t here[MEMO_PRINT_SIZE];
static const uint8_t missing[MEMO_PRINT_SIZE] = {1};
static const uint8_t withdrawn[MEMO_PRINT_SIZE] = {2};
static const char list_kind[] = "remark"; // a count is of no kind

// --- the list of a source ---

static void source_name(const struct gone *gone, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "source %s", gone->source);
}

static uint32_t count(const struct gone *gone)
{
    char name[NAME_BYTES];
    uint8_t print[MEMO_PRINT_SIZE];
    source_name(gone, name);
    return memo_get(gone->app->fm, "records", name, list_kind, print) ? be32_get(print) : 0;
}

static enum folkmoot_code append(const struct gone *gone, const struct row *row,
                                 struct folkmoot_error *error)
{
    char name[NAME_BYTES];
    char what[WHAT_BYTES];
    uint8_t print[MEMO_PRINT_SIZE] = {0};
    uint32_t n = count(gone) + 1;
    be32_put(print, n);
    source_name(gone, name);
    snprintf(what, sizeof(what), "record %u", n);
    enum folkmoot_code code = memo_put(gone->app->fm, what, name, row->kind, row->id, error);
    if (code == FOLKMOOT_OK)
        code = memo_put(gone->app->fm, "records", name, list_kind, print, error);
    return code;
}

// --- what was missing ---

static enum folkmoot_code remember(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                   const uint8_t *print, struct folkmoot_error *error)
{
    char name[REF_TEXT_BYTES];
    ref_text(kind, id, name);
    return memo_put(fm, "gone", name, kind, print, error);
}

static bool is_remembered(struct folkmoot *fm, const char *kind, const uint8_t *id,
                          const uint8_t *print)
{
    char name[REF_TEXT_BYTES];
    ref_text(kind, id, name);
    return memo_is(fm, "gone", name, kind, print);
}

bool gone_is_withdrawn(struct folkmoot *fm, const char *kind, const uint8_t *id)
{
    return is_remembered(fm, kind, id, withdrawn);
}

enum folkmoot_code gone_note(struct gone *gone, const struct row *row, bool added, bool *back,
                             struct folkmoot_error *error)
{
    struct folkmoot *fm = gone->app->fm;
    *back = false;
    if (!gone->source)
        return FOLKMOOT_OK;
    uint64_t hash = hashes_of(row->id, sizeof(row->id));
    if (hashes_find(&gone->seen, hash) == UINT32_MAX && !hashes_add(&gone->seen, hash, 0))
        gone->spoilt = true;
    if (added)
        return append(gone, row, error);
    *back = is_remembered(fm, row->kind, row->id, missing) ||
            is_remembered(fm, row->kind, row->id, withdrawn);
    return *back ? remember(fm, row->kind, row->id, here, error) : FOLKMOOT_OK;
}

// Goes over what this device said in it, and over nothing else.
static enum folkmoot_code take_back(const struct gone *gone, const struct folkmoot_record *record,
                                    struct folkmoot_error *error)
{
    static struct folkmoot_correction list[NEWS_MAX];
    const struct app *app = gone->app;
    size_t n = 0;
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        for (size_t k = 0; k < field->values_n && n < NEWS_MAX; k++) {
            const struct folkmoot_value *value = &field->values[k];
            if (memcmp(value->device, app->community.device, sizeof(value->device)) == 0)
                list[n++] = (struct folkmoot_correction){field->name, value->text, NULL};
        }
    }
    enum folkmoot_code code =
        folkmoot_correct(app->fm, record->kind, record->id, list, n, 0, error);
    return code == FOLKMOOT_OK ? remember(app->fm, record->kind, record->id, withdrawn, error)
                               : code;
}

// --- telling ---

static bool is_seen(const struct gone *gone, const uint8_t *id)
{
    return hashes_find(&gone->seen, hashes_of(id, REF_ID_BYTES)) != UINT32_MAX;
}

static void tell(const struct folkmoot_record *record, size_t n)
{
    char text[REF_SHORT_BYTES];
    ref_short(record->id, text);
    if (n <= TOLD_MOST)
        app_say(COMMAND_OK, "missing from the table: %s %s \"%.100s\"", record->kind, text,
                record->title);
    else if (n == TOLD_MOST + 1)
        app_say(COMMAND_OK, "more are missing, and not told one by one");
}

static enum folkmoot_code note_missing(struct gone *gone, const struct folkmoot_record *record,
                                       bool withdraw, struct report *report,
                                       struct folkmoot_error *error)
{
    struct folkmoot *fm = gone->app->fm;
    bool again = is_remembered(fm, record->kind, record->id, missing);
    enum folkmoot_code code = FOLKMOOT_OK;
    report->still_missing += again;
    if (!again) {
        tell(record, ++report->gone);
        code = remember(fm, record->kind, record->id, missing, error);
    }
    if (code == FOLKMOOT_OK && withdraw) {
        code = take_back(gone, record, error);
        report->withdrawn += code == FOLKMOOT_OK;
    }
    return code;
}

static enum folkmoot_code look_at(struct gone *gone, const char *kind, const uint8_t *id,
                                  bool withdraw, struct report *report,
                                  struct folkmoot_error *error)
{
    struct folkmoot_record record;
    if (gone_is_withdrawn(gone->app->fm, kind, id))
        return FOLKMOOT_OK;
    enum folkmoot_code code =
        folkmoot_record_get(gone->app->fm, kind, id, FOLKMOOT_BRIEF, &record, error);
    if (code == FOLKMOOT_NOT_FOUND)
        return FOLKMOOT_OK; // erased, or all of it taken back
    if (code != FOLKMOOT_OK)
        return code;
    code = note_missing(gone, &record, withdraw, report, error);
    folkmoot_record_done(&record);
    return code;
}

enum command_exit gone_tell(struct gone *gone, bool withdraw, struct report *report)
{
    char name[NAME_BYTES];
    if (!gone->source)
        return COMMAND_OK;
    if (gone->spoilt)
        return app_say(COMMAND_FAILED, "there is not enough memory to see which rows are missing");
    source_name(gone, name);
    uint32_t n = count(gone);
    for (uint32_t i = 1; i <= n; i++) {
        char what[WHAT_BYTES];
        char full[NAME_BYTES + WHAT_BYTES + 8];
        char kind[REF_KIND_BYTES];
        uint8_t id[REF_ID_BYTES];
        struct folkmoot_error error = {0};
        snprintf(what, sizeof(what), "record %u", i);
        snprintf(full, sizeof(full), "%s of %s", what, name);
        if (folkmoot_named(gone->app->fm, full, kind, sizeof(kind), id) != FOLKMOOT_OK ||
            is_seen(gone, id))
            continue;
        if (look_at(gone, kind, id, withdraw, report, &error) != FOLKMOOT_OK)
            return app_fail(&error);
    }
    return COMMAND_OK;
}

void gone_done(struct gone *gone)
{
    hashes_done(&gone->seen);
}
