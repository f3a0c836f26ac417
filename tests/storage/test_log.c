#include <criterion/criterion.h>

#include "storage/log.h"
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

TestSuite(log, .init = set_up, .fini = tear_down);

static struct log_entry entry_of(enum log_form form, uint32_t seq, const char *envelope)
{
    struct log_entry entry = {.form = form, .seq = seq, .envelope = bytes_of_text(envelope)};
    memset(entry.device, 'd', sizeof entry.device);
    memset(entry.leaf, 'l', sizeof entry.leaf);
    return entry;
}

static struct log_body body_of(const char *fields)
{
    struct log_body body = {.fields = bytes_of_text(fields)};
    memset(body.salt, 's', sizeof body.salt);
    return body;
}

static void expect_same(const struct log_entry *a, const struct log_entry *b)
{
    cr_assert_eq(a->form, b->form);
    cr_assert_eq(memcmp(a->device, b->device, sizeof a->device), 0);
    cr_assert_eq(a->seq, b->seq);
    cr_assert_eq(memcmp(a->leaf, b->leaf, sizeof a->leaf), 0);
    cr_assert_eq(memcmp(a->body_hash, b->body_hash, sizeof a->body_hash), 0);
    cr_assert(bytes_equal(a->envelope, b->envelope));
}

Test(log, gives_each_form_of_entry_as_it_was_put)
{
    struct log_entry whole = entry_of(LOG_WHOLE, 1, "envelope");
    struct log_entry husk = entry_of(LOG_HUSK, 2, "envelope of a husk");
    struct log_entry husk_of_a_device = entry_of(LOG_HUSK, 3, "another");
    struct log_entry bare = entry_of(LOG_BARE, 0xffffffff, "");
    struct log_body body = body_of("fields");
    memset(husk.body_hash, 'b', sizeof husk.body_hash);
    memset(husk_of_a_device.leaf + 4, 0, HASH_SIZE - 4);
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, 1, &whole, &body);
    log_put(txn, 1, 2, &husk, NULL);
    log_put(txn, 1, 3, &husk_of_a_device, NULL);
    log_put(txn, 1, 4, &bare, NULL);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_read(store);
    const struct log_entry *put[] = {&whole, &husk, &husk_of_a_device, &bare};
    for (uint32_t i = 0; i < 4; i++) {
        struct log_entry got;
        uint64_t position;
        cr_assert_eq(log_get(txn, 1, i + 1, &got), OK);
        expect_same(&got, put[i]);
        cr_assert_eq(log_tag(&got), 0x6c6c6c6c);
        cr_assert_eq(log_find(txn, 1, got.device, got.seq, &position), OK);
        cr_assert_eq(position, i + 1);
    }
    struct log_body got_body;
    cr_assert_eq(log_get_body(txn, 1, 1, &got_body), OK);
    cr_assert_eq(memcmp(got_body.salt, body.salt, sizeof body.salt), 0);
    cr_assert(bytes_equal(got_body.fields, body.fields));
    cr_assert_eq(log_get_body(txn, 1, 2, &got_body), ERR_NOT_FOUND);
    struct log_entry none;
    uint64_t nowhere;
    cr_assert_eq(log_get(txn, 1, 5, &none), ERR_NOT_FOUND);
    cr_assert_eq(log_get(txn, 2, 1, &none), ERR_NOT_FOUND);
    cr_assert_eq(log_find(txn, 1, whole.device, 7, &nowhere), ERR_NOT_FOUND);
    txn_abort(&txn);
    expect_no_leaks();
}

