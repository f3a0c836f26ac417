// What verifying a hub's store tells of damage (sync/verify.h): the rot that no single row shows,
// and one byte in each table.

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sync/verify.h"
#include "tests/rot/rot.h"

static void tell(void *arg, const struct row *row, enum row_fault fault)
{
    uint64_t *told = arg;
    (void)fault;
    for (unsigned i = 0; rows_table_name(i); i++) {
        if (strcmp(rows_table_name(i), row->table) == 0)
            *told |= UINT64_C(1) << i;
    }
}

static void read_on(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

void scrub_hub(const char *path, uint64_t *told)
{
    char scratch_path[ROT_PATH_MAX];
    struct store *store = NULL;
    struct store *scratch = NULL;
    const struct store_options options = {.map_size = 256 << 20};
    const struct scrub scrub = {tell, read_on, told};
    snprintf(scratch_path, sizeof scratch_path, "%.500s-folded", path);
    enum err err = store_open(path, &options, &store, NULL);
    if (!err)
        err = store_open(scratch_path, &options, &scratch, NULL);
    if (!err)
        err = verify_store(store, scratch, &scrub, NULL);
    if (err)
        *told |= SCRUB_FAILED;
    store_close(&scratch);
    store_close(&store);
}
