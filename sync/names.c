#include "sync/names.h"

#include <stdlib.h>

static size_t max_of(const struct names *names)
{
    return names->max ? names->max : NAMES_MAX;
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

// Names what was added, and keeps the least.
static void settle(struct names *names)
{
    size_t kept = names->settled;
    enum err err = mask_ids(&names->mask, names->kind, names->p[kept], names->n - kept);
    if (err) {
        names->err = err;
        return;
    }
    for (size_t i = kept; i < names->n; i++) {
        if (bytes_compare(BYTES(names->p[i]), names->after) > 0)
            memmove(names->p[kept++], names->p[i], ID_SIZE);
    }
    qsort(names->p, kept, ID_SIZE, by_name);
    size_t max = max_of(names);
    names->more |= kept > max;
    names->n = kept > max ? max : kept;
    names->settled = names->n;
}

void names_add(struct names *names, const uint8_t id[ID_SIZE])
{
    if (!names->p && !names->err)
        names->p = malloc(sizeof *names->p * 2 * max_of(names));
    if (!names->p)
        names->err = ERR_NOMEM;
    if (!names->err && names->n == 2 * max_of(names))
        settle(names);
    if (!names->err)
        memcpy(names->p[names->n++], id, ID_SIZE);
}

enum err names_end(struct names *names)
{
    if (!names->err && names->n > names->settled)
        settle(names);
    return names->err;
}

void names_done(struct names *names)
{
    free(names->p);
    names->p = NULL;
}
