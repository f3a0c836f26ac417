#include "daemon/folkmootctl_export.h"

#include <stdio.h>
#include <string.h>

#include "daemon/export_format.h"
#include "daemon/terminal.h"

enum { LEFT_OUT_MAX = 1000 };

static void tell_left_out(void *arg, const char *kind, const char *id, const char *why)
{
    cJSON *list = arg;
    if (cJSON_GetArraySize(list) >= LEFT_OUT_MAX)
        return;
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(item, "kind", kind);
    (void)cJSON_AddStringToObject(item, "id", id);
    (void)cJSON_AddStringToObject(item, "why", why);
    (void)cJSON_AddItemToArray(list, item);
}

cJSON *ctl_export(const struct config *config, const struct export_call *call)
{
    struct exported exported;
    struct fault fault = {0};
    cJSON *answer = cJSON_CreateObject();
    cJSON *left_out = cJSON_CreateArray();
    const struct export_told told = {tell_left_out, left_out};
    enum err err = export_run(config, call, &told, &exported, &fault);
    (void)cJSON_AddBoolToObject(answer, "ok", !err && !exported.damaged);
    if (err)
        (void)cJSON_AddStringToObject(answer, "error", fault.text[0] ? fault.text : err_text(err));
    (void)cJSON_AddStringToObject(answer, "as", call->as);
    (void)cJSON_AddBoolToObject(answer, "damaged", exported.damaged);
    (void)cJSON_AddNumberToObject(answer, "records", (double)exported.records);
    (void)cJSON_AddNumberToObject(answer, "closed", (double)exported.closed);
    (void)cJSON_AddNumberToObject(answer, "left_out_in_all", (double)exported.left_out);
    (void)cJSON_AddItemToObject(answer, "left_out", left_out);
    return answer;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

void ctl_show_given(const cJSON *answer)
{
    const cJSON *item;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "left_out");
    double left_out = number_of(answer, "left_out_in_all");
    (void)printf("exported as %s: %.0f records\n", text_of(answer, "as"),
                 number_of(answer, "records"));
    if (number_of(answer, "closed") > 0)
        (void)printf("%.0f more are not for this audience.\n", number_of(answer, "closed"));
    (void)fflush(stdout);
    if (left_out > 0)
        (void)fprintf(stderr, "left out: %.0f\n", left_out);
    cJSON_ArrayForEach(item, list)
    {
        (void)fprintf(stderr, "  %s %s: ", text_of(item, "kind"), text_of(item, "id"));
        terminal_text(stderr, text_of(item, "why"));
        (void)fputc('\n', stderr);
    }
    if (left_out > cJSON_GetArraySize(list))
        (void)fputs("  and others\n", stderr);
}

// --- for shells ---

static void add_word(char *words, size_t size, const char *word)
{
    size_t n = strlen(words);
    (void)snprintf(words + n, size - n, "%s%s", n ? " " : "", word);
}

const char *ctl_export_offer(const char *args)
{
    static char words[256];
    const struct export_format *format;
    words[0] = '\0';
    if (strcmp(args, "FORM") == 0) {
        for (size_t i = 0; (format = export_format_row(i)); i++)
            add_word(words, sizeof words, format->name);
    } else if (strcmp(args, "KIND") == 0) {
        for (uint32_t kind = 1; schema_kind(kind); kind++) {
            if (given_kind(kind))
                add_word(words, sizeof words, schema_kind(kind)->name);
        }
    } else if (strcmp(args, "AUDIENCE") == 0) {
        const struct schema_field *field = schema_field(KIND_NEED, FIELD_AUDIENCE);
        for (int i = AUDIENCE_COMMUNITY; field->values[i]; i++)
            add_word(words, sizeof words, field->values[i]);
    }
    return words[0] ? words : NULL;
}
