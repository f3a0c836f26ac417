// A hub's store that is sound is found so, and of one that was altered it is told what.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sign.h"
#include "storage/erasure.h"
#include "storage/table.h"
#include "sync/digest.h"
#include "sync/verify.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { COORDINATOR, PHONE, DEVICES, FAULTS = ROW_FORGED + 1 };

static struct world world;
static struct world_change need;
static uint64_t position; // of the need in the hub's log

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 37);
    need = said_need(&world, PHONE, "a bench", NULL);
    struct world_change erased = said_need(&world, PHONE, "not to be kept", NULL);
    said_erase_record(&world, PHONE, &erased.record);
    network_settle(&world);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(log_find(txn, world.community, world.devices[PHONE].handle, need.seq, &position),
                 OK);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(verify, .init = set_up, .fini = tear_down);

struct told {
    size_t n[FAULTS];
};

static void tell(void *arg, const struct row *row, enum row_fault fault)
{
    (void)row;
    ((struct told *)arg)->n[fault]++;
}

static void pass(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static struct told verify(void)
{
    char folder[WORLD_PATH_MAX];
    struct told told = {{0}};
    struct store *scratch = NULL;
    struct store_options options = {.map_size = 16 << 20};
    struct fault fault = {0};
    struct scrub scrub = {.told = tell, .read = pass, .arg = &told};
    cr_assert_lt(snprintf(folder, sizeof folder, "%s/verify-XXXXXX", world.folder),
                 (int)sizeof folder);
    cr_assert(mkdtemp(folder));
    cr_assert_eq(store_open(folder, &options, &scratch, &fault), OK, "%s", fault.text);
    cr_assert_eq(verify_store(world.hub, scratch, &scrub, &fault), OK, "%s", fault.text);
    store_close(&scratch);
    return told;
}

static size_t sum(const struct told *told)
{
    size_t n = 0;
    for (size_t i = 0; i < FAULTS; i++)
        n += told->n[i];
    return n;
}

Test(verify, store_of_a_hub_is_what_its_log_makes_it)
{
    struct told told = verify();
    cr_expect_eq(sum(&told), (size_t)0);
    expect_no_leaks();
}

static void alter_entry(void (*alter)(struct log_entry *))
{
    struct log_entry entry;
    struct log_body body;
    uint8_t fields[256];
    char envelope[1024];
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(log_get(txn, world.community, position, &entry), OK);
    cr_assert_eq(log_get_body(txn, world.community, position, &body), OK);
    cr_assert(entry.envelope.n <= sizeof envelope && body.fields.n <= sizeof fields);
    memcpy(envelope, entry.envelope.p, entry.envelope.n);
    memcpy(fields, body.fields.p, body.fields.n);
    entry.envelope.p = (const uint8_t *)envelope;
    body.fields.p = fields;
    alter(&entry);
    log_put(txn, world.community, position, &entry, entry.form == LOG_WHOLE ? &body : NULL);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void other_leaf(struct log_entry *entry)
{
    entry->leaf[31] ^= 1;
}

static void other_seq(struct log_entry *entry)
{
    entry->seq += 7;
}

static void again_of_nothing(struct log_entry *entry)
{
    entry->form = LOG_AGAIN;
    entry->first = position;
}

static void again_of_another(struct log_entry *entry)
{
    entry->form = LOG_AGAIN;
    entry->first = 1;
}

Test(verify, entry_that_is_not_its_authors_is_forged)
{
    void (*const ways[])(struct log_entry *) = {other_leaf, other_seq, again_of_nothing,
                                                again_of_another};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tear_down();
        set_up();
        alter_entry(ways[i]);
        cr_expect_gt(verify().n[ROW_FORGED], (size_t)0, "%zu", i);
    }
    expect_no_leaks();
}

Test(verify, run_that_is_not_signed_by_its_author_is_forged)
{
    struct log_run run;
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(log_run_from(txn, world.community, world.devices[PHONE].handle, need.seq, &run),
                 OK);
    run.signature[0] ^= 1;
    log_put_run(txn, world.community, world.devices[PHONE].handle, &run);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect_gt(verify().n[ROW_FORGED], (size_t)0);
    expect_no_leaks();
}

// Rightly signed, by somebody who has seen another log under this one's name: the hub's was
// altered.
Test(verify, log_that_is_not_the_one_an_author_has_seen_is_told)
{
    struct world_device *phone = &world.devices[PHONE];
    struct log_run run;
    struct community community;
    struct device device;
    struct buf transcript BUF_CLEANUP = {0};
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(device_get(txn, world.community, phone->handle, &device), OK);
    cr_assert_eq(log_run_from(txn, world.community, phone->handle, need.seq, &run), OK);
    memcpy(run.seen_log, community.log, HANDLE_SIZE);
    run.seen_size = 1;
    memset(run.seen_root, 9, HASH_SIZE);
    struct log_head seen = {BYTES(run.seen_log), run.seen_size, BYTES(run.seen_root)};
    digest_run_transcript(world.id, device.key, run.last, run.head, &seen, &transcript);
    cr_assert_eq(sign_make(phone->seed, buf_bytes(&transcript), run.signature), OK);
    log_put_run(txn, world.community, phone->handle, &run);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect_eq(verify().n[ROW_FORGED], (size_t)1);
    expect_no_leaks();
}

Test(verify, row_that_follows_from_the_log_and_is_not_there_is_missing)
{
    struct walk walk;
    struct txn *txn = txn_begin_write(world.hub);
    walk_begin(&walk, txn, TABLE_LIVE, bytes_of(NULL, 0), bytes_of(NULL, 0));
    cr_assert(walk_next(&walk));
    table_delete(txn, TABLE_LIVE, walk.key);
    walk_end(&walk);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect_eq(verify().n[ROW_MISSING], (size_t)1);
    expect_no_leaks();
}

Test(verify, row_that_follows_from_nothing_is_false)
{
    struct txn *txn = txn_begin_write(world.hub);
    closed_put(txn, world.community, &need.record, CLOSED_ALONE);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect_eq(verify().n[ROW_FALSE], (size_t)1);
    expect_no_leaks();
}

// --- what no row shows ---

static void change_store(void (*change)(struct txn *))
{
    struct txn *txn = txn_begin_write(world.hub);
    change(txn);
    cr_assert_eq(txn_commit(&txn), OK);
}

static struct key place(void)
{
    struct key key = {0};
    key_u32(&key, world.community);
    key_u64(&key, position);
    return key;
}

static void lose_words(struct txn *txn)
{
    struct key key = place();
    table_delete(txn, TABLE_BODY, key_of(&key));
}

static void lose_number(struct txn *txn)
{
    struct key key = {0};
    key_bytes(&key, bytes_of_text("number"));
    key_u32(&key, world.community);
    table_delete(txn, TABLE_META, key_of(&key));
}

// It is found from every change on, and no change is its end.
static void sign_without_end(struct txn *txn)
{
    const uint8_t *phone = world.devices[PHONE].handle;
    struct log_run run;
    for (uint32_t seq = 1; log_run_from(txn, world.community, phone, seq, &run) == OK;
         seq = run.last + 1) {
        struct key key = {0};
        key_u32(&key, world.community);
        key_bytes(&key, bytes_of(phone, HANDLE_SIZE));
        key_u32(&key, run.last);
        table_delete(txn, TABLE_RUN, key_of(&key));
    }
    run = (struct log_run){.first = 1, .last = UINT32_MAX};
    log_put_run(txn, world.community, phone, &run);
}

static void add_words(struct txn *txn)
{
    struct log_body body = {.fields = bytes_of_text("of nobody")};
    log_put_body(txn, world.community, 1000, &body);
}

Test(verify, whatever_is_too_much_or_too_little_is_told)
{
    static const struct {
        void (*change)(struct txn *);
        enum row_fault fault;
    } rows[] = {{lose_words, ROW_MISSING},
                {lose_number, ROW_OTHER},
                {sign_without_end, ROW_FORGED},
                {add_words, ROW_FALSE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tear_down();
        set_up();
        change_store(rows[i].change);
        cr_expect_gt(verify().n[rows[i].fault], (size_t)0, "%zu", i);
    }
    expect_no_leaks();
}

static void without_words(struct log_entry *entry)
{
    entry->form = LOG_HUSK;
}

Test(verify, words_that_no_decision_erased_are_missed)
{
    alter_entry(without_words);
    cr_expect_gt(verify().n[ROW_MISSING], (size_t)0);
}
