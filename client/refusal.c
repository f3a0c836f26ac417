#include "client/refusal.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/text.h"

static bool is_one_of(const char *code, const char *const *codes)
{
    for (; *codes; codes++) {
        if (strcmp(code, *codes) == 0)
            return true;
    }
    return false;
}

// A sentence of the hub's, as far as it fits, without what could steer a terminal.
static void copy_sentence(const char *text, char *out, size_t size)
{
    size_t n = strnlen(text, size - 1);
    while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    out[n] = 0;
}

static void read_code(int http_status, const char *code, struct refusal_told *told)
{
    static const char *const later[] = {"unavailable", "deadline_exceeded", "aborted",
                                        "internal",    "unknown",           NULL};
    // Without a code it was a proxy's; what these mean then is told by Connect's table.
    bool asks_to_wait = http_status >= 500 || http_status == 429 || http_status == 408;
    bool server_failed = *code ? is_one_of(code, later) : asks_to_wait;
    told->unauthenticated = *code ? strcmp(code, "unauthenticated") == 0 : http_status == 401;
    told->forbidden = *code ? strcmp(code, "permission_denied") == 0 : http_status == 403;
    told->key_is_spent = strcmp(code, "already_exists") == 0;
    told->too_much = strcmp(code, "resource_exhausted") == 0 || http_status == 413;
    told->code = server_failed ? FOLKMOOT_NETWORK : FOLKMOOT_REFUSED;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    return text_is_utf8(bytes_of_text(text)) ? text : "";
}

void refusal_read(int http_status, struct bytes body, struct refusal_told *told)
{
    *told = (struct refusal_told){.code = FOLKMOOT_REFUSED};
    size_t n = body.n < REFUSAL_MAX ? body.n : REFUSAL_MAX;
    cJSON *json = n ? cJSON_ParseWithLength((const char *)body.p, n) : NULL;
    read_code(http_status, text_of(json, "code"), told);
    copy_sentence(text_of(json, "message"), told->text, sizeof told->text);
    if (!told->text[0])
        snprintf(told->text, sizeof told->text, "HTTP status %d", http_status);
    cJSON_Delete(json);
}
