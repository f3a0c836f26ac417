// Words are nowhere in plain, and what is erased can be opened by nobody, whatever files they have.

#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/community.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/seal.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct community community;

static const char words[] = "words that shall be found nowhere at all";

static struct store *open_store(void)
{
    struct store *opened = NULL;
    struct fault fault = {0};
    struct store_options options = {.map_size = 64 << 20, .keeps_orders = true};
    cr_assert_eq(store_open(scratch.path, &options, &opened, &fault), OK, "%s", fault.text);
    return opened;
}

static void set_up(void)
{
    scratch_init(&scratch);
    store = open_store();
    community = (struct community){.is_hub = true, .id = {7}};
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &community);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(seal, .init = set_up, .fini = tear_down);

// --- what is in the files ---

static const char *sought;
static int found;

static int search_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type != FTW_F || st->st_size == 0)
        return 0;
    size_t n = (size_t)st->st_size;
    char *all = malloc(n);
    FILE *file = fopen(path, "rbe");
    cr_assert(all && file);
    n = fread(all, 1, n, file);
    found += memmem(all, n, sought, strlen(sought)) != NULL;
    fclose(file);
    free(all);
    return 0;
}

static int files_with(const char *text)
{
    sought = text;
    found = 0;
    cr_assert_eq(nftw(scratch.folder, search_file, 8, FTW_PHYS), 0);
    return found;
}

// --- bodies ---

static void put_to(struct txn *txn, uint64_t position, uint32_t seq, const char *text)
{
    struct log_entry entry = {.form = LOG_WHOLE, .seq = seq, .envelope = bytes_of_text("en")};
    struct log_body body = {.fields = bytes_of_text(text), .salt = {1, 2, 3}};
    be32_put(body.salt + 12, seq);
    memset(entry.device, 'd', HANDLE_SIZE);
    memset(entry.leaf, (int)seq, HASH_SIZE);
    log_put(txn, community.number, position, &entry, &body);
}

static void put(uint64_t position, const char *text)
{
    struct txn *txn = txn_begin_write(store);
    put_to(txn, position, (uint32_t)position, text);
    cr_assert_eq(txn_commit(&txn), OK);
}

static enum err get(uint64_t position, char *text, size_t n)
{
    struct log_body body;
    struct txn *txn = txn_begin_read(store);
    enum err err = log_get_body(txn, community.number, position, &body);
    if (!err)
        (void)snprintf(text, n, "%.*s", (int)body.fields.n, (const char *)body.fields.p);
    txn_abort(&txn);
    return err;
}

