#include "tests/fuzz/stores.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_MAX = 256 };

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static struct store *open_one(const char *place, unsigned i)
{
    struct store_options options = {.map_size = 256 << 20};
    struct store *store = NULL;
    struct fault fault = {0};
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/%u", place, i);
    must(store_open(path, &options, &store, &fault) == OK, fault.text);
    return store;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static char folder[FOLDER_MAX];

static void remove_all(void)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void stores_open(struct store *stores[], unsigned n)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/folkmoot-fuzz-XXXXXX", base ? base : "/tmp");
    must(mkdtemp(folder) != NULL, folder);
    for (unsigned i = 0; i < n; i++)
        stores[i] = open_one(folder, i);
    // A crash leaves it: script/fuzz gives a place that goes in any case.
    must(atexit(remove_all) == 0, folder);
}