Test(log, keeps_the_greatest_body_and_an_empty_one)
{
    static uint8_t words[CHANGE_MAX];
    memset(words, 'w', sizeof words);
    struct log_entry entry = entry_of(LOG_WHOLE, 1, "e");
    struct log_body body = {.fields = BYTES(words)};
    struct log_body empty = {.fields = bytes_of(NULL, 0)};
    struct log_body got;
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, UINT64_MAX, &entry, &body);
    log_put(txn, 1, 1, &entry, &empty);
    cr_assert_eq(log_get_body(txn, 1, UINT64_MAX, &got), OK);
    cr_assert(bytes_equal(got.fields, body.fields));
    cr_assert_eq(log_get_body(txn, 1, 1, &got), OK);
    cr_assert_eq(got.fields.n, 0);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, takes_the_words_away_when_a_whole_change_becomes_a_husk)
{
    struct log_entry entry = entry_of(LOG_WHOLE, 1, "e");
    struct log_body body = body_of("words");
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, 1, &entry, &body);
    entry.form = LOG_HUSK;
    log_put(txn, 1, 1, &entry, NULL);
    struct log_body got;
    cr_assert_eq(log_get_body(txn, 1, 1, &got), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, takes_what_was_read_in_the_same_transaction_to_another_position)
{
    struct txn *txn = txn_begin_write(store);
    for (uint32_t i = 1; i <= 50; i++) {
        struct log_entry entry = entry_of(LOG_WHOLE, i, "an envelope of some length, to move");
        struct log_body body = body_of("and words of some length too");
        log_put(txn, 1, i, &entry, &body);
    }
    for (uint32_t i = 1; i <= 50; i++) {
        struct log_entry entry;
        struct log_body body;
        cr_assert_eq(log_get(txn, 1, i, &entry), OK);
        cr_assert_eq(log_get_body(txn, 1, i, &body), OK);
        log_put(txn, 1, 50 + i, &entry, &body);
        uint64_t position;
        cr_assert_eq(log_find(txn, 1, entry.device, i, &position), OK);
        cr_assert_eq(position, 50 + i);
    }
    for (uint32_t i = 1; i <= 100; i++) {
        struct log_entry entry;
        struct log_body body;
        cr_assert_eq(log_get(txn, 1, i, &entry), OK);
        cr_assert_eq(log_get_body(txn, 1, i, &body), OK);
        cr_assert(
            bytes_equal(entry.envelope, bytes_of_text("an envelope of some length, to move")));
        cr_assert(bytes_equal(body.fields, bytes_of_text("and words of some length too")));
    }
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, refuses_an_entry_of_an_unknown_form)
{
    struct key key = {0};
    key_u32(&key, 1);
    key_u64(&key, 1);
    static const uint8_t forms[] = {0, 5, 0x0f, 0x35, 0x41, 0x81};
    struct txn *txn = txn_begin_write(store);
    for (size_t i = 0; i < sizeof forms; i++) {
        uint8_t value[100] = {forms[i]};
        table_put(txn, TABLE_ENTRY, key_of(&key), BYTES(value));
        struct log_entry entry;
        cr_assert_eq(log_get(txn, 1, 1, &entry), ERR_DAMAGED);
    }
    txn_abort(&txn);
}

Test(log, notices_damaged_words_and_serves_the_entry)
{
    struct log_entry entry = entry_of(LOG_WHOLE, 1, "the envelope");
    struct log_body body = body_of("words that will be damaged");
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, 1, &entry, &body);
    struct key key = {0};
    struct bytes sealed;
    uint8_t stored[64];
    key_u32(&key, 1);
    key_u64(&key, 1);
    cr_assert_eq(table_get(txn, TABLE_BODY, key_of(&key), &sealed), OK);
    cr_assert_leq(sealed.n, sizeof stored);
    memcpy(stored, sealed.p, sealed.n);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of(stored, sealed.n), 7), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    struct log_entry got;
    struct log_body got_body;
    cr_assert_eq(log_get(txn, 1, 1, &got), OK);
    cr_assert_eq(log_get_body(txn, 1, 1, &got_body), ERR_DAMAGED);
    cr_assert_eq(txn_commit(&txn), OK);
}

static void put_run(struct txn *txn, uint8_t device, uint32_t first, uint32_t last)
{
    struct log_run run = {.first = first, .last = last, .seen_size = last * 10ull};
    uint8_t handle[HANDLE_SIZE];
    memset(handle, device, sizeof handle);
    memset(run.head, 'h', sizeof run.head);
    memset(run.signature, 's', sizeof run.signature);
    memset(run.seen_log, 'l', sizeof run.seen_log);
    memset(run.seen_root, 'r', sizeof run.seen_root);
    log_put_run(txn, 1, handle, &run);
}

static uint32_t run_upto(struct txn *txn, uint8_t device, uint32_t seq)
{
    struct log_run run;
    uint8_t handle[HANDLE_SIZE];
    memset(handle, device, sizeof handle);
    enum err err = log_run_upto(txn, 1, handle, seq, &run);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    if (err)
        return 0;
    cr_assert_eq(run.seen_size, run.last * 10ull);
    cr_assert_eq(run.head[HASH_SIZE - 1], 'h');
    cr_assert_eq(run.signature[63], 's');
    cr_assert_eq(run.seen_log[HANDLE_SIZE - 1], 'l');
    cr_assert_eq(run.seen_root[HASH_SIZE - 1], 'r');
    cr_assert_leq(run.first, run.last);
    return run.last;
}

