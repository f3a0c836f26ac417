#include "tests/golden/shelf.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAP_SIZE = 256 << 20 };

void shelf_open(struct shelf *shelf)
{
    const char *base = getenv("TMPDIR");
    const struct store_options options = {.map_size = MAP_SIZE};
    char path[sizeof shelf->folder + 8];
    struct fault fault = {0};
    snprintf(shelf->folder, sizeof shelf->folder, "%s/folkmoot-XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(shelf->folder), "%s", shelf->folder);
    snprintf(path, sizeof path, "%s/store", shelf->folder);
    shelf->store = NULL;
    cr_assert_eq(store_open(path, &options, &shelf->store, &fault), OK, "%s", fault.text);
    shelf->txn = txn_begin_write(shelf->store);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void shelf_close(struct shelf *shelf)
{
    cr_assert_eq(txn_commit(&shelf->txn), OK);
    store_close(&shelf->store);
    cr_assert_eq(nftw(shelf->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
