#include "client/command/report.h"

#include <stdio.h>

#include "client/command/json.h"

static const char *const done_names[] = {
    [ROW_ADDED] = "added",   [ROW_EDITED] = "edited",       [ROW_VOICED] = "voices",
    [ROW_JOINED] = "joined", [ROW_UNCHANGED] = "unchanged",
};

void report_count(struct report *report, const char *kind, enum row_done done)
{
    const char *name;
    for (size_t i = 0; i < REPORT_KINDS && (name = folkmoot_kind_name(i)); i++) {
        if (strcmp(name, kind) == 0)
            report->kinds[i][done]++;
    }
}

static size_t sum(const struct report *report, enum row_done done)
{
    size_t n = 0;
    for (size_t i = 0; i < REPORT_KINDS; i++)
        n += report->kinds[i][done];
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

static void print_kinds(const struct report *report)
{
    const char *name;
    for (size_t i = 0; i < REPORT_KINDS && (name = folkmoot_kind_name(i)); i++) {
        const size_t *counts = report->kinds[i];
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

static void print_text(const struct report *report, bool dry)
{
    if (dry)
        printf("This was a trial: nothing was written.\n");
    if (report->has_rows)
        printf("rows: %zu new, %zu back, %zu changed, %zu unchanged\n", report->rows_new,
               report->rows_back, report->rows_changed, report->rows_same);
    printf("%zu added, %zu voices, %zu edited, %zu unchanged\n", sum(report, ROW_ADDED),
           sum(report, ROW_VOICED), sum(report, ROW_EDITED), sum(report, ROW_UNCHANGED));
    print_kinds(report);
    if (report->left_out)
        printf("%zu could not be imported and are left out\n", report->left_out);
    if (report->waiting)
        printf("%zu wait for a record that is not here: import it, and then this table again\n",
               report->waiting);
    if (report->odd)
        printf("%zu have an odd pin: they are kept, and marked by a category\n", report->odd);
    if (report->gone || report->still_missing)
        printf("%zu are missing from the table, %zu were before: %s\n", report->gone,
               report->still_missing,
               report->withdrawn ? "what this device said in them is taken back"
                                 : "they stay, unless --withdraw-gone asks otherwise");
}

// --- for programs ---

static void add_number(cJSON *object, const char *name, size_t n)
{
    cJSON_AddNumberToObject(object, name, (double)n);
}

static void add_kinds(cJSON *document, const struct report *report)
{
    const char *name;
    cJSON *kinds = cJSON_AddObjectToObject(document, "kinds");
    for (size_t i = 0; i < REPORT_KINDS && (name = folkmoot_kind_name(i)); i++) {
        if (!any_of(report->kinds[i]))
            continue;
        cJSON *object = cJSON_AddObjectToObject(kinds, name);
        for (size_t k = 0; k < ROW_DONE_N; k++)
            add_number(object, done_names[k], report->kinds[i][k]);
    }
}

static enum command_exit print_json(const struct report *report, bool dry)
{
    cJSON *document = cJSON_CreateObject();
    for (size_t k = 0; k < ROW_DONE_N; k++)
        add_number(document, done_names[k], sum(report, (enum row_done)k));
    add_kinds(document, report);
    if (report->has_rows) {
        cJSON *rows = cJSON_AddObjectToObject(document, "rows");
        add_number(rows, "new", report->rows_new);
        add_number(rows, "back", report->rows_back);
        add_number(rows, "changed", report->rows_changed);
        add_number(rows, "unchanged", report->rows_same);
    }
    add_number(document, "left_out", report->left_out);
    add_number(document, "waiting", report->waiting);
    add_number(document, "odd_pins", report->odd);
    add_number(document, "gone", report->gone);
    add_number(document, "still_missing", report->still_missing);
    add_number(document, "withdrawn", report->withdrawn);
    cJSON_AddBoolToObject(document, "trial", dry);
    return json_print(document);
}

enum command_exit report_print(const struct report *report, const struct app *app, bool dry)
{
    if (app->json)
        return print_json(report, dry);
    print_text(report, dry);
    return COMMAND_OK;
}
