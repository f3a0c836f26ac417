// One community alone in a stream, and into a store that has others.

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/community.h"
#include "storage/device.h"
#include "storage/dump.h"
#include "storage/invitation.h"
#include "storage/log.h"
#include "storage/record.h"
#include "storage/scrub.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

enum { CHANGES = 5 };

static struct scratch here, there;
static struct store *from, *to;
static struct dump dump;
static struct fault fault;
static int fd;

static void tell(void *arg, const struct row *row, enum row_fault what)
{
    (void)arg;
    (void)what;
    cr_assert(false, "a row of %s is damaged", row->table);
}

static void read_on(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static const struct scrub scrub = {tell, read_on, NULL};

// Each with changes, a device and a token of its own.
static uint32_t fill(struct store *store, uint8_t id)
{
    struct community community = {.id = {id}, .is_hub = true, .size = CHANGES};
    struct device device = {.handle = {id}, .role = ROLE_VOLUNTEER, .seq = CHANGES};
    uint8_t hash[HASH_SIZE] = {id};
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &community);
    device_put(txn, community.number, &device);
    token_put(txn, hash, community.number, device.handle, 1);
    for (uint32_t seq = 1; seq <= CHANGES; seq++) {
        struct log_entry entry = {.form = LOG_WHOLE, .seq = seq, .envelope = bytes_of_text("e")};
        struct log_body body = {.salt = {id}, .fields = bytes_of(&id, 1)};
        entry.device[0] = id;
        log_put(txn, community.number, seq, &entry, &body);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    return community.number;
}

static void expect_filled(struct store *store, uint32_t number, uint8_t id)
{
    struct community community;
    struct device device;
    uint8_t handle[HANDLE_SIZE] = {id};
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(community_get_number(txn, number, &community), OK, "%u", number);
    cr_expect_eq(community.id[0], id);
    cr_expect_eq(community.number, number);
    cr_expect_eq(community.size, CHANGES);
    cr_expect_eq(device_get(txn, number, handle, &device), OK);
    for (uint64_t position = 1; position <= CHANGES; position++) {
        struct log_body body;
        cr_assert_eq(log_get_body(txn, number, position, &body), OK);
        cr_expect_eq(body.salt[0], id);
        cr_expect(bytes_equal(body.fields, bytes_of(&id, 1)));
    }
}

static void set_up(void)
{
    char path[SCRATCH_MAX + 32];
    scratch_init(&here);
    scratch_init(&there);
    from = scratch_open(&here);
    to = scratch_open(&there);
    fault = (struct fault){0};
    (void)snprintf(path, sizeof path, "%s/stream", here.folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
}

static void tear_down(void)
{
    (void)close(fd);
    store_close(&from);
    store_close(&to);
    scratch_done(&here);
    scratch_done(&there);
}

TestSuite(import, .init = set_up, .fini = tear_down);

static void export_it(uint32_t number)
{
    cr_assert_eq(dump_write(from, fd, number, &scrub, &dump, &fault), OK, "%s", fault.text);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
}

Test(import, gives_a_community_a_number_of_its_own_among_others)
{
    fill(from, 1);
    uint32_t number = fill(from, 2);
    fill(from, 3);
    for (uint8_t id = 7; id < 10; id++)
        fill(to, id);
    export_it(number);
    cr_expect_eq(dump.communities, 1);
    cr_expect_eq(dump.changes, CHANGES);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), OK, "%s", fault.text);
    cr_assert_eq(dump.number, 4);
    expect_filled(to, 4, 2);
    for (uint8_t id = 7; id < 10; id++)
        expect_filled(to, (uint32_t)id - 6, id);
    expect_no_leaks();
}

Test(import, lets_nobody_in)
{
    struct token token;
    uint8_t hash[HASH_SIZE] = {2};
    fill(from, 1);
    export_it(fill(from, 2));
    cr_assert_eq(dump_read(to, fd, DUMP_ALL, &dump, &fault), OK, "%s", fault.text);
    struct txn *txn TXN_CLEANUP = txn_begin_read(to);
    cr_expect_eq(token_get(txn, hash, &token), ERR_NOT_FOUND);
}

Test(import, of_a_community_alone_is_a_backup_of_a_store_that_has_no_other)
{
    fill(from, 1);
    export_it(fill(from, 2));
    cr_assert_eq(dump_read(to, fd, DUMP_OLDER, &dump, &fault), OK, "%s", fault.text);
    expect_filled(to, 1, 2);
    struct txn *txn TXN_CLEANUP = txn_begin_read(to);
    struct community community;
    cr_expect_eq(community_get_number(txn, 2, &community), ERR_NOT_FOUND);
    cr_expect_eq(scrub_rows(txn, &scrub), OK);
}

Test(import, refuses_what_is_here_already)
{
    uint32_t number = fill(from, 2);
    fill(to, 2);
    export_it(number);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), ERR_EXISTS);
    cr_expect(strstr(fault.text, "already"));
}

Test(import, refuses_a_whole_backup)
{
    fill(from, 1);
    fill(from, 2);
    export_it(0);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), ERR_WRONG_STATE);
    cr_expect(strstr(fault.text, "one community"));
}

Test(import, refuses_a_backup_of_nothing)
{
    export_it(0);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), ERR_WRONG_STATE);
}

Test(import, refuses_rows_of_a_community_that_it_does_not_bring)
{
    uint32_t number = fill(from, 1);
    uint8_t handle[HANDLE_SIZE] = {9};
    struct device device = {.role = ROLE_VOLUNTEER};
    memcpy(device.handle, handle, sizeof handle);
    struct txn *txn = txn_begin_write(from);
    device_put(txn, number + 1, &device);
    cr_assert_eq(txn_commit(&txn), OK);
    export_it(0);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), ERR_WRONG_STATE);
}

Test(import, refuses_the_store_of_a_device)
{
    struct community community = {.id = {1}};
    struct txn *txn = txn_begin_write(from);
    community_put(txn, &community);
    cr_assert_eq(txn_commit(&txn), OK);
    export_it(1);
    cr_assert_eq(dump_read(to, fd, DUMP_IMPORT, &dump, &fault), ERR_DAMAGED);
}

Test(import, does_not_export_what_is_not_there)
{
    cr_expect_eq(dump_write(from, fd, 1, &scrub, &dump, &fault), ERR_NOT_FOUND);
}