static void erase(uint64_t position)
{
    uint8_t handle[HANDLE_SIZE];
    memset(handle, 'd', sizeof handle);
    uint32_t tag = 0x01010101u * (uint32_t)position;
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, community.number, handle, (uint32_t)position, tag, NULL);
    log_erase(txn, community.number, position, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void expect_words(uint64_t position, const char *expected)
{
    char text[100] = "";
    cr_expect_eq(get(position, text, sizeof text), OK);
    cr_expect_str_eq(text, expected);
}

Test(seal, keeps_words_out_of_every_file)
{
    put(1, words);
    expect_words(1, words);
    struct txn *txn = txn_begin_write(store);
    name_put(txn, community.number, bytes_of_text(words), 1, (const uint8_t *)"0123456789abcdef");
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_expect_eq(files_with(words), 0);
    scratch_write(&scratch, "other", "note", words);
    cr_expect_eq(files_with(words), 1, "the search finds what there is");
    store = open_store();
    expect_words(1, words);
    expect_no_leaks();
}

Test(seal, gives_nothing_back_that_is_erased)
{
    char text[100];
    put(1, words);
    put(2, "others");
    erase(1);
    cr_expect_eq(get(1, text, sizeof text), ERR_NOT_FOUND);
    expect_words(2, "others");
    struct txn *txn = txn_begin_read(store);
    struct log_entry entry;
    cr_assert_eq(log_get(txn, community.number, 1, &entry), OK);
    cr_expect_eq(entry.form, LOG_HUSK);
    txn_abort(&txn);
}

static void copy_file(const char *from, const char *to)
{
    static char block[1 << 16];
    char paths[2][SCRATCH_MAX + 32];
    (void)snprintf(paths[0], sizeof paths[0], "%s/%s", scratch.path, from);
    (void)snprintf(paths[1], sizeof paths[1], "%s/%s", scratch.path, to);
    FILE *in = fopen(paths[0], "rbe");
    FILE *out = fopen(paths[1], "wbe");
    cr_assert(in && out);
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        cr_assert_eq(fwrite(block, 1, n, out), n);
    fclose(in);
    cr_assert_eq(fclose(out), 0);
}

Test(seal, makes_a_backup_of_before_worthless_too)
{
    char text[100];
    put(1, words);
    put(2, "others");
    store_close(&store);
    copy_file("data.mdb", "backup.mdb");
    store = open_store();
    erase(1);
    store_close(&store);
    copy_file("backup.mdb", "data.mdb");
    store = open_store();
    cr_expect_eq(get(1, text, sizeof text), ERR_DAMAGED, "the row is there, its key is not");
    expect_words(2, "others");
}

// As if the process had been killed between the commit and the destroying.
Test(seal, finishes_at_the_next_opening_what_a_crash_left)
{
    char text[100];
    put(1, words);
    put(2, "others");
    store_close(&store);
    static const char name[] = "keys/00000001-0000000000000000";
    char to[SCRATCH_MAX + 64];
    copy_file(name, "saved.keys");
    store = open_store();
    erase(1);
    store_close(&store);
    copy_file("saved.keys", name);
    store = open_store();
    (void)snprintf(to, sizeof to, "%s/%s", scratch.path, name);
    FILE *file = fopen(to, "rbe");
    uint8_t key[SEAL_KEY_SIZE];
    static const uint8_t zeros[SEAL_KEY_SIZE];
    cr_assert(file);
    cr_assert_eq(fseek(file, SEAL_KEY_SIZE, SEEK_SET), 0);
    cr_assert_eq(fread(key, 1, sizeof key, file), sizeof key);
    fclose(file);
    cr_expect_arr_eq(key, zeros, sizeof key, "the key of position 1");
    expect_words(2, "others");
    cr_expect_eq(get(1, text, sizeof text), ERR_NOT_FOUND);
}

Test(seal, takes_a_new_key_where_one_was_destroyed)
{
    put(1, words);
    erase(1);
    put(1, "something else");
    expect_words(1, "something else");
    store_close(&store);
    store = open_store();
    expect_words(1, "something else");
}

Test(seal, makes_a_file_for_every_4096_positions)
{
    char text[100];
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 1; i <= 10000; i++) {
        (void)snprintf(text, sizeof text, "words number %u", i);
        put_to(txn, i, i, text);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    for (uint32_t i = 1; i <= 10000; i += 7) {
        (void)snprintf(text, sizeof text, "words number %u", i);
        expect_words(i, text);
    }
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/keys", scratch.path);
    size_t files = 0;
    DIR *dir = opendir(path);
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        files += entry->d_name[0] != '.';
    closedir(dir);
    cr_expect_eq(files, 3);
}

Test(seal, calls_a_lost_file_of_keys_damage)
{
    char text[100];
    char command[SCRATCH_MAX + 64];
    put(1, words);
    store_close(&store);
    (void)snprintf(command, sizeof command, "%s/keys/00000001-0000000000000000", scratch.path);
    cr_assert_eq(remove(command), 0);
    store = open_store();
    cr_expect_eq(get(1, text, sizeof text), ERR_DAMAGED);
}

// The keys have no check of their own: the words that they open have.
Test(seal, calls_words_damaged_whose_key_was_altered)
{
    char text[100];
    char path[SCRATCH_MAX + 64];
    put(1, words);
    put(2, "others");
    (void)snprintf(path, sizeof path, "%s/keys/00000001-0000000000000000", scratch.path);
    for (long at = 32; at < 64; at++) {
        FILE *file = fopen(path, "r+be");
        cr_assert(file && fseek(file, at, SEEK_SET) == 0);
        int c = fgetc(file);
        cr_assert(c != EOF && fseek(file, at, SEEK_SET) == 0);
        cr_assert(fputc(c ^ 16, file) != EOF && fclose(file) == 0);
        cr_expect_eq(get(1, text, sizeof text), ERR_DAMAGED, "byte %ld", at);
        expect_words(2, "others");
        file = fopen(path, "r+be");
        cr_assert(file && fseek(file, at, SEEK_SET) == 0);
        cr_assert(fputc(c, file) != EOF && fclose(file) == 0);
    }
    expect_words(1, words);
}

static void *read_on(void *arg)
{
    char text[100];
    int *damaged = arg;
    for (int i = 0; i < 2000; i++) {
        enum err err = get(2, text, sizeof text);
        *damaged += err != OK || strcmp(text, "others") != 0;
    }
    return NULL;
}

Test(seal, lets_others_read_while_keys_go)
{
    pthread_t thread;
    int damaged = 0;
    for (uint64_t i = 1; i <= 50; i++)
        put(i, i == 2 ? "others" : words);
    cr_assert_eq(pthread_create(&thread, NULL, read_on, &damaged), 0);
    for (uint64_t i = 3; i <= 50; i++)
        erase(i);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(damaged, 0);
}

// --- the orders ---

struct orders {
    struct store_order all[8];
    size_t n;
};

static bool take_order(const struct store_order *order, void *arg)
{
    struct orders *orders = arg;
    orders->all[orders->n++] = *order;
    return orders->n < 8;
}

Test(seal, notes_each_order_once_beside_the_database)
{
    struct orders orders = {.n = 0};
    uint8_t handle[HANDLE_SIZE];
    uint8_t hash[HASH_SIZE] = {9};
    struct record_key record = {KIND_PERSON, {5}};
    memset(handle, 'd', sizeof handle);
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, community.number, handle, 3, 4, hash);
    erased_put(txn, community.number, handle, 3, 4, hash);
    closed_put(txn, community.number, &record, CLOSED_WITH_ALL);
    closed_put(txn, community.number, &record, CLOSED_WITH_ALL);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_write(store);
    erased_put(txn, community.number, handle, 5, 6, NULL);
    txn_abort(&txn);
    cr_assert_eq(store_orders_each(store, take_order, &orders), OK);
    cr_assert_eq(orders.n, 2, "what was not committed is not noted");
    cr_expect_arr_eq(orders.all[0].community, community.id, COMMUNITY_SIZE);
    cr_expect_arr_eq(orders.all[0].handle, handle, HANDLE_SIZE);
    cr_expect_arr_eq(orders.all[0].body_hash, hash, HASH_SIZE);
    cr_expect_eq(orders.all[0].seq, 3);
    cr_expect_eq(orders.all[0].tag, 4);
    cr_expect_eq(orders.all[1].what, ORDER_CLOSING);
    cr_expect_eq(orders.all[1].kind, KIND_PERSON);
    cr_expect_arr_eq(orders.all[1].id, record.id, ID_SIZE);
}

