#include "client/command/memo.h"

#include <stdio.h>

enum { MEMO_BYTES = 400, KIND_BYTES = 16 };

static bool exists(struct folkmoot *fm, const char *name)
{
    char kind[KIND_BYTES];
    uint8_t id[16];
    return folkmoot_named(fm, name, kind, sizeof(kind), id) == FOLKMOOT_OK;
}

static void turn_name(char out[MEMO_BYTES], unsigned n, const char *name)
{
    snprintf(out, MEMO_BYTES, "import %u of %s", n, name);
}

static void cells_name(char out[MEMO_BYTES], unsigned n, const char *name, const char *print)
{
    snprintf(out, MEMO_BYTES, "import %u of %s: %s", n, name, print);
}

// How many times the row was taken in.
static unsigned turns(struct folkmoot *fm, const char *name)
{
    char text[MEMO_BYTES];
    unsigned n = 0;
    do {
        n++;
        turn_name(text, n, name);
    } while (exists(fm, text));
    return n - 1;
}

bool memo_is_last(struct folkmoot *fm, const char *name, const char *print)
{
    char text[MEMO_BYTES];
    unsigned n = turns(fm, name);
    cells_name(text, n, name, print);
    return n > 0 && exists(fm, text);
}

enum folkmoot_code memo_put(struct folkmoot *fm, const char *name, const char *print,
                            const char *kind, const uint8_t *id, struct folkmoot_error *error)
{
    char text[MEMO_BYTES];
    unsigned n = turns(fm, name) + 1;
    turn_name(text, n, name);
    enum folkmoot_code code = folkmoot_name(fm, text, kind, id, error);
    cells_name(text, n, name, print);
    return code == FOLKMOOT_OK ? folkmoot_name(fm, text, kind, id, error) : code;
}
