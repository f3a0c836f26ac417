// What opening a store makes up for, and what is done later by what rows say, where some of these
// rows are damaged: nothing that is wanted is destroyed, and what is to be destroyed still is.

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/community.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/seal.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

enum { COMMUNITIES = 2, WORDS = 4, KEYS = WORDS + 1 };

static struct scratch scratch;
static struct store *store;
static const uint8_t handle[HANDLE_SIZE] = "some handle.";
// The beginnings of both files of keys, as they were before anything was destroyed.
static uint8_t saved[COMMUNITIES][KEYS][SEAL_KEY_SIZE];

static int open_keys(uint32_t community)
{
    char path[SCRATCH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/keys/%08x-0000000000000000", scratch.path,
                   (unsigned)community);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%s", path);
    return fd;
}

static void save_keys(void)
{
    for (uint32_t i = 0; i < COMMUNITIES; i++) {
        int fd = open_keys(i + 1);
        cr_assert_eq(pread(fd, saved[i], sizeof saved[i], 0), (ssize_t)sizeof saved[i]);
        (void)close(fd);
    }
}

// As if the process had been killed before any was destroyed.
static void restore_keys(void)
{
    for (uint32_t i = 0; i < COMMUNITIES; i++) {
        int fd = open_keys(i + 1);
        cr_assert_eq(pwrite(fd, saved[i], sizeof saved[i], 0), (ssize_t)sizeof saved[i]);
        (void)close(fd);
    }
}

static bool is_destroyed(uint32_t community, uint64_t position)
{
    static const uint8_t zeros[SEAL_KEY_SIZE];
    uint8_t key[SEAL_KEY_SIZE];
    int fd = open_keys(community);
    cr_assert_eq(pread(fd, key, sizeof key, (off_t)(position * sizeof key)), SEAL_KEY_SIZE);
    (void)close(fd);
    return memcmp(key, zeros, sizeof key) == 0;
}

static bool can_be_read(uint32_t community, uint64_t position)
{
    struct log_body body;
    struct txn *txn = txn_begin_read(store);
    bool can = log_get_body(txn, community, position, &body) == OK &&
               bytes_equal(body.fields, bytes_of_text("words"));
    txn_abort(&txn);
    return can;
}

static void put_words(struct txn *txn, uint32_t community, uint64_t position)
{
    struct log_entry entry = {.form = LOG_WHOLE, .seq = (uint32_t)position, .leaf = {1}};
    struct log_body body = {.fields = bytes_of_text("words")};
    memcpy(entry.device, handle, HANDLE_SIZE);
    log_put(txn, community, position, &entry, &body);
}

static uint32_t tag_of(uint32_t community, uint64_t position)
{
    struct log_entry entry;
    struct txn *txn = txn_begin_read(store);
    cr_assert_eq(log_get(txn, community, position, &entry), OK);
    txn_abort(&txn);
    return log_tag(&entry);
}

static void set_up(void)
{
    scratch_init(&scratch);
    store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 1; i <= COMMUNITIES; i++) {
        struct community community = {.id = {(uint8_t)i}};
        community_put(txn, &community);
        cr_assert_eq(community.number, i);
        for (uint64_t position = 1; position <= WORDS; position++)
            put_words(txn, i, position);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    save_keys();
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(settle, .init = set_up, .fini = tear_down);

static void drop(uint32_t community, uint64_t position)
{
    struct txn *txn = txn_begin_write(store);
    log_drop(txn, community, position);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert(is_destroyed(community, position));
}

static void erase(uint32_t community, uint64_t position)
{
    uint32_t tag = tag_of(community, position);
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, community, handle, (uint32_t)position, tag, NULL);
    log_erase(txn, community, position, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert(is_destroyed(community, position));
}

static struct key position_key(uint32_t community, uint64_t position)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u64(&key, position);
    return key;
}

Test(settle, destroys_no_words_that_a_damaged_row_names)
{
    drop(1, 3);
    store_close(&store);
    struct key key = position_key(1, 3);
    cr_assert_geq(scratch_flip(&scratch, key_of(&key), key.n - 1), 1);
    store = scratch_open(&scratch);
    for (uint64_t position = 1; position <= WORDS; position++)
        cr_expect_eq(can_be_read(1, position), position != 3, "%d", (int)position);
    expect_no_leaks();
}

Test(settle, destroys_what_was_dropped_though_another_community_lost_its_keys)
{
    drop(1, 3);
    drop(2, 3);
    store_close(&store);
    restore_keys();
    int fd = open_keys(1);
    cr_assert_eq(ftruncate(fd, 100), 0);
    (void)close(fd);
    store = scratch_open(&scratch);
    cr_expect(is_destroyed(2, 3));
    cr_expect(can_be_read(2, 2));
    expect_no_leaks();
}

