// A hub's store is verified, while something of it fails: nothing that could not be looked at is
// called forged, and what is damaged is told.

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync/verify.h"
#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/field.h"
#include "tests/torture/fail.h"

static void set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 36);
    struct world_change need = said_need(&world, 0, "a bench", NULL);
    said_again(&world, 0, &need, 0, "a seat");
    said_erase_record(&world, 0, &need.record);
    network_settle(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(failing_verify, .init = set_up, .fini = tear_down);

static void count(void *arg, const struct row *row, enum row_fault fault)
{
    (void)row;
    (void)fault;
    ++*(size_t *)arg;
}

static void pass(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static struct store *empty_store(char folder[WORLD_PATH_MAX])
{
    struct store *store = NULL;
    struct store_options options = {.map_size = 16 << 20};
    struct fault fault = {0};
    cr_assert_lt(snprintf(folder, WORLD_PATH_MAX, "%s/verify-XXXXXX", world.folder),
                 WORLD_PATH_MAX);
    cr_assert(mkdtemp(folder));
    cr_assert_eq(store_open(folder, &options, &store, &fault), OK, "%s", fault.text);
    return store;
}

// Into a store of its own each time; what is told counts as damage.
static enum err verify(struct failing *f, void *arg)
{
    char folder[WORLD_PATH_MAX];
    size_t told = 0;
    struct scrub scrub = {.told = count, .read = pass, .arg = &told};
    (void)arg;
    bool before = fail_pause(true);
    struct store *scratch = empty_store(folder);
    (void)fail_pause(before);
    enum err err = verify_store(world.hub, scratch, &scrub, f->fault);
    before = fail_pause(true);
    store_close(&scratch);
    cr_assert_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    (void)fail_pause(before);
    return !err && told ? ERR_DAMAGED : err;
}

Test(failing_verify, finds_nothing_forged_that_could_not_be_looked_at)
{
    failing_reads(world.hub, verify, NULL);
    expect_no_leaks();
}
