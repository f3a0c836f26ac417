#include <criterion/criterion.h>

#include "storage/device.h"
#include "storage/invitation.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;

static void set_up(void)
{
    scratch_init(&scratch);
    store = scratch_open(&scratch);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(device, .init = set_up, .fini = tear_down);

static struct device labelled(uint8_t handle, const char *label)
{
    struct device device = {.role = ROLE_VOLUNTEER, .seq = 0x01020300u + handle};
    memset(device.handle, handle, sizeof device.handle);
    memset(device.key, 'k', sizeof device.key);
    memset(device.head, 'h', sizeof device.head);
    memset(device.identity, 'i', sizeof device.identity);
    device.label_n = (uint32_t)strlen(label);
    memcpy(device.label, label, device.label_n);
    return device;
}

Test(device, comes_back_as_it_was_put)
{
    struct device put = labelled(5, "Amina's phone");
    struct device longest = labelled(6, "");
    memset(longest.label, 'x', LABEL_MAX);
    longest.label_n = LABEL_MAX;
    struct txn *txn = txn_begin_write(store);
    device_put(txn, 1, &put);
    device_put(txn, 1, &longest);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_read(store);
    struct device got;
    cr_assert_eq(device_get(txn, 1, put.handle, &got), OK);
    cr_assert_eq(memcmp(got.handle, put.handle, sizeof got.handle), 0);
    cr_assert_eq(memcmp(got.key, put.key, sizeof got.key), 0);
    cr_assert_eq(got.role, ROLE_VOLUNTEER);
    cr_assert_eq(got.seq, put.seq);
    cr_assert_eq(memcmp(got.head, put.head, sizeof got.head), 0);
    cr_assert_eq(memcmp(got.identity, put.identity, sizeof got.identity), 0);
    cr_assert_eq(got.label_n, put.label_n);
    cr_assert_str_eq(got.label, "Amina's phone");
    cr_assert_eq(device_get(txn, 1, longest.handle, &got), OK);
    cr_assert_str_eq(got.label, longest.label);
    cr_assert_eq(device_get(txn, 2, put.handle, &got), ERR_NOT_FOUND);
    txn_abort(&txn);
    expect_no_leaks();
}

struct seen {
    struct txn *txn;
    size_t n;
    size_t max;
    uint8_t handles[16];
};

static bool see(const struct device *device, void *arg)
{
    struct seen *seen = arg;
    seen->handles[seen->n++] = device->handle[0];
    struct device again = *device;
    again.seq++;
    if (seen->txn)
        device_put(seen->txn, 2, &again);
    return seen->n < seen->max;
}

Test(device, is_given_in_the_order_of_handles_within_its_community)
{
    struct txn *txn = txn_begin_write(store);
    static const uint8_t handles[] = {0xff, 0, 9, 0x80};
    for (uint32_t community = 1; community <= 3; community++)
        for (size_t i = 0; i < sizeof handles; i++) {
            struct device device = labelled(handles[i], "x");
            device_put(txn, community, &device);
        }
    struct seen seen = {.txn = txn, .max = 16};
    device_each(txn, 2, see, &seen);
    cr_assert_eq(seen.n, 4);
    cr_assert_eq(memcmp(seen.handles, "\0\x09\x80\xff", 4), 0);
    seen = (struct seen){.max = 2};
    device_each(txn, 2, see, &seen);
    cr_assert_eq(seen.n, 2);
    struct device got;
    struct device any = labelled(9, "");
    cr_assert_eq(device_get(txn, 2, any.handle, &got), OK);
    cr_assert_eq(got.seq, any.seq + 1, "each may put");
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(device, that_is_damaged_is_told_and_the_others_are_given)
{
    struct device a = labelled(1, "the damaged one");
    struct device b = labelled(2, "the sound one");
    struct txn *txn = txn_begin_write(store);
    device_put(txn, 1, &a);
    device_put(txn, 1, &b);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("the damaged one"), 0), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    struct device got;
    cr_assert_eq(device_get(txn, 1, a.handle, &got), ERR_DAMAGED);
    struct seen seen = {.max = 16};
    device_each(txn, 1, see, &seen);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(seen.handles[0], 2);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}

Test(device, has_a_contact_that_begins_with_zeros)
{
    static const uint8_t handle[HANDLE_SIZE] = {1};
    struct contact got = {1, 2, 3, 4, 5, 6, "7"};
    struct txn *txn = txn_begin_write(store);
    contact_get(txn, 1, handle, &got);
    cr_assert_eq(got.last_sync, 0);
    cr_assert_str_empty(got.app);
    cr_assert_eq(got.bytes_in, 0);
    cr_assert_eq(got.bytes_out, 0);
    struct contact put = {
        -5, UINT64_MAX, 1ull << 40, 7, 8, -9, "an app of forty characters, which is all"};
    contact_put(txn, 1, handle, &put);
    contact_get(txn, 1, handle, &got);
    cr_assert_eq(got.last_sync, -5);
    cr_assert_eq(got.bytes_in, UINT64_MAX);
    cr_assert_eq(got.bytes_out, 1ull << 40);
    cr_assert_eq(got.written, 7);
    cr_assert_eq(got.error, 8);
    cr_assert_eq(got.error_time, -9);
    cr_assert_str_eq(got.app, put.app);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(device, is_invited)
{
    static const uint8_t hash[HASH_SIZE] = {1};
    static const uint8_t other[HASH_SIZE] = {2};
    struct invitation put = {.community = 3,
                             .role = ROLE_COORDINATOR,
                             .expires = -1,
                             .uses = 500,
                             .used = 499,
                             .label = "Tomas",
                             .label_n = 5};
    static const uint8_t device[HANDLE_SIZE] = {'d'};
    static const uint8_t stranger[HANDLE_SIZE] = {'s'};
    struct txn *txn = txn_begin_write(store);
    invitation_put(txn, hash, &put);
    struct invitation got;
    cr_assert_eq(invitation_get(txn, other, &got), ERR_NOT_FOUND);
    cr_assert_eq(invitation_get(txn, hash, &got), OK);
    cr_assert_eq(got.community, 3);
    cr_assert_eq(got.role, ROLE_COORDINATOR);
    cr_assert_eq(got.expires, -1);
    cr_assert_eq(got.uses, 500);
    cr_assert_eq(got.used, 499);
    cr_assert_not(got.is_devices);
    put.is_devices = true;
    memset(put.maker, 'm', sizeof put.maker);
    invitation_put(txn, other, &put);
    cr_assert_eq(invitation_get(txn, other, &got), OK);
    cr_assert(got.is_devices);
    cr_assert_arr_eq(got.maker, put.maker, sizeof put.maker);
    cr_assert_eq(got.role, ROLE_COORDINATOR);
    cr_assert_not(invitation_used_by(txn, hash, device));
    invitation_note_use(txn, hash, device);
    cr_assert(invitation_used_by(txn, hash, device));
    cr_assert_not(invitation_used_by(txn, hash, stranger));
    cr_assert_not(invitation_used_by(txn, other, device));
    cr_assert_str_eq(got.label, "Tomas");
    cr_assert_eq(got.label_n, 5);
    cr_assert_eq(txn_commit(&txn), OK);
}

// --- Tokens ---

static enum err token(struct txn *txn, uint8_t hash, uint32_t community, uint8_t handle)
{
    uint8_t full[HASH_SIZE];
    struct token got;
    memset(full, hash, sizeof full);
    enum err err = token_get(txn, full, &got);
    if (!err) {
        cr_assert_eq(got.community, community);
        cr_assert_eq(got.handle[0], handle);
        cr_assert_eq(got.handle[HANDLE_SIZE - 1], handle);
    }
    return err;
}

static void issue(struct txn *txn, uint8_t hash, uint32_t community, uint8_t handle)
{
    uint8_t full[HASH_SIZE];
    uint8_t device[HANDLE_SIZE];
    memset(full, hash, sizeof full);
    memset(device, handle, sizeof device);
    token_put(txn, full, community, device, 1000);
}

Test(device, has_one_token_and_the_last_one_holds)
{
    struct txn *txn = txn_begin_write(store);
    issue(txn, 'a', 1, 5);
    issue(txn, 'b', 1, 6);
    issue(txn, 'c', 2, 5);
    cr_assert_eq(token(txn, 'a', 1, 5), OK);
    issue(txn, 'd', 1, 5);
    cr_assert_eq(token(txn, 'a', 1, 5), ERR_NOT_FOUND);
    struct bytes row;
    uint8_t former[HASH_SIZE];
    memset(former, 'a', sizeof former);
    cr_assert_eq(table_get(txn, TABLE_TOKEN, BYTES(former), &row), ERR_NOT_FOUND, "nor is it kept");
    cr_assert_eq(token(txn, 'd', 1, 5), OK);
    cr_assert_eq(token(txn, 'b', 1, 6), OK, "of another device");
    cr_assert_eq(token(txn, 'c', 2, 5), OK, "of another community");
    issue(txn, 'd', 1, 5);
    cr_assert_eq(token(txn, 'd', 1, 5), OK, "the same one again");
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

Test(device, whose_token_is_damaged_gets_a_new_one_and_the_old_stays_void)
{
    uint8_t old[HASH_SIZE];
    memset(old, 'a', sizeof old);
    struct txn *txn = txn_begin_write(store);
    issue(txn, 'a', 1, 5);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    // It stands in a value and in a key: both are damaged now.
    cr_assert_geq(scratch_flip(&scratch, BYTES(old), 0), 2);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
    cr_assert_eq(token(txn, 'a', 1, 5), ERR_DAMAGED);
    old[0] ^= 1;
    struct token damaged;
    cr_assert_eq(token_get(txn, old, &damaged), ERR_DAMAGED);
    issue(txn, 'b', 1, 5);
    cr_assert_eq(token(txn, 'b', 1, 5), OK);
    cr_assert_neq(token(txn, 'a', 1, 5), OK);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(device, whose_own_row_is_damaged_still_gets_its_former_token_voided)
{
    // The device's row: a key that ends with the handle, the hash, and its check.
    uint8_t row[HANDLE_SIZE + HASH_SIZE];
    memset(row, 5, HANDLE_SIZE);
    memset(row + HANDLE_SIZE, 'a', HASH_SIZE);
    struct txn *txn = txn_begin_write(store);
    issue(txn, 'a', 1, 5);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(row), sizeof row), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
    cr_assert_eq(token(txn, 'a', 1, 5), ERR_DAMAGED);
    issue(txn, 'b', 1, 5);
    cr_assert_eq(token(txn, 'a', 1, 5), ERR_NOT_FOUND);
    cr_assert_eq(token(txn, 'b', 1, 5), OK);
    cr_assert_eq(txn_commit(&txn), OK);
}

// --- Changes set apart ---

Test(device, has_changes_set_apart_and_taken_back)
{
    static const uint8_t handle[HANDLE_SIZE] = {1};
    static const uint8_t other[HANDLE_SIZE] = {2};
    struct txn *txn = txn_begin_write(store);
    cr_assert_eq(apart_get(txn, 1, handle, 9, 7), REASON_NONE);
    static const struct decided first = {.by = {'h'}, .seq = 1};
    static const struct decided second = {.by = {'h'}, .seq = 1, .index = 1};
    apart_put(txn, 1, handle, 9, 7, &first, REASON_WRONG_ID);
    cr_assert_eq(apart_get(txn, 1, handle, 9, 7), REASON_WRONG_ID);
    cr_assert_eq(apart_get(txn, 1, handle, 8, 7), REASON_NONE);
    cr_assert_eq(apart_get(txn, 1, handle, 9, 8), REASON_NONE);
    cr_assert_eq(apart_get(txn, 1, other, 9, 7), REASON_NONE);
    cr_assert_eq(apart_get(txn, 2, handle, 9, 7), REASON_NONE);
    apart_put(txn, 1, handle, 9, 7, &second, REASON_REVOKED);
    apart_delete(txn, 1, handle, 9, 7, &first);
    apart_delete(txn, 1, handle, 9, 7, &first);
    cr_assert_eq(apart_get(txn, 1, handle, 9, 7), REASON_REVOKED, "another decision still says so");
    apart_delete(txn, 1, handle, 9, 7, &second);
    cr_assert_eq(apart_get(txn, 1, handle, 9, 7), REASON_NONE);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(device, builds_nothing_on_a_damaged_setting_apart)
{
    static const uint8_t handle[HANDLE_SIZE] = "set apart...";
    // The row's key holds handle, seq and tag.
    static const uint8_t key_part[HANDLE_SIZE + 8] = "set apart...\0\0\0\x09\0\0\0\x07";
    struct txn *txn = txn_begin_write(store);
    static const struct decided first = {.by = {'h'}, .seq = 1};
    apart_put(txn, 1, handle, 9, 7, &first, REASON_WRONG_ID);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(key_part), sizeof key_part + HANDLE_SIZE + 5), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    cr_assert_neq(apart_get(txn, 1, handle, 9, 7), REASON_NONE);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}
