// Rows whose check is right and which are nevertheless none of ours: too short, too long, under a
// key of another length, with a value that cannot be. They are told, or the answer is as if they
// were not there; they are never taken for sound ones.

#include <criterion/criterion.h>

#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/chores.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;
static const uint8_t handle[HANDLE_SIZE] = "some handle.";
static const uint8_t hash[HASH_SIZE] = "some hash";

static void set_up(void)
{
    struct store_options options = {.map_size = 16 << 20, .keeps_orders = true};
    scratch_init(&scratch);
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
    struct txn *txn = txn_begin_write(store);
    chores_prepare(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(misshapen, .init = set_up, .fini = tear_down);

// --- every row, in every way ---

enum way { CUT, EMPTY, LONGER, UNDER_A_LONGER_KEY, UNDER_A_SHORTER_KEY, WAYS };

struct row {
    enum table table;
    struct key key;
    uint8_t value[300];
    size_t n;
};

static size_t take_rows(struct row *rows, size_t max)
{
    size_t n = 0;
    struct txn *txn = txn_begin_read(store);
    for (int i = TABLE_COMMUNITY; i < TABLE_COUNT; i++) {
        struct walk walk;
        walk_begin(&walk, txn, (enum table)i, bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk)) {
            cr_assert(n < max && walk.value.n <= sizeof rows->value);
            struct row *row = &rows[n++];
            *row = (struct row){.table = (enum table)i, .n = walk.value.n};
            key_bytes(&row->key, walk.key);
            memcpy(row->value, walk.value.p, walk.value.n);
        }
        walk_end(&walk);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    return n;
}

static void put_misshapen(struct txn *txn, const struct row *row, enum way way)
{
    struct key key = row->key;
    size_t n = row->n;
    if (way == CUT)
        n -= n > 0;
    else if (way == EMPTY)
        n = 0;
    else if (way == LONGER)
        n++;
    else if (way == UNDER_A_LONGER_KEY)
        key_u8(&key, 0);
    else
        key.n--;
    table_put(txn, row->table, key_of(&key), bytes_of(row->value, n));
}

// Where nothing is built on what is noted, what is wrong is forgotten (see the headers).
static bool is_forgiven(enum table table)
{
    return table == TABLE_CONTACT || table == TABLE_QUOTA || table == TABLE_PROGRESS ||
           table == TABLE_CLOSED;
}

Test(misshapen, rows_are_never_taken_for_sound_ones)
{
    enum { ROWS_MAX = 60 };
    static struct row rows[ROWS_MAX];
    size_t rows_n = take_rows(rows, ROWS_MAX);
    unsigned told = 0;
    for (size_t i = 0; i < rows_n * WAYS; i++) {
        const struct row *row = &rows[i / WAYS];
        for (size_t j = 0; j < chores_reading_n; j++) {
            struct txn *txn = txn_begin_write(store);
            put_misshapen(txn, row, (enum way)(i % WAYS));
            cr_assert_eq(txn_error(txn), OK);
            enum err err = chores_reading[j].run(txn);
            if (!err)
                err = txn_error(txn);
            cr_assert(!err || err == ERR_DAMAGED || err == ERR_NOT_FOUND || is_forgiven(row->table),
                      "%s, a row of table %d in way %zu: %s", chores_reading[j].name, row->table,
                      i % WAYS, err_text(err));
            told += err == ERR_DAMAGED;
            txn_abort(&txn);
        }
    }
    cr_assert_gt(rows_n, 24);
    cr_assert_gt(told, 60);
    expect_no_leaks();
}

// --- communities ---

static struct key number_key(uint32_t number)
{
    struct key key = {0};
    key_bytes(&key, bytes_of_text("number"));
    key_u32(&key, number);
    return key;
}

static void put_number(struct txn *txn, uint32_t number, struct bytes id)
{
    struct key key = number_key(number);
    table_put(txn, TABLE_META, key_of(&key), id);
}

Test(misshapen, numbers_name_no_community)
{
    static const uint8_t unknown[COMMUNITY_SIZE] = {99};
    struct community community;
    struct txn *txn = txn_begin_write(store);
    put_number(txn, 2, bytes_of(unknown, COMMUNITY_SIZE - 1));
    put_number(txn, 3, BYTES(unknown));
    cr_assert_eq(community_get_number(txn, 2, &community), ERR_DAMAGED);
    cr_assert_eq(community_get_number(txn, 3, &community), ERR_DAMAGED, "the community is missing");
    cr_assert_eq(community_get_number(txn, 4, &community), ERR_NOT_FOUND);
    txn_abort(&txn);
}

Test(misshapen, numbers_are_given_to_no_new_community)
{
    struct community community = {.id = {44}};
    struct key key = number_key(2);
    struct txn *txn = txn_begin_write(store);
    key_u8(&key, 0);
    table_put(txn, TABLE_META, key_of(&key), bytes_of(NULL, 0));
    community_put(txn, &community);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
    txn = txn_begin_write(store);
    put_number(txn, UINT32_MAX, BYTES(community.id));
    community_put(txn, &community);
    cr_assert_eq(txn_commit(&txn), ERR_LIMIT, "there is no number left");
    txn = txn_begin_write(store);
    community_put(txn, &community);
    cr_assert_eq(community.number, 2);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(misshapen, alarms_are_none_and_all_is_checked_anew)
{
    struct checked checked = {.proved = 5, .alarm = (enum alarm)(ALARM_ALTERED + 1)};
    struct txn *txn = txn_begin_write(store);
    checked_put(txn, 1, &checked);
    checked_get(txn, 1, &checked);
    cr_assert_eq(checked.proved, 0);
    cr_assert_eq(checked.alarm, ALARM_NONE);
    txn_abort(&txn);
}

Test(misshapen, names_are_damage_to_who_asks_and_stay_as_they_are)
{
    uint32_t kind;
    uint8_t id[ID_SIZE];
    struct row rows[60];
    size_t n = take_rows(rows, 60);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].table != TABLE_NAME)
            continue;
        struct txn *txn = txn_begin_write(store);
        table_put(txn, TABLE_NAME, key_of(&rows[i].key), bytes_of_text("short"));
        cr_assert_eq(name_get(txn, 1, bytes_of_text("one"), &kind, id), ERR_DAMAGED);
        txn_abort(&txn);
    }
}

