#include "tests/golden/golden.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { FILE_MAX = 4 << 20, ARENA_MAX = 16 << 20 };

void golden_open(struct golden *golden)
{
    FILE *file = fopen(GOLDEN_FILE, "re");
    cr_assert(file, "no %s", GOLDEN_FILE);
    char *text = malloc(FILE_MAX);
    cr_assert(text);
    size_t n = fread(text, 1, FILE_MAX, file);
    fclose(file);
    cr_assert(n > 0 && n < FILE_MAX);
    golden->root = cJSON_ParseWithLength(text, n);
    free(text);
    cr_assert(golden->root, "not JSON");
    arena_init(&golden->arena, ARENA_MAX);
}

void golden_close(struct golden *golden)
{
    cJSON_Delete(golden->root);
    arena_done(&golden->arena);
}

const cJSON *golden_get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    cr_assert(item, "there is no \"%s\"", key);
    return item;
}

const char *golden_text(const cJSON *object, const char *key)
{
    const cJSON *item = golden_get(object, key);
    cr_assert(cJSON_IsString(item), "\"%s\" is no text", key);
    return item->valuestring;
}

struct bytes golden_bytes_of(struct golden *golden, const cJSON *item)
{
    cr_assert(cJSON_IsString(item));
    struct bytes text = bytes_of_text(item->valuestring);
    uint8_t *p = arena_alloc(&golden->arena, 1, text.n / 2 + 1);
    cr_assert(p);
    cr_assert_eq(text_unhex(text, p, text.n / 2), OK, "not hexadecimal: %s", item->valuestring);
    return bytes_of(p, text.n / 2);
}

struct bytes golden_bytes(struct golden *golden, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return item ? golden_bytes_of(golden, item) : (struct bytes){0};
}

const uint8_t *golden_fixed(struct golden *golden, const cJSON *object, const char *key, size_t n)
{
    struct bytes bytes = golden_bytes(golden, object, key);
    cr_assert_eq(bytes.n, n, "\"%s\" has %zu bytes", key, bytes.n);
    return bytes.p;
}

uint64_t golden_u64(const cJSON *object, const char *key)
{
    const cJSON *item = golden_get(object, key);
    if (cJSON_IsNumber(item))
        return (uint64_t)(int64_t)item->valuedouble;
    cr_assert(cJSON_IsString(item), "\"%s\" is no number", key);
    const char *text = item->valuestring;
    return *text == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
}

uint32_t golden_u32(const cJSON *object, const char *key)
{
    uint64_t v = golden_u64(object, key);
    cr_assert(v <= UINT32_MAX);
    return (uint32_t)v;
}

static char *hex_of(struct bytes bytes)
{
    char *out = malloc(2 * bytes.n + 1);
    cr_assert(out);
    text_hex(bytes, out);
    return out;
}

void golden_expect(struct bytes got, struct bytes wanted, const char *what)
{
    char *got_hex = hex_of(got);
    char *wanted_hex = hex_of(wanted);
    cr_expect_str_eq(got_hex, wanted_hex, "%s: %s instead of %s", what, got_hex, wanted_hex);
    free(got_hex);
    free(wanted_hex);
}
