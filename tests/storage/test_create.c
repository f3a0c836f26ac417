// Creation, interrupted or done by several at once.

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/create.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;

static void set_up(void)
{
    scratch_init(&scratch);
}

static void tear_down(void)
{
    scratch_done(&scratch);
}

TestSuite(create, .init = set_up, .fini = tear_down);

static enum err try_open(struct fault *fault)
{
    struct store_options options = {.map_size = 16 << 20};
    struct store *store = NULL;
    enum err err = store_open(scratch.path, &options, &store, fault);
    store_close(&store);
    return err;
}

Test(create, leaves_nothing_beside_the_new_store)
{
    cr_assert_eq(try_open(NULL), OK);
    cr_assert(scratch_has(&scratch, "store/data.mdb"));
    cr_assert_not(scratch_has(&scratch, "store.new"));
    expect_no_leaks();
}

Test(create, takes_away_what_an_interrupted_creation_left)
{
    scratch_write(&scratch, "store.new", "data.mdb", "half a page");
    scratch_write(&scratch, "store.new", "lock.mdb", "");
    cr_assert_eq(try_open(NULL), OK);
    cr_assert_not(scratch_has(&scratch, "store.new"));
    expect_no_leaks();
}

Test(create, takes_away_nothing_that_it_did_not_make)
{
    struct fault fault = {0};
    scratch_write(&scratch, "store.new", "letters.txt", "dear to somebody");
    cr_assert_eq(try_open(&fault), ERR_IO);
    cr_assert(strstr(fault.text, "store.new"));
    cr_assert(scratch_has(&scratch, "store.new/letters.txt"));
    cr_assert_not(scratch_has(&scratch, "store"));
}

Test(create, fills_an_empty_directory)
{
    cr_assert_eq(mkdir(scratch.path, 0755), 0);
    cr_assert_eq(try_open(NULL), OK);
    cr_assert(scratch_has(&scratch, "store/data.mdb"));
}

Test(create, refuses_a_directory_that_holds_something_else)
{
    struct fault fault = {0};
    scratch_write(&scratch, "store", "letters.txt", "dear to somebody");
    cr_assert_eq(try_open(&fault), ERR_DAMAGED);
    cr_assert(strstr(fault.text, "choose another place"));
    cr_assert(scratch_has(&scratch, "store/letters.txt"));
    cr_assert_not(scratch_has(&scratch, "store/data.mdb"));
    cr_assert_not(scratch_has(&scratch, "store.new"));
    expect_no_leaks();
}

Test(create, refuses_a_file_in_its_place)
{
    struct fault fault = {0};
    scratch_write(&scratch, ".", "store", "a letter");
    cr_assert_eq(try_open(&fault), ERR_DAMAGED);
    cr_assert_not(scratch_has(&scratch, "store.new"));
}

Test(create, says_when_the_parent_is_missing)
{
    struct fault fault = {0};
    struct store *store = NULL;
    char path[sizeof scratch.path + 16];
    snprintf(path, sizeof path, "%s/no/store", scratch.folder);
    cr_assert_eq(store_open(path, NULL, &store, &fault), ERR_IO);
    cr_assert_null(store);
    cr_assert(strstr(fault.text, "No such file"));
    expect_no_leaks();
}

Test(create, takes_a_path_with_slashes_behind_it_and_one_without_any)
{
    char path[sizeof scratch.path + 16];
    snprintf(path, sizeof path, "%s///", scratch.path);
    cr_assert_eq(create_store(path, 16 << 20, NULL), OK);
    cr_assert(scratch_has(&scratch, "store/data.mdb"));
    cr_assert_eq(chdir(scratch.folder), 0);
    cr_assert_eq(create_store("other", 16 << 20, NULL), OK);
    cr_assert(scratch_has(&scratch, "other/data.mdb"));
    cr_assert_eq(chdir("/"), 0);
    expect_no_leaks();
}

Test(create, does_nothing_to_a_store_that_is_there)
{
    struct store *store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_NAME, bytes_of_text("key"), bytes_of_text("value"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_eq(create_store(scratch.path, 16 << 20, NULL), OK);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    struct bytes value;
    cr_assert_eq(table_get(txn, TABLE_NAME, bytes_of_text("key"), &value), OK);
    txn_abort(&txn);
    store_close(&store);
}

static pid_t open_in_child(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(try_open(NULL) == OK ? 0 : 1);
    return child;
}

Test(create, killed_at_any_instant_leaves_none_or_a_whole_one)
{
    for (unsigned round = 0; round < 100; round++) {
        pid_t child = open_in_child();
        usleep(round * 100);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct fault fault = {0};
        cr_assert_eq(try_open(&fault), OK, "round %u: %s", round, fault.text);
        scratch_done(&scratch);
        cr_assert_eq(mkdir(scratch.folder, 0700), 0);
    }
}

Test(create, by_several_processes_at_once_makes_one)
{
    enum { PROCESSES = 6 };
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        children[i] = open_in_child();
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;
        waitpid(children[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    cr_assert_not(scratch_has(&scratch, "store.new"));
    cr_assert_eq(try_open(NULL), OK);
}