Test(log, finds_the_last_run_up_to_a_seq)
{
    struct txn *txn = txn_begin_write(store);
    cr_assert_eq(run_upto(txn, 5, 100), 0);
    put_run(txn, 5, 1, 3);
    put_run(txn, 5, 4, 4);
    put_run(txn, 5, 5, 300);
    put_run(txn, 4, 1, 50);
    put_run(txn, 6, 1, 60);
    cr_assert_eq(run_upto(txn, 5, 2), 0);
    cr_assert_eq(run_upto(txn, 5, 3), 3);
    cr_assert_eq(run_upto(txn, 5, 4), 4);
    cr_assert_eq(run_upto(txn, 5, 299), 4);
    cr_assert_eq(run_upto(txn, 5, UINT32_MAX), 300);
    cr_assert_eq(run_upto(txn, 6, UINT32_MAX), 60);
    cr_assert_eq(run_upto(txn, 7, UINT32_MAX), 0);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, tells_of_a_damaged_run)
{
    struct txn *txn = txn_begin_write(store);
    put_run(txn, 5, 1, 3);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    uint8_t signature[64];
    memset(signature, 's', sizeof signature);
    cr_assert_geq(scratch_flip(&scratch, BYTES(signature), 0), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    struct log_run run;
    uint8_t handle[HANDLE_SIZE];
    memset(handle, 5, sizeof handle);
    cr_assert_eq(log_run_upto(txn, 1, handle, 9, &run), ERR_DAMAGED);
    txn_abort(&txn);
}

Test(log, keeps_nodes_of_its_tree_by_the_entry_with_which_they_are_complete)
{
    struct txn *txn = txn_begin_write(store);
    uint8_t nodes[3 * HASH_SIZE];
    uint8_t node[HASH_SIZE];
    for (size_t i = 0; i < sizeof nodes; i++)
        nodes[i] = (uint8_t)(30 + i / HASH_SIZE);
    log_put_nodes(txn, 1, 8, bytes_of(nodes, HASH_SIZE));
    log_put_nodes(txn, 1, 96, BYTES(nodes));
    cr_assert_eq(log_get_node(txn, 1, 3, 0, node), OK);
    cr_assert_eq(node[0], 30);
    cr_assert_eq(log_get_node(txn, 1, 3, 11, node), OK);
    cr_assert_eq(node[0], 30);
    cr_assert_eq(log_get_node(txn, 1, 4, 5, node), OK);
    cr_assert_eq(node[0], 31);
    cr_assert_eq(log_get_node(txn, 1, 5, 2, node), OK);
    cr_assert_eq(node[0], 32);
    cr_assert_eq(node[HASH_SIZE - 1], 32);
    cr_assert_eq(log_get_node(txn, 1, 4, 0, node), ERR_NOT_FOUND);
    cr_assert_eq(log_get_node(txn, 2, 3, 0, node), ERR_NOT_FOUND);
    cr_assert_eq(node[0], 32, "untouched");
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, misses_words_that_a_whole_change_has)
{
    struct log_entry entry = entry_of(LOG_WHOLE, 1, "the envelope");
    struct log_body body = body_of("words");
    struct log_body got;
    struct key key = {0};
    key_u32(&key, 1);
    key_u64(&key, 1);
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, 1, &entry, &body);
    table_delete(txn, TABLE_BODY, key_of(&key));
    cr_assert_eq(log_get_body(txn, 1, 1, &got), ERR_DAMAGED);
    cr_assert_eq(log_get_body(txn, 1, 2, &got), ERR_NOT_FOUND);
    table_put(txn, TABLE_BODY, key_of(&key), bytes_of_text("too short"));
    cr_assert_eq(log_get_body(txn, 1, 1, &got), ERR_DAMAGED);
    cr_assert_eq(txn_damage(txn), 2);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, leaves_a_chain_alone_that_points_elsewhere)
{
    struct log_entry entry = entry_of(LOG_HUSK, 1, "the envelope");
    uint64_t position = 0;
    struct txn *txn = txn_begin_write(store);
    log_put(txn, 1, 1, &entry, NULL);
    log_put(txn, 1, 2, &entry, NULL);
    log_unlink(txn, 1, 1);
    cr_assert_eq(log_find(txn, 1, entry.device, 1, &position), OK);
    cr_assert_eq(position, 2);
    log_unlink(txn, 1, 2);
    cr_assert_eq(log_find(txn, 1, entry.device, 1, &position), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(log, finds_the_run_that_holds_a_seq)
{
    struct log_run run;
    uint8_t handle[HANDLE_SIZE];
    memset(handle, 5, sizeof handle);
    struct txn *txn = txn_begin_write(store);
    cr_assert_eq(log_run_from(txn, 1, handle, 1, &run), ERR_NOT_FOUND);
    put_run(txn, 5, 1, 3);
    put_run(txn, 5, 4, 9);
    put_run(txn, 6, 1, 60);
    cr_assert_eq(log_run_from(txn, 1, handle, 3, &run), OK);
    cr_assert_eq(run.last, 3);
    cr_assert_eq(log_run_from(txn, 1, handle, 4, &run), OK);
    cr_assert_eq(run.last, 9);
    cr_assert_eq(log_run_from(txn, 1, handle, 10, &run), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
}