Test(settle, destroys_what_was_dropped_though_a_row_before_it_is_none)
{
    drop(1, 3);
    struct txn *txn = txn_begin_write(store);
    struct key key = position_key(1, 0);
    table_put(txn, TABLE_DROPPED, bytes_of(key.p, key.n - 1), bytes_of(NULL, 0));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    restore_keys();
    store = scratch_open(&scratch);
    cr_expect(is_destroyed(1, 3));
}

Test(settle, destroys_what_was_erased_though_a_row_before_it_is_damaged)
{
    erase(1, 1);
    erase(1, 2);
    erase(2, 2);
    struct txn *txn = txn_begin_write(store);
    struct key key = {0};
    key_u32(&key, 1);
    table_put(txn, TABLE_ERASED, key_of(&key), bytes_of(NULL, 0));
    key_bytes(&key, BYTES(handle));
    key_u32(&key, 1);
    table_put(txn, TABLE_CHAIN, key_of(&key), bytes_of_text("short"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    restore_keys();
    store = scratch_open(&scratch);
    cr_expect_not(is_destroyed(1, 1), "where it stands is not known");
    cr_expect(is_destroyed(1, 2));
    cr_expect(is_destroyed(2, 2));
    cr_expect(can_be_read(1, 3));
    expect_no_leaks();
}

Test(settle, leaves_words_alone_whose_change_is_whole_again_or_another)
{
    uint32_t tag = tag_of(1, 1);
    erase(1, 2);
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, 1, handle, 1, tag, NULL);
    erased_put(txn, 1, handle, 2, tag + 1, NULL);
    erased_put(txn, 1, handle, 100, tag, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    store = scratch_open(&scratch);
    cr_expect(can_be_read(1, 1));
    cr_expect(is_destroyed(1, 2));
}

Test(settle, is_no_matter_where_the_keys_of_what_is_erased_are_lost)
{
    char path[SCRATCH_MAX + 64];
    erase(1, 1);
    drop(1, 2);
    store_close(&store);
    (void)snprintf(path, sizeof path, "%s/keys/00000001-0000000000000000", scratch.path);
    cr_assert_eq(remove(path), 0);
    store = scratch_open(&scratch);
    cr_expect_not(can_be_read(1, 1));
    cr_expect(can_be_read(2, 1));
}

Test(settle, knows_more_files_of_keys_than_it_began_with_room_for)
{
    enum { FILES = 40 };
    for (uint64_t i = 1; i <= FILES; i++) {
        struct txn *txn = txn_begin_write(store);
        put_words(txn, 1, i * SEAL_BLOCK);
        cr_assert_eq(txn_commit(&txn), OK);
    }
    for (uint64_t i = 1; i <= FILES; i++)
        cr_expect(can_be_read(1, i * SEAL_BLOCK), "%d", (int)i);
    drop(1, 1);
    expect_no_leaks();
}

static bool note_keep(const struct keep *keep, void *arg)
{
    (void)keep;
    ++*(unsigned *)arg;
    return true;
}

Test(settle, lets_nothing_be_due_by_a_damaged_row)
{
    unsigned due = 0;
    struct keep keep = {.until = 1000, .record = {KIND_NEED, {7}}, .device = {8}, .seq = 9};
    static const uint8_t in_key[8] = {0x80, 0, 0, 0, 0, 0, 0x03, 0xe8};
    struct txn *txn = txn_begin_write(store);
    keep_put(txn, 1, &keep);
    keep.until = 100;
    keep_put(txn, 1, &keep);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    // 1000 becomes 744.
    cr_assert_geq(scratch_flip(&scratch, BYTES(in_key), 6), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    keep_each_due(txn, 1, 800, note_keep, &due);
    cr_assert_eq(due, 1, "the sound one alone");
    cr_assert_gt(txn_damage(txn), 0);
    txn_abort(&txn);
}

Test(settle, gives_no_number_again_that_a_damaged_row_hides)
{
    struct community first = {.id = {50}};
    struct community second = {.id = {51}};
    store_close(&store);
    scratch_done(&scratch);
    scratch_init(&scratch);
    store = scratch_open(&scratch);
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &first);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    // It says 0 then, and what comes next would be 1 once more.
    cr_assert_geq(scratch_flip(&scratch, bytes_of((const uint8_t *)"number\0\0\0\1", 10), 9), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
    community_put(txn, &second);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED, "number %u", second.number);
    txn = txn_begin_read(store);
    cr_assert_eq(community_get(txn, first.id, &first), OK, "it is still there");
    txn_abort(&txn);
}
