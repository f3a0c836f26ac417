#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "sync/fold.h"
#include "sync/merge.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"

enum { CHANGES_MAX = 16, HUB = 9 };

// A change as it stands in a log: `author` is 1, 2 … or HUB; its position is its place in the
// table.
struct spoken {
    uint8_t author;
    uint32_t seq;
    struct envelope envelope;
    struct dot over[4];
    struct bytes fields;
    struct bytes encoded;
    struct log_entry entry;
    struct log_body body;
};

static struct world world;
static struct arena arena;
static struct spoken spoken[CHANGES_MAX];
static size_t spoken_n;
static uint8_t record_id[ID_SIZE] = "a record so old";
static uint8_t person_id[ID_SIZE] = "somebody unnamed";
static uint8_t subject[4 + ID_SIZE] = {0, 0, 0, 1, 's'};
static struct bytes voice_parts[2];

static void set_up(void)
{
    world_open(&world, 0);
    world_begin(&world, 5);
    arena_init(&arena, 64 << 20);
    memset(spoken, 0, sizeof spoken);
    spoken_n = 0;
    voice_parts[0] = BYTES(subject);
    voice_parts[1] = BYTES(person_id);
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(merge, .init = set_up, .fini = tear_down);

// The hub's own handle, so that its decisions count; else the author's number over and over.
static void handle_of(uint8_t author, uint8_t handle[HANDLE_SIZE])
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    memset(handle, author, HANDLE_SIZE);
    if (author == HUB)
        memcpy(handle, community.log, HANDLE_SIZE);
}

static struct spoken *speak(uint8_t author, uint32_t kind, int64_t time)
{
    struct spoken *s = &spoken[spoken_n++];
    s->author = author;
    s->envelope = (struct envelope){.kind = kind, .time = time};
    s->seq = author == HUB ? 1000 : 0;
    for (size_t i = 0; i < spoken_n; i++)
        s->seq += spoken[i].author == author;
    if (kind == KIND_VOICE)
        s->envelope.parts = (struct list){voice_parts, 2};
    else
        s->envelope.id = BYTES(record_id);
    return s;
}

static void goes_over(struct spoken *s, const struct spoken *what, uint32_t index)
{
    struct dot *dot = &s->over[s->envelope.over.n++];
    s->envelope.over.p = s->over;
    *dot = (struct dot){arena_copy(&arena, BYTES(what->entry.device)), what->seq, index,
                        log_tag(&what->entry)};
}

static void text(struct buf *buf, uint32_t field, const char *words)
{
    wire_put_bytes(buf, field, bytes_of_text(words));
}

static struct spoken *say(struct spoken *s, struct buf *fields)
{
    uint8_t body_hash[HASH_SIZE];
    s->fields = arena_copy(&arena, buf_bytes(fields));
    s->encoded = handmade_envelope(&arena, &s->envelope);
    s->body = (struct log_body){.fields = s->fields};
    s->entry = (struct log_entry){.form = LOG_WHOLE, .seq = s->seq, .envelope = s->encoded};
    handle_of(s->author, s->entry.device);
    digest_body(s->body.salt, s->fields, body_hash);
    digest_leaf(s->encoded, body_hash, s->entry.leaf);
    buf_reset(fields);
    return s;
}

static struct spoken *refuse(const struct spoken *what, struct buf *fields)
{
    struct spoken *s = speak(HUB, KIND_DECISION, 50);
    struct refusal refusal = {BYTES(what->entry.device), what->seq, REASON_MALFORMED_FIELD,
                              log_tag(&what->entry)};
    size_t mark = wire_open(fields, FIELD_REFUSAL);
    message_encode(&refusal_message, &refusal, fields);
    wire_close(fields, mark);
    return say(s, fields);
}

// --- every order ---

static void arrive(struct txn *txn, const struct community *community, size_t i)
{
    uint64_t position = 100 + i;
    log_put(txn, community->number, position, &spoken[i].entry, &spoken[i].body);
    fold_change(txn, community, position, &spoken[i].entry, &spoken[i].body);
}

// The merge's tables after the changes arrived in this order, the first `twice` of them twice.
static void fold_in_order(const size_t *order, size_t twice, struct buf *out)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    for (size_t i = 0; i < spoken_n; i++)
        arrive(txn, &community, order[i]);
    for (size_t i = 0; i < twice; i++)
        arrive(txn, &community, order[i]);
    world_dump_merge(txn, out);
    cr_assert_eq(txn_error(txn), OK);
}