// --- tokens ---

Test(misshapen, tokens_are_void_and_stick_where_one_is_to_follow)
{
    struct token token;
    struct key owner = {0};
    key_u32(&owner, 1);
    key_bytes(&owner, BYTES(handle));
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_TOKEN, BYTES(hash), bytes_of(owner.p, owner.n - 1));
    cr_assert_eq(token_get(txn, hash, &token), ERR_DAMAGED);
    table_put(txn, TABLE_TOKEN, BYTES(hash), key_of(&owner));
    cr_assert_eq(token_get(txn, hash, &token), ERR_DAMAGED, "its device has no row");
    token_turn(txn, 1, handle);
    token_put_next(txn, hash, 1, handle, 5);
    cr_assert_eq(txn_error(txn), OK, "a device without a token has none to follow");
    cr_assert_eq(token_get(txn, hash, &token), ERR_DAMAGED);
    table_put(txn, TABLE_TOKEN, key_of(&owner), bytes_of_text("short"));
    token_turn(txn, 1, handle);
    cr_assert_eq(txn_error(txn), OK);
    token_put_next(txn, hash, 1, handle, 5);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
    txn = txn_begin_write(store);
    token_put(txn, hash, 1, handle, 5);
    token_turn(txn, 1, handle);
    cr_assert_eq(token_get(txn, hash, &token), OK, "where no other follows it stays");
    txn_abort(&txn);
}

// --- roles and what is set apart ---

static bool count(const struct role_row *row, void *arg)
{
    (void)row;
    ++*(unsigned *)arg;
    return true;
}

Test(misshapen, roles_are_none_and_stick)
{
    unsigned met = 0;
    struct role_row later = {.from = 9, .role = ROLE_COORDINATOR};
    struct role_row wrong = {.from = 10, .role = ROLE_OBSERVER};
    struct txn *txn = txn_begin_write(store);
    role_put(txn, 1, handle, &later);
    cr_assert_eq(role_at(txn, 1, handle, 8), ROLE_NONE, "it is of a later change");
    cr_assert_eq(role_at(txn, 1, handle, 9), ROLE_COORDINATOR);
    role_put(txn, 1, handle, &wrong);
    cr_assert_eq(role_at(txn, 1, handle, 10), ROLE_OBSERVER);
    wrong.role = ROLE_HUB;
    role_put(txn, 1, handle, &wrong);
    cr_assert_eq(role_at(txn, 1, handle, 8), ROLE_NONE);
    cr_assert_eq(txn_error(txn), OK, "what is later is not asked");
    role_each(txn, 1, handle, count, &met);
    cr_assert_eq(met, 1);
    cr_assert_eq(role_at(txn, 1, handle, 9), ROLE_NONE, "nothing is permitted any more");
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}

