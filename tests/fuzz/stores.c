#include "tests/fuzz/stores.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/storage/place.h"

static struct store *open_one(const struct place *place, unsigned i)
{
    struct store_options options = {.map_size = 256 << 20};
    struct store *store = NULL;
    struct fault fault = {0};
    char path[sizeof place->folder + 16];
    snprintf(path, sizeof path, "%s/%u", place->folder, i);
    if (store_open(path, &options, &store, &fault)) {
        fprintf(stderr, "%s: %s\n", path, fault.text);
        exit(1);
    }
    return store;
}

void stores_open(struct store *stores[], unsigned n)
{
    struct place place;
    place_init(&place);
    for (unsigned i = 0; i < n; i++)
        stores[i] = open_one(&place, i);
    place_done(&place);
}
