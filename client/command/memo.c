#include "client/command/memo.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { MEMO_BYTES = 600, KIND_BYTES = 16, WHAT_BYTES = 200 };

bool memo_get(struct folkmoot *fm, const char *what, const char *name, const char *kind,
              uint8_t print[MEMO_PRINT_SIZE])
{
    char text[MEMO_BYTES];
    char found[KIND_BYTES];
    uint8_t stored[MEMO_PRINT_SIZE];
    snprintf(text, sizeof(text), "%s of %s", what, name);
    if (folkmoot_named(fm, text, found, sizeof(found), stored) != FOLKMOOT_OK ||
        strcmp(found, kind) != 0)
        return false;
    memcpy(print, stored, sizeof(stored));
    return true;
}

bool memo_is(struct folkmoot *fm, const char *what, const char *name, const char *kind,
             const uint8_t print[MEMO_PRINT_SIZE])
{
    uint8_t stored[MEMO_PRINT_SIZE];
    return memo_get(fm, what, name, kind, stored) && memcmp(stored, print, sizeof(stored)) == 0;
}

enum folkmoot_code memo_put(struct folkmoot *fm, const char *what, const char *name,
                            const char *kind, const uint8_t print[MEMO_PRINT_SIZE],
                            struct folkmoot_error *error)
{
    char text[MEMO_BYTES];
    snprintf(text, sizeof(text), "%s of %s", what, name);
    return folkmoot_name(fm, text, kind, print, error);
}

// --- values ---

static const uint8_t taken_back[MEMO_PRINT_SIZE];

// A value may be long, and is somebody's: its hash stands for it.
static void hash_value(const char *field, const char *text, char what[WHAT_BYTES],
                       uint8_t print[MEMO_PRINT_SIZE])
{
    struct hash hash;
    uint8_t sum[HASH_SIZE];
    char hex[2 * MEMO_PRINT_SIZE + 1];
    hash_begin(&hash, "folkmoot import value v1");
    hash_put_sized(&hash, bytes_of_text(text));
    hash_end(&hash, sum);
    memcpy(print, sum, MEMO_PRINT_SIZE);
    text_hex(bytes_of(print, MEMO_PRINT_SIZE), hex);
    snprintf(what, WHAT_BYTES, "value %s %s", field, hex);
}

bool memo_has_value(struct folkmoot *fm, const char *name, const char *kind, const char *field,
                    const char *text)
{
    char what[WHAT_BYTES];
    uint8_t print[MEMO_PRINT_SIZE];
    hash_value(field, text, what, print);
    return memo_is(fm, what, name, kind, print);
}

enum folkmoot_code memo_put_value(struct folkmoot *fm, const char *name, const char *kind,
                                  const char *field, const char *text, bool said,
                                  struct folkmoot_error *error)
{
    char what[WHAT_BYTES];
    uint8_t print[MEMO_PRINT_SIZE];
    hash_value(field, text, what, print);
    return memo_put(fm, what, name, kind, said ? print : taken_back, error);
}
