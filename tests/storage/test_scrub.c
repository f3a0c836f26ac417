// Reading all of a store, and comparing it with what should be there.

#include <criterion/criterion.h>

#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/scrub.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

enum { OURS = 1, TOLD_MAX = 16 };

static struct scratch scratch;
static struct scratch other;
static struct store *store;
static struct store *made;
static const uint8_t handle[HANDLE_SIZE] = "some handle.";
static const struct record_key record = {KIND_NEED, {4}};

struct told {
    struct row row;
    enum row_fault fault;
};

static struct told told[TOLD_MAX];
static size_t told_n;
static uint64_t read_n;

static void tell(void *arg, const struct row *row, enum row_fault fault)
{
    (void)arg;
    cr_assert_lt(told_n, TOLD_MAX);
    told[told_n++] = (struct told){*row, fault};
}

static void note_read(void *arg, uint64_t rows)
{
    (void)arg;
    read_n += rows;
}

static const struct scrub scrub = {tell, note_read, NULL};

static void put_rows(struct txn *txn)
{
    struct community community = {.id = {1}};
    struct log_entry entry = {.form = LOG_WHOLE, .seq = 1, .leaf = {1}};
    struct log_body body = {.fields = bytes_of_text("the words of a change")};
    struct device device = {.role = ROLE_MEMBER, .label_n = 5, .label = "label"};
    static const struct decided decided = {.by = {2}};
    memcpy(entry.device, handle, HANDLE_SIZE);
    memcpy(device.handle, handle, HANDLE_SIZE);
    community_put(txn, &community);
    log_put(txn, OURS, 1, &entry, &body);
    device_put(txn, OURS, &device);
    role_put(txn, OURS, handle, &(struct role_row){.from = 1, .role = ROLE_MEMBER});
    apart_put(txn, OURS, handle, 1, 2, &decided, REASON_REVOKED);
    erased_put(txn, OURS, handle, 5, 6, NULL);
    live_put(txn, OURS, &(struct live){.key = {.record = record}, .time = 7});
    about_put(txn, OURS, &record, &record, bytes_of(NULL, 0));
    keep_put(txn, OURS, &(struct keep){.until = 8, .record = record});
}

static struct store *open_filled(const struct scratch *where)
{
    struct store *opened = scratch_open(where);
    struct txn *txn = txn_begin_write(opened);
    put_rows(txn);
    cr_assert_eq(txn_commit(&txn), OK);
    return opened;
}

static void set_up(void)
{
    scratch_init(&scratch);
    scratch_init(&other);
    store = open_filled(&scratch);
    made = open_filled(&other);
    told_n = 0;
    read_n = 0;
}

static void tear_down(void)
{
    store_close(&store);
    store_close(&made);
    scratch_done(&scratch);
    scratch_done(&other);
}

TestSuite(scrub, .init = set_up, .fini = tear_down);

static void read_all(void)
{
    told_n = 0;
    read_n = 0;
    struct txn *txn = txn_begin_read(store);
    uint64_t rows = scrub_count(txn);
    cr_assert_eq(scrub_rows(txn, &scrub), OK);
    cr_assert_eq(read_n, rows, "each is counted as read");
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(scrub, tells_nothing_of_a_sound_store)
{
    read_all();
    cr_assert_eq(told_n, 0);
    cr_assert_gt(read_n, 10);
    expect_no_leaks();
}

Test(scrub, tells_of_more_rows_than_are_told_at_once)
{
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 0; i < 10000; i++) {
        struct key key = {0};
        key_u32(&key, OURS);
        key_u32(&key, i);
        table_append(txn, TABLE_COVER, key_of(&key), bytes_of(NULL, 0));
    }
    cr_assert_eq(txn_commit(&txn), OK);
    read_all();
    cr_assert_eq(told_n, 0);
    cr_assert_gt(read_n, 10000);
}

Test(scrub, names_the_row_that_is_damaged)
{
    // The role's value: its key ends with the handle that decided, seq and index.
    static const uint8_t key[HANDLE_SIZE + 4] = "some handle.\0\0\0\1";
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(key), sizeof key + HANDLE_SIZE + 5), 1);
    store = scratch_open(&scratch);
    read_all();
    cr_assert_geq(told_n, 1);
    bool is_named = false;
    for (size_t i = 0; i < told_n; i++) {
        cr_expect_eq(told[i].fault, ROW_DAMAGED);
        is_named |= told[i].row.community == OURS && told[i].row.seq == 1 &&
                    memcmp(told[i].row.device, handle, HANDLE_SIZE) == 0;
    }
    cr_expect(is_named);
}