static bool next_order(size_t *order, size_t n)
{
    size_t i = n - 1;
    size_t k = n - 1;
    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return false;
    while (order[k] < order[i - 1])
        k--;
    size_t swap = order[k];
    order[k] = order[i - 1];
    order[i - 1] = swap;
    for (k = n - 1; i < k; i++, k--) {
        swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    return true;
}

static void expect_one_outcome(size_t orders)
{
    size_t order[CHANGES_MAX] = {0};
    struct buf first BUF_CLEANUP = {0};
    struct buf other BUF_CLEANUP = {0};
    size_t n = 0;
    for (size_t i = 0; i < spoken_n; i++)
        order[i] = i;
    fold_in_order(order, 0, &first);
    do {
        buf_reset(&other);
        fold_in_order(order, n % spoken_n, &other);
        cr_assert(bytes_equal(buf_bytes(&first), buf_bytes(&other)), "order %zu: %zu%zu%zu%zu%zu",
                  n, order[0], order[1], order[2], order[3], order[4]);
        n++;
    } while (next_order(order, spoken_n));
    cr_expect_eq(n, orders);
}

static bool count_one(const struct live *edit, void *arg)
{
    (void)edit;
    ++*(size_t *)arg;
    return true;
}

static size_t live_of_record(uint32_t kind, const uint8_t *id)
{
    struct community community;
    struct record_key record = {.kind = kind};
    size_t n = 0;
    memcpy(record.id, id, ID_SIZE);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    for (size_t i = 0; i < spoken_n; i++)
        arrive(txn, &community, i);
    cr_assert_eq(live_each(txn, community.number, &record, count_one, &n), OK);
    return n;
}

static void say_conflict(struct buf *fields)
{
    text(fields, FIELD_TITLE, "a bench");
    text(fields, FIELD_WORDS, "to sit on");
    struct spoken *need = say(speak(1, KIND_NEED, 1), fields);
    struct spoken *title = speak(2, KIND_NEED, 2);
    goes_over(title, need, 0);
    text(fields, FIELD_TITLE, "two benches");
    say(title, fields);
    struct spoken *words = speak(3, KIND_NEED, 2);
    goes_over(words, need, 1);
    goes_over(words, need, 0);
    text(fields, FIELD_WORDS, "in the shade");
    say(words, fields);
    struct spoken *refused = speak(3, KIND_NEED, 3);
    goes_over(refused, title, 0);
    goes_over(refused, words, 0);
    goes_over(refused, need, 0);
    text(fields, FIELD_TITLE, "nothing");
    say(refused, fields);
}

Test(merge, of_edits_in_conflict_is_the_same_in_all_720_orders)
{
    struct buf fields BUF_CLEANUP = {0};
    say_conflict(&fields);
    struct spoken *clear = speak(1, KIND_NEED, 4);
    goes_over(clear, &spoken[2], 0);
    say(clear, &fields);
    refuse(&spoken[3], &fields);
    expect_one_outcome(720);
    cr_expect_eq(live_of_record(KIND_NEED, record_id), 1, "two benches");
    buf_done(&fields);
    expect_no_leaks();
}

Test(merge, of_a_refusal_that_is_taken_back_is_the_same_in_all_720_orders)
{
    struct buf fields BUF_CLEANUP = {0};
    say_conflict(&fields);
    struct spoken *refusal = refuse(&spoken[3], &fields);
    cr_expect_eq(live_of_record(KIND_NEED, record_id), 2, "two benches, in the shade");
    struct spoken *back = speak(HUB, KIND_DECISION, 60);
    goes_over(back, refusal, 0);
    say(back, &fields);
    expect_one_outcome(720);
    cr_expect_eq(live_of_record(KIND_NEED, record_id), 1, "nothing");
}

Test(merge, of_voices_with_earlier_equal_and_later_times_is_the_same_in_all_720_orders)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_VOICE, .parts = {voice_parts, 2}};
    struct record_key record;
    merge_record(&envelope, person_id, 0, 0, &record);
    wire_put_uint(&fields, FIELD_VOICE_STANCE, STANCE_FOR);
    text(&fields, FIELD_WORDS, "yes");
    struct spoken *first = say(speak(1, KIND_VOICE, 100), &fields);
    for (int i = 0; i < 3; i++) {
        struct spoken *other = speak((uint8_t)(2 + i), KIND_VOICE, 99 + i);
        if (i != 2)
            goes_over(other, first, 0);
        goes_over(other, first, 1);
        if (i == 1)
            other->envelope.time = 99;
        wire_put_uint(&fields, FIELD_VOICE_STANCE, STANCE_AGAINST);
        say(other, &fields);
    }
    cr_expect_eq(live_of_record(KIND_VOICE, record.id), 4, "the words went, all stances stayed");
    struct spoken *later = speak(5, KIND_VOICE, 100);
    goes_over(later, first, 0);
    say(later, &fields);
    cr_expect_eq(live_of_record(KIND_VOICE, record.id), 3, "one of the same time goes over it");
    refuse(&spoken[1], &fields);
    cr_expect_eq(live_of_record(KIND_VOICE, record.id), 2);
    expect_one_outcome(720);
}

