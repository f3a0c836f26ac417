#include "daemon/export_format.h"

#include <string.h>

enum { FORMATS_N = 5 };

static const struct export_format *const formats[FORMATS_N] = {
    &export_csv, &export_jsonl, &export_geojson, &export_360giving, &export_sqlite,
};

const struct export_format *export_format_row(size_t i)
{
    return i < FORMATS_N ? formats[i] : NULL;
}

const struct export_format *export_format_find(const char *name)
{
    for (size_t i = 0; i < FORMATS_N; i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

void export_write(struct export_writing *writing, struct bytes bytes)
{
    if (bytes.n)
        (void)fwrite(bytes.p, 1, bytes.n, writing->out);
}

enum err export_nothing(struct export_writing *writing)
{
    (void)writing;
    return OK;
}

void export_nothing_done(struct export_writing *writing)
{
    (void)writing;
}
