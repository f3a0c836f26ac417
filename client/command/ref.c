#include "client/command/ref.h"

#include <stdio.h>
#include <strings.h>

#include "base/text.h"

enum { DIGITS_LEAST = 4 };

void ref_hex(const uint8_t *id, char out[REF_ID_DIGITS + 1])
{
    text_hex(bytes_of(id, REF_ID_BYTES), out);
}

void ref_short(const uint8_t *id, char out[REF_SHORT_BYTES])
{
    text_hex(bytes_of(id + REF_ID_BYTES - 4, 4), out);
}

void ref_text(const char *kind, const uint8_t *id, char out[REF_TEXT_BYTES])
{
    char hex[REF_ID_DIGITS + 1];
    ref_hex(id, hex);
    snprintf(out, REF_TEXT_BYTES, "%.15s:%s", kind, hex);
}

// --- by the end of the id ---

struct search {
    const char *digits;
    size_t n;
    size_t hits;
    struct ref *ref;
};

static bool compare(const struct folkmoot_record *record, void *arg)
{
    struct search *search = arg;
    char hex[REF_ID_DIGITS + 1];
    ref_hex(record->id, hex);
    if (strcasecmp(hex + REF_ID_DIGITS - search->n, search->digits) == 0) {
        memcpy(search->ref->kind, record->kind, REF_KIND_BYTES);
        memcpy(search->ref->id, record->id, REF_ID_BYTES);
        search->hits++;
    }
    return search->hits < 2;
}

static bool is_short(const char *text)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    return text[n] == 0 && n >= DIGITS_LEAST && n < REF_ID_DIGITS;
}

// Looks through all records; `error` stays as it was when nothing ends so.
static enum folkmoot_code look_by_end(struct app *app, const char *text, struct ref *ref,
                                      struct folkmoot_error *error)
{
    struct ref found;
    struct search search = {.digits = text, .n = strlen(text), .ref = &found};
    enum folkmoot_code code = folkmoot_list(app->fm, NULL, compare, &search, error);
    if (code != FOLKMOOT_OK)
        return code;
    if (search.hits == 0)
        return FOLKMOOT_NOT_FOUND;
    if (search.hits > 1) {
        error->code = FOLKMOOT_AMBIGUOUS;
        snprintf(error->text, sizeof(error->text),
                 "several records' ids end with \"%s\": give more of its digits", text);
        return FOLKMOOT_AMBIGUOUS;
    }
    *ref = found;
    return FOLKMOOT_OK;
}

// --- by anything ---

enum folkmoot_code ref_look(struct app *app, const char *text, struct ref *ref,
                            struct folkmoot_error *error)
{
    struct ref found;
    enum folkmoot_code code = folkmoot_find(app->fm, text, found.kind, found.id, error);
    if (code == FOLKMOOT_OK) {
        *ref = found;
        return code;
    }
    bool unsure = code == FOLKMOOT_NOT_FOUND || code == FOLKMOOT_AMBIGUOUS;
    if (!unsure || !is_short(text))
        return code;
    struct folkmoot_error by_end = {0};
    enum folkmoot_code other = look_by_end(app, text, ref, &by_end);
    if (other == FOLKMOOT_NOT_FOUND)
        return code;
    if (other != FOLKMOOT_OK)
        *error = by_end;
    return other;
}

enum command_exit ref_find(struct app *app, const char *text, struct ref *ref)
{
    struct folkmoot_error error = {0};
    enum folkmoot_code code = ref_look(app, text, ref, &error);
    if (code == FOLKMOOT_OK)
        return COMMAND_OK;
    if (code == FOLKMOOT_NOT_FOUND)
        return app_say(COMMAND_FAILED,
                       "there is no record \"%s\" here; folkmoot list shows what there is", text);
    error.code = code;
    return app_fail(&error);
}
