#include "client/command/tally.h"

#include <stdio.h>

#include "client/command/json.h"

static const char *const done_names[] = {
    [ROW_ADDED] = "added",   [ROW_EDITED] = "edited",       [ROW_VOICED] = "voices",
    [ROW_JOINED] = "joined", [ROW_UNCHANGED] = "unchanged",
};

void tally_count(struct tally *tally, const char *kind, enum row_done done)
{
    const char *name;
    for (size_t i = 0; i < TALLY_KINDS && (name = folkmoot_kind_name(i)); i++) {
        if (strcmp(name, kind) == 0)
            tally->kinds[i][done]++;
    }
}

static size_t sum(const struct tally *tally, enum row_done done)
{
    size_t n = 0;
    for (size_t i = 0; i < TALLY_KINDS; i++)
        n += tally->kinds[i][done];
    return n;
}

static bool any_of(const size_t counts[ROW_DONE_N])
{
    for (size_t i = 0; i < ROW_DONE_N; i++) {
        if (counts[i])
            return true;
    }
    return false;
}

// --- for people ---

static void print_kinds(const struct tally *tally)
{
    const char *name;
    for (size_t i = 0; i < TALLY_KINDS && (name = folkmoot_kind_name(i)); i++) {
        const size_t *counts = tally->kinds[i];
        if (!any_of(counts))
            continue;
        printf("  %s:", name);
        const char *between = " ";
        for (size_t k = 0; k < ROW_DONE_N; k++) {
            if (counts[k])
                printf("%s%zu %s", between, counts[k], done_names[k]);
            between = counts[k] ? ", " : between;
        }
        printf("\n");
    }
}

static void print_text(const struct tally *tally, bool dry)
{
    if (dry)
        printf("This was a trial: nothing was written.\n");
    if (tally->has_rows)
        printf("rows: %zu new, %zu changed, %zu unchanged\n", tally->rows_new, tally->rows_changed,
               tally->rows_same);
    printf("%zu added, %zu voices, %zu edited, %zu unchanged\n", sum(tally, ROW_ADDED),
           sum(tally, ROW_VOICED), sum(tally, ROW_EDITED), sum(tally, ROW_UNCHANGED));
    print_kinds(tally);
    if (tally->left_out)
        printf("%zu could not be imported and are left out\n", tally->left_out);
    if (tally->odd)
        printf("%zu have an odd pin: they are kept, and marked by a category\n", tally->odd);
    if (tally->gone)
        printf("%zu are missing from the table: %s\n", tally->gone,
               tally->withdrawn ? "what this device said in them is taken back"
                                : "they stay, unless --withdraw-gone asks otherwise");
}

// --- for programs ---

static void add_number(cJSON *object, const char *name, size_t n)
{
    cJSON_AddNumberToObject(object, name, (double)n);
}

static void add_kinds(cJSON *document, const struct tally *tally)
{
    const char *name;
    cJSON *kinds = cJSON_AddObjectToObject(document, "kinds");
    for (size_t i = 0; i < TALLY_KINDS && (name = folkmoot_kind_name(i)); i++) {
        if (!any_of(tally->kinds[i]))
            continue;
        cJSON *object = cJSON_AddObjectToObject(kinds, name);
        for (size_t k = 0; k < ROW_DONE_N; k++)
            add_number(object, done_names[k], tally->kinds[i][k]);
    }
}

static enum command_exit print_json(const struct tally *tally, bool dry)
{
    cJSON *document = cJSON_CreateObject();
    for (size_t k = 0; k < ROW_DONE_N; k++)
        add_number(document, done_names[k], sum(tally, (enum row_done)k));
    add_kinds(document, tally);
    if (tally->has_rows) {
        cJSON *rows = cJSON_AddObjectToObject(document, "rows");
        add_number(rows, "new", tally->rows_new);
        add_number(rows, "changed", tally->rows_changed);
        add_number(rows, "unchanged", tally->rows_same);
    }
    add_number(document, "left_out", tally->left_out);
    add_number(document, "odd_pins", tally->odd);
    add_number(document, "gone", tally->gone);
    add_number(document, "withdrawn", tally->withdrawn);
    cJSON_AddBoolToObject(document, "trial", dry);
    return json_print(document);
}

enum command_exit tally_print(const struct tally *tally, const struct app *app, bool dry)
{
    if (app->json)
        return print_json(tally, dry);
    print_text(tally, dry);
    return COMMAND_OK;
}