Test(seal, forgives_an_order_that_a_crash_cut_and_names_one_that_is_damaged)
{
    struct orders orders = {.n = 0};
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/orders", scratch.path);
    for (uint64_t i = 1; i <= 3; i++) {
        put(i, words);
        erase(i);
    }
    FILE *file = fopen(path, "abe");
    cr_assert(file && fputs("cut off", file) >= 0 && fclose(file) == 0);
    cr_assert_eq(store_orders_each(store, take_order, &orders), OK);
    cr_expect_eq(orders.n, 3);
    put(4, words);
    erase(4);
    orders.n = 0;
    cr_assert_eq(store_orders_each(store, take_order, &orders), OK);
    cr_expect_eq(orders.n, 4, "the next one takes the place of what was cut");
    file = fopen(path, "r+be");
    cr_assert(file && fseek(file, 100, SEEK_SET) == 0 && fputc('!', file) == '!');
    cr_assert_eq(fclose(file), 0);
    orders.n = 0;
    cr_assert_eq(store_orders_each(store, take_order, &orders), ERR_DAMAGED);
    cr_expect_eq(orders.n, 3, "the others are given");
}

Test(seal, names_orders_that_are_missing)
{
    struct orders orders = {.n = 0};
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/orders", scratch.path);
    for (uint64_t i = 1; i <= 3; i++) {
        put(i, words);
        erase(i);
    }
    cr_assert_eq(truncate(path, (off_t)2 * 77), 0);
    cr_assert_eq(store_orders_each(store, take_order, &orders), ERR_DAMAGED);
    cr_expect_eq(orders.n, 2, "the others are given");
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(store_orders_each(store, take_order, &orders), ERR_DAMAGED);
}
