// What the merge and the readers of live edits do with rows that say what cannot be.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/table.h"
#include "sync/chain.h"
#include "sync/collect.h"
#include "sync/digest.h"
#include "sync/merge.h"
#include "tests/leaks.h"
#include "tests/sync/said.h"

enum { AUTHOR = 1, COMMUNITY = 1 };

static struct world world;
static struct world_change need;
static struct txn *txn; // on the author's store; is not committed
static uint32_t community;
static const uint8_t *author;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 51);
    need = said_need(&world, AUTHOR, "a bench", NULL);
    said_need(&world, AUTHOR, "a lamp", NULL);
    txn = txn_begin_write(world.devices[AUTHOR].store);
    community = world.devices[AUTHOR].community;
    author = world.devices[AUTHOR].handle;
}

static void tear_down(void)
{
    txn_abort(&txn);
    world_close(&world);
}

TestSuite(merge_damaged, .init = set_up, .fini = tear_down);

static bool note(const struct live *live, void *arg)
{
    *(struct live *)arg = *live;
    return false;
}

static struct live live_of(const struct record_key *record)
{
    struct live live = {.tag = 0};
    cr_assert_eq(live_each(txn, community, record, note, &live), OK);
    cr_assert_neq(live.tag, 0);
    return live;
}

// --- reading ---

Test(merge_damaged, edit_that_its_words_do_not_have_is_damaged)
{
    struct wire_field field;
    uint64_t damage = txn_damage(txn);
    struct live live = live_of(&need.record);
    cr_assert_eq(collect_edit(txn, community, &live, &field), OK);
    live.key.index = 1;
    cr_expect_eq(collect_edit(txn, community, &live, &field), ERR_DAMAGED);
    cr_expect_gt(txn_damage(txn), damage, "it is noted");
    expect_no_leaks();
}

Test(merge_damaged, edit_whose_words_are_not_there_is_damaged)
{
    struct wire_field field;
    uint64_t damage = txn_damage(txn);
    struct live live = live_of(&need.record);
    live.position = 999;
    cr_expect_eq(collect_edit(txn, community, &live, &field), ERR_DAMAGED);
    cr_expect_gt(txn_damage(txn), damage);
    cr_expect_eq(txn_error(txn), OK, "the others are given");
    expect_no_leaks();
}

Test(merge_damaged, envelope_that_is_none_is_noted_and_sticks_not)
{
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    uint64_t damage = txn_damage(txn);
    cr_expect_eq(merge_envelope(txn, bytes_of("\x0a\x7f", 2), &arena, &envelope), ERR_DAMAGED);
    cr_expect_gt(txn_damage(txn), damage);
    cr_expect_eq(txn_error(txn), OK);
    expect_no_leaks();
}

Test(merge_damaged, chain_of_which_an_entry_is_missing_has_no_head_there)
{
    struct community own;
    struct device device;
    uint8_t head[HASH_SIZE];
    uint64_t position;
    world_self(txn, &world.devices[AUTHOR], &own, &device);
    cr_assert_eq(device.seq, 2);
    cr_assert_eq(chain_head_at(txn, &own, &device, 1, head), OK);
    cr_assert_eq(log_find(txn, community, author, 1, &position), OK);
    log_drop(txn, community, position);
    cr_expect_eq(chain_head_at(txn, &own, &device, 1, head), ERR_DAMAGED);
    cr_expect_eq(chain_head_at(txn, &own, &device, 2, head), OK, "that one is known");
    expect_no_leaks();
}

// --- taking in ---

static void ignore(struct txn *of, uint32_t number, const struct live *edit, bool alive, void *arg)
{
    (void)of;
    (void)number;
    (void)edit;
    (void)alive;
    ++*(size_t *)arg;
}

static size_t apply(struct bytes fields, const struct envelope *envelope)
{
    size_t changed = 0;
    struct merge_watch watch = {ignore, &changed};
    struct merge_change change = {.record = need.record,
                                  .envelope = envelope,
                                  .fields = fields,
                                  .device = {7},
                                  .seq = 3,
                                  .tag = 4,
                                  .position = 77};
    merge_apply(txn, community, &change, &watch);
    return changed;
}

Test(merge_damaged, words_end_where_they_are_no_fields_any_more)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_NEED};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("a seat"));
    buf_put(&fields, bytes_of("\x0a\x7f", 2));
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("in the sun"));
    cr_expect_eq(apply(buf_bytes(&fields), &envelope), (size_t)1);
    cr_expect_eq(txn_error(txn), OK);
    expect_no_leaks();
}

// --- taking back ---

// Goes over the need's title, and is taken back: does the title live again?
static bool lives_again(uint32_t class, const struct dot *over)
{
    size_t changed = 0;
    struct merge_watch watch = {ignore, &changed};
    struct envelope envelope = {.kind = KIND_NEED, .class = class, .over = {(struct dot *)over, 1}};
    struct merge_change change = {
        .record = need.record, .envelope = &envelope, .device = {7}, .seq = 3, .tag = 4};
    merge_apply(txn, community, &change, &watch);
    changed = 0;
    merge_revert(txn, community, &change, &watch);
    return changed > 0;
}

static struct dot title(void)
{
    return (struct dot){bytes_of(author, HANDLE_SIZE), need.seq, 0, need.tag};
}

Test(merge_damaged, what_was_gone_over_lives_again_when_that_is_taken_back)
{
    struct dot dot = title();
    cr_expect(lives_again(CLASS_ORDINARY, &dot));
    cr_expect_eq(live_of(&need.record).key.seq, need.seq);
    expect_no_leaks();
}

Test(merge_damaged, nothing_comes_to_life_that_was_not_what_was_gone_over)
{
    struct dot dots[] = {title(), title(), title()};
    dots[0].tag++;     // another change of that seq
    dots[1].index = 1; // an edit that it does not have
    dots[2].seq = 99;  // a change that is not here
    for (size_t i = 0; i < 3; i++)
        cr_expect_not(lives_again(CLASS_ORDINARY, &dots[i]), "%zu", i);
    struct dot dot = title();
    cr_expect_not(lives_again(CLASS_PERSONAL, &dot), "another class");
    expect_no_leaks();
}

static void put_entry(const char *envelope, uint32_t seq)
{
    uint64_t position = 900 + seq;
    struct log_entry entry = {.form = LOG_WHOLE, .seq = seq, .envelope = bytes_of_text(envelope)};
    struct log_body body = {.salt = {1}, .fields = bytes_of("\x42\x01x", 3)};
    memcpy(entry.device, author, HANDLE_SIZE);
    log_put(txn, community, position, &entry, &body);
}

Test(merge_damaged, change_whose_envelope_cannot_be_read_comes_not_to_life_in_silence)
{
    put_entry("\x0a\x7f", 3);
    struct dot dot = {bytes_of(author, HANDLE_SIZE), 3, 0, 0};
    cr_expect_not(lives_again(CLASS_ORDINARY, &dot));
    cr_expect_eq(txn_error(txn), ERR_DAMAGED, "nothing is built on it");
    expect_no_leaks();
}

Test(merge_damaged, change_whose_words_are_not_there_comes_not_to_life_in_silence)
{
    struct walk walk WALK_CLEANUP;
    struct dot dot = title();
    walk_begin(&walk, txn, TABLE_BODY, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk))
        table_delete(txn, TABLE_BODY, walk.key);
    cr_expect_not(lives_again(CLASS_ORDINARY, &dot));
    cr_expect_eq(txn_error(txn), ERR_DAMAGED, "nothing is built on it");
    expect_no_leaks();
}