// What others than the hub decide is nothing, whatever they go over.
Test(merge, lets_nobody_but_the_hub_take_a_refusal_back)
{
    struct buf fields BUF_CLEANUP = {0};
    say_conflict(&fields);
    struct spoken *refusal = refuse(&spoken[3], &fields);
    struct spoken *back = speak(3, KIND_DECISION, 60);
    goes_over(back, refusal, 0);
    struct refusal other = {BYTES(spoken[1].entry.device), spoken[1].seq, 1,
                            log_tag(&spoken[1].entry)};
    size_t mark = wire_open(&fields, FIELD_REFUSAL);
    message_encode(&refusal_message, &other, &fields);
    wire_close(&fields, mark);
    say(back, &fields);
    cr_expect_eq(live_of_record(KIND_NEED, record_id), 2);
    expect_one_outcome(720);
}

// --- there and back ---

static void ignore(struct txn *txn, uint32_t community, const struct live *edit, bool alive,
                   void *arg)
{
    (void)txn;
    (void)community;
    (void)edit;
    (void)alive;
    ++*(size_t *)arg;
}

static struct merge_change change_of(size_t i)
{
    struct spoken *s = &spoken[i];
    struct merge_change change = {.envelope = &s->envelope,
                                  .fields = s->fields,
                                  .seq = s->seq,
                                  .tag = log_tag(&s->entry),
                                  .position = 100 + i};
    memcpy(change.device, s->entry.device, HANDLE_SIZE);
    merge_record(&s->envelope, s->entry.device, s->seq, change.tag, &change.record);
    return change;
}

// Some changes of one record that go over each other, and over themselves-to-come, at random.
static void say_random(void)
{
    struct buf fields BUF_CLEANUP = {0};
    struct dice *dice = &world.dice;
    spoken_n = 0;
    memset(spoken, 0, sizeof spoken);
    for (size_t i = 0; i < 10; i++) {
        uint32_t kind = dice_percent(dice, 50) ? KIND_VOICE : KIND_NEED;
        struct spoken *s =
            speak((uint8_t)(1 + dice_below(dice, 3)), kind, (int64_t)dice_below(dice, 3));
        for (size_t k = dice_below(dice, 5); k > 0 && i > 0; k--)
            goes_over(s, &spoken[dice_below(dice, i)], (uint32_t)dice_below(dice, 2));
        for (size_t k = dice_below(dice, 3); k > 0; k--)
            wire_put_uint(&fields, dice_percent(dice, 50) ? FIELD_VOICE_STANCE : 500,
                          dice_below(dice, 3));
        say(s, &fields);
    }
}

// All changes but the one at `but` take effect, in the log's order or backwards.
static void apply_all_but(struct txn *txn, size_t but, bool backwards,
                          const struct merge_watch *watch)
{
    for (size_t i = 0; i < spoken_n; i++)
        log_put(txn, world.community, 100 + i, &spoken[i].entry, &spoken[i].body);
    for (size_t i = 0; i < spoken_n; i++) {
        size_t which = backwards ? spoken_n - 1 - i : i;
        struct merge_change change = change_of(which);
        if (which != but)
            merge_apply(txn, world.community, &change, watch);
    }
}

static void expect_revert_undoes(size_t which, bool backwards)
{
    size_t watched = 0;
    struct merge_watch watch = {ignore, &watched};
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    struct merge_change change = change_of(which);
    struct txn *txn = txn_begin_write(world.hub);
    apply_all_but(txn, which, backwards, &watch);
    apart_put(txn, world.community, change.device, change.seq, change.tag,
              &(struct decided){.seq = 1}, REASON_WRONG_ID);
    world_dump_merge(txn, &before);
    merge_apply(txn, world.community, &change, &watch);
    merge_revert(txn, world.community, &change, &watch);
    world_dump_merge(txn, &after);
    cr_assert(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "change %zu", which);
    txn_abort(&txn);
    buf_reset(&after);
    txn = txn_begin_write(world.hub);
    apply_all_but(txn, SIZE_MAX, backwards, &watch);
    apart_put(txn, world.community, change.device, change.seq, change.tag,
              &(struct decided){.seq = 1}, REASON_WRONG_ID);
    merge_revert(txn, world.community, &change, &watch);
    world_dump_merge(txn, &after);
    cr_assert(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "change %zu", which);
    cr_assert_eq(txn_error(txn), OK);
    txn_abort(&txn);
}

Test(merge, takes_any_change_back_as_if_it_had_never_been)
{
    for (size_t round = 0; round < 40; round++) {
        say_random();
        for (size_t i = 0; i < spoken_n; i++)
            expect_revert_undoes(i, round % 2 == 1);
    }
    arena_done(&arena);
    expect_no_leaks();
}

Test(merge, done_twice_changes_nothing_and_says_nothing)
{
    size_t watched = 0;
    struct merge_watch watch = {ignore, &watched};
    struct buf once BUF_CLEANUP = {0};
    struct buf twice BUF_CLEANUP = {0};
    say_random();
    struct txn *txn = txn_begin_write(world.hub);
    apply_all_but(txn, SIZE_MAX, false, &watch);
    world_dump_merge(txn, &once);
    watched = 0;
    apply_all_but(txn, SIZE_MAX, true, &watch);
    world_dump_merge(txn, &twice);
    txn_abort(&txn);
    cr_expect_eq(watched, 0);
    cr_expect(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
}