Test(scrub, opens_the_seal_of_each_word)
{
    struct key key = {0};
    key_u32(&key, OURS);
    key_u64(&key, 1);
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_BODY, key_of(&key), bytes_of_text("words under no seal, long enough"));
    cr_assert_eq(txn_commit(&txn), OK);
    read_all();
    cr_assert_eq(told_n, 1);
    cr_expect_str_eq(told[0].row.table, "body");
    cr_expect_eq(told[0].row.position, 1);
}

// --- comparing ---

static void compare_all(void)
{
    told_n = 0;
    struct txn *txn = txn_begin_read(store);
    struct txn *should = txn_begin_read(made);
    cr_assert_eq(scrub_compare(txn, should, OURS, &scrub), OK);
    txn_abort(&should);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void expect_one(const char *table, enum row_fault fault)
{
    compare_all();
    cr_assert_eq(told_n, 1, "%s: %zu", table, told_n);
    cr_expect_str_eq(told[0].row.table, table);
    cr_expect_eq(told[0].fault, fault, "%s", table);
    cr_expect_eq(told[0].row.community, OURS);
}

// Does one thing to a store, and sees what is told; then it is as the other again.
typedef void change(struct txn *txn);

static void change_in(struct store *where, change *what)
{
    struct txn *txn = txn_begin_write(where);
    what(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void delete_live(struct txn *txn)
{
    live_delete(txn, OURS, &(struct edit_key){.record = record});
}

static void alter_live(struct txn *txn)
{
    live_put(txn, OURS, &(struct live){.key = {.record = record}, .time = 9});
}

static void add_live(struct txn *txn)
{
    live_put(txn, OURS, &(struct live){.key = {.record = {KIND_NEED, {9}}}});
}

static void add_about(struct txn *txn)
{
    about_put(txn, OURS, &record, &(struct record_key){KIND_VOICE, {1}}, bytes_of(NULL, 0));
}

static void know_body(struct txn *txn)
{
    static const uint8_t hash[HASH_SIZE] = {1};
    struct key key = {0};
    key_u32(&key, OURS);
    key_bytes(&key, BYTES(handle));
    key_u32(&key, 5);
    key_u32(&key, 6);
    table_put(txn, TABLE_ERASED, key_of(&key), BYTES(hash));
}

static void label_device(struct txn *txn)
{
    struct device device;
    cr_assert_eq(device_get(txn, OURS, handle, &device), OK);
    device.label_n = 2;
    device_put(txn, OURS, &device);
}

static void promote_device(struct txn *txn)
{
    struct device device;
    cr_assert_eq(device_get(txn, OURS, handle, &device), OK);
    device.role = ROLE_COORDINATOR;
    device_put(txn, OURS, &device);
}

static void keep_longer(struct txn *txn)
{
    keep_put(txn, OURS, &(struct keep){.until = 99, .record = record});
}

Test(scrub, finds_two_that_are_alike_alike)
{
    compare_all();
    cr_assert_eq(told_n, 0);
    expect_no_leaks();
}

Test(scrub, tells_what_is_missing_false_or_other)
{
    static const struct {
        change *what;
        const char *table;
        enum row_fault here;  // it was done to the store
        enum row_fault there; // it was done to what it is compared with
    } rows[] = {
        {delete_live, "live", ROW_MISSING, ROW_FALSE},
        {alter_live, "live", ROW_OTHER, ROW_OTHER},
        {add_live, "live", ROW_FALSE, ROW_MISSING},
        {promote_device, "device", ROW_OTHER, ROW_OTHER},
        {keep_longer, "keep", ROW_FALSE, ROW_MISSING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int there = 0; there < 2; there++) {
            tear_down();
            set_up();
            change_in(there ? made : store, rows[i].what);
            expect_one(rows[i].table, there ? rows[i].there : rows[i].here);
        }
    }
}

Test(scrub, tells_nothing_of_what_may_differ)
{
    change_in(store, add_about);
    change_in(store, know_body);
    change_in(store, label_device);
    compare_all();
    cr_assert_eq(told_n, 0);
    change_in(made, add_about);
    tear_down();
    set_up();
    change_in(made, add_about);
    expect_one("about", ROW_MISSING);
}

Test(scrub, leaves_what_is_damaged_to_who_reads_the_rows)
{
    static const uint8_t time_and_position[16] = {0, 0, 0, 0, 0, 0, 0, 7};
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(time_and_position), 7), 1);
    store = scratch_open(&scratch);
    compare_all();
    cr_assert_eq(told_n, 0);
    read_all();
    cr_assert_eq(told_n, 1);
    cr_expect_str_eq(told[0].row.table, "live");
    cr_expect_eq(told[0].row.record.kind, KIND_NEED);
}