static bool take_apart(const struct apart *apart, void *arg)
{
    (void)apart;
    return ++*(unsigned *)arg < 2;
}

Test(misshapen, settings_apart_stick_and_no_reason_is_one)
{
    unsigned met = 0;
    static const struct decided decided = {.by = {1}};
    struct row rows[60];
    size_t n = take_rows(rows, 60);
    struct txn *txn = txn_begin_write(store);
    for (uint32_t seq = 1; seq <= 3; seq++)
        apart_put(txn, 1, handle, seq, 0, &decided, REASON_REVOKED);
    apart_each(txn, 1, handle, take_apart, &met);
    cr_assert_eq(met, 2, "until the visitor has enough");
    for (size_t i = 0; i < n; i++) {
        static const uint8_t none = REASON_NONE;
        if (rows[i].table == TABLE_APART)
            table_put(txn, TABLE_APART, key_of(&rows[i].key), bytes_of(&none, 1));
    }
    cr_assert_eq(apart_get(txn, 1, (const uint8_t *)"the handle..", 1, 2), REASON_NOT_PERMITTED);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}

// --- what is erased, closed and kept ---

static bool count_order(const struct store_order *order, void *arg)
{
    (void)order;
    ++*(unsigned *)arg;
    return true;
}

Test(misshapen, orders_of_no_community_are_not_given)
{
    unsigned met = 0;
    struct record_key record = {KIND_NEED, {9}};
    struct txn *txn = txn_begin_write(store);
    erased_put(txn, 77, handle, 1, 2, NULL);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
    txn = txn_begin_write(store);
    closed_put(txn, 77, &record, CLOSED_ALONE);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
    cr_assert_eq(store_orders_each(store, count_order, &met), OK);
    cr_assert_eq(met, 2, "those of before");
}

static bool take_keep(const struct keep *keep, void *arg)
{
    *(int64_t *)arg = keep->until;
    return keep->until < 20;
}

Test(misshapen, times_to_keep_are_passed_over_and_later_ones_not_asked)
{
    int64_t last = 0;
    struct txn *txn = txn_begin_write(store);
    for (int64_t until = 10; until <= 40; until += 10)
        keep_put(txn, 1, &(struct keep){.until = until, .record = {KIND_NEED, {1}}});
    keep_each_due(txn, 1, 15, take_keep, &last);
    cr_assert_eq(last, 10);
    keep_each_due(txn, 1, 100, take_keep, &last);
    cr_assert_eq(last, 20, "until the visitor has enough");
    cr_assert_eq(txn_commit(&txn), OK);
}

static bool take_evidence(const uint8_t head[HASH_SIZE], struct bytes run, void *arg)
{
    (void)head;
    (void)run;
    return ++*(unsigned *)arg < 3;
}

Test(misshapen, evidence_is_refused_where_it_is_too_much)
{
    enum { TOO_LONG = (1 << 20) + 1 };
    static uint8_t run[TOO_LONG];
    uint8_t head[HASH_SIZE] = {0};
    unsigned met = 0;
    struct txn *txn = txn_begin_write(store);
    cr_assert_not(evidence_put(txn, 1, handle, head, bytes_of(run, TOO_LONG)));
    for (int i = 0; i < EVIDENCE_MAX; i++) {
        head[0] = (uint8_t)i;
        cr_assert(evidence_put(txn, 1, handle, head, bytes_of_text("a run")));
        cr_assert_not(evidence_put(txn, 1, handle, head, bytes_of_text("a run")), "it is kept");
    }
    head[0] = EVIDENCE_MAX;
    cr_assert_not(evidence_put(txn, 1, handle, head, bytes_of_text("a run")));
    evidence_each(txn, 1, handle, take_evidence, &met);
    cr_assert_eq(met, 3, "until the visitor has enough");
    cr_assert_eq(txn_commit(&txn), OK);
}

// --- the log ---

Test(misshapen, positions_without_a_change_cannot_be_erased)
{
    struct txn *txn = txn_begin_write(store);
    log_unlink(txn, 1, 50);
    cr_assert_eq(txn_error(txn), OK, "it is in no chain");
    log_erase(txn, 1, 50, NULL);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}
