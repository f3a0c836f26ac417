// What a hub shows of its log is checked in each of its parts: whatever does not hold is named, and
// what is only missing here is not.

#include <criterion/criterion.h>

#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"
#include "tests/sync/sample.h"

enum { OTHER, PHONE, DEVICES };

static struct world world;
static struct arena arena;
static struct buf asked;
static struct buf answer;
static uint8_t wrong[HASH_SIZE] = {0xee};

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 71);
    arena_init(&arena, 16 << 20);
    for (int i = 0; i < 3; i++)
        said_need(&world, OTHER, "theirs", NULL);
    said_need(&world, PHONE, "mine", NULL);
    network_settle(&world);
}

static void tear_down(void)
{
    buf_done(&asked);
    buf_done(&answer);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(proof, .init = set_up, .fini = tear_down);

// --- of one change ---

static enum alarm alarm_of(struct txn *txn, uint32_t community)
{
    struct checked checked;
    checked_get(txn, community, &checked);
    return checked.alarm;
}

static bool holds(const struct sample *sample, enum alarm *alarm)
{
    bool proved;
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    enum err err = proof_check_change(txn, &community, sample->device, sample->seq, &sample->proof,
                                      world.now, &proved);
    cr_assert_eq(err, OK);
    *alarm = alarm_of(txn, community.number);
    return proved;
}

static struct change_proof change;
static struct log_head head;

// A copy of what the hub proved, to be spoiled.
static struct sample sound_sample(void)
{
    struct sample sample;
    sample_draw(&world, PHONE, 5, &arena, &sample);
    change = *sample.proof.change;
    head = *sample.proof.head;
    sample.proof.change = &change;
    sample.proof.head = &head;
    return sample;
}

static void no_change(struct sample *s)
{
    s->proof.change = NULL;
}

static void no_head(struct sample *s)
{
    s->proof.head = NULL;
}

static void head_of_another_log(struct sample *s)
{
    head.log = bytes_of(wrong, HANDLE_SIZE);
    (void)s;
}

static void root_that_is_none(struct sample *s)
{
    head.root.n--;
    (void)s;
}

static void root_of_another(struct sample *s)
{
    head.root = BYTES(wrong);
    (void)s;
}

static void unsigned_head(struct sample *s)
{
    s->proof.head_signature.n--;
}

static void longer_head(struct sample *s)
{
    head.size++;
    (void)s;
}

static void body_hash_that_is_none(struct sample *s)
{
    change.body_hash.n--;
    (void)s;
}

static void other_salt(struct sample *s)
{
    change.salt = bytes_of(wrong, SALT_SIZE);
    (void)s;
}

static void other_key(struct sample *s)
{
    change.key = bytes_of(wrong, KEY_SIZE);
    (void)s;
}

static void head_before_that_is_none(struct sample *s)
{
    change.head_before.n--;
    (void)s;
}

static void other_head_before(struct sample *s)
{
    change.head_before = BYTES(wrong);
    (void)s;
}

static void leaf_that_is_none(struct sample *s)
{
    static struct bytes leaf;
    leaf = bytes_of(wrong, HASH_SIZE - 1);
    change.leaves = (struct list){&leaf, 1};
    (void)s;
}

static void one_leaf_more(struct sample *s)
{
    static struct bytes leaf;
    leaf = BYTES(wrong);
    change.leaves = (struct list){&leaf, 1};
    (void)s;
}

static void unsigned_run(struct sample *s)
{
    change.signature.n = 0;
    (void)s;
}

static void no_position(struct sample *s)
{
    change.position = 0;
    (void)s;
}

static void other_position(struct sample *s)
{
    change.position++;
    (void)s;
}

static void position_behind_the_end(struct sample *s)
{
    change.position = head.size + 1;
    (void)s;
}

Test(proof, of_a_change_that_does_not_hold_is_named)
{
    static void (*const spoil[])(struct sample *) = {no_change,           no_head,
                                                     head_of_another_log, root_that_is_none,
                                                     root_of_another,     unsigned_head,
                                                     longer_head,         body_hash_that_is_none,
                                                     other_salt,          other_key,
                                                     other_head_before,   head_before_that_is_none,
                                                     leaf_that_is_none,   one_leaf_more,
                                                     unsigned_run,        no_position,
                                                     other_position,      position_behind_the_end};
    enum alarm alarm;
    struct sample sample = sound_sample();
    cr_assert(holds(&sample, &alarm));
    cr_assert_eq(alarm, ALARM_NONE);
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        sample = sound_sample();
        spoil[i](&sample);
        cr_expect_not(holds(&sample, &alarm), "%zu", i);
        cr_expect_eq(alarm, ALARM_ALTERED, "%zu", i);
    }
    expect_no_leaks();
}

Test(proof, of_a_change_whose_words_were_erased_since_says_nothing)
{
    enum alarm alarm;
    struct sample sample = sound_sample();
    change.salt.n = 0;
    cr_expect_not(holds(&sample, &alarm));
    cr_expect_eq(alarm, ALARM_NONE);
    expect_no_leaks();
}

// --- of how the log has grown ---

static struct sync_response response;
static struct growth growth;
static struct own_entries own_entries;
static struct bytes nodes[64];

// What the hub answers next, with others' changes and one of this device's own: taken in, and not
// yet checked.
static void sync_up_to_the_check(void)
{
    struct fault fault = {0};
    struct exchange_report report = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    for (int i = 0; i < 2; i++)
        said_need(&world, OTHER, "more of theirs", NULL);
    network_sync(&world, OTHER);
    said_need(&world, PHONE, "more of mine", NULL);
    network_ask(&world, PHONE, &options, &asked);
    cr_assert_eq(network_serve(&world, PHONE, buf_bytes(&asked), &answer, &fault), OK);
    struct sync_response whole = {0};
    cr_assert_eq(message_decode(&sync_response_message, buf_bytes(&answer), &arena, &whole, NULL),
                 OK);
    // All but the last step, which one more piece would allow.
    struct community community;
    struct device own;
    struct txn *txn = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    for (size_t i = 0; i < whole.receipts.n; i++)
        cr_assert_eq(exchange_take_receipt(txn, &community, &own,
                                           LIST_AT(struct receipt, whole.receipts, i), &report),
                     OK);
    cr_assert_eq(exchange_take_top(txn, &community, &own, &whole, &report), OK);
    for (size_t i = 0; i < whole.pieces.n; i++)
        cr_assert_eq(exchange_take_piece(txn, &community, &own,
                                         LIST_AT(struct piece, whole.pieces, i), &arena, &report,
                                         &fault),
                     OK);
    cr_assert_eq(txn_commit(&txn), OK);
    response = whole;
    cr_assert(whole.growth && whole.growth->own.n == 1 && whole.growth->nodes.n > 0);
}

static void sound_growth(const struct sync_response *whole)
{
    static struct log_head top;
    response = *whole;
    growth = *whole->growth;
    own_entries = *LIST_AT(struct own_entries, growth.own, 0);
    cr_assert_lt(growth.nodes.n, sizeof nodes / sizeof *nodes);
    memcpy(nodes, growth.nodes.p, growth.nodes.n * sizeof *nodes);
    growth.own.p = &own_entries;
    growth.nodes.p = nodes;
    top = *whole->head;
    response.head = &top;
    response.growth = &growth;
}

static enum alarm judge(void)
{
    struct community community;
    struct device own;
    struct proof_report report;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    cr_assert_eq(proof_check_answer(txn, &community, &own, &world.devices[PHONE].asked, &response,
                                    0, world.now, &report),
                 OK);
    return report.alarm;
}

static void spoil_growth(int way)
{
    switch (way) {
    case 0:
        own_entries.count = 0;
        break;
    case 1:
        own_entries.count = 1000;
        break;
    case 2:
        own_entries.seq++;
        break;
    case 3:
        own_entries.position = 1;
        break;
    case 4:
        own_entries.position = response.head->size + 1;
        break;
    case 5:
        own_entries.position++;
        break;
    case 6:
        nodes[0].n--;
        break;
    case 7:
        nodes[0] = BYTES(wrong);
        break;
    case 8:
        nodes[growth.nodes.n++] = BYTES(wrong);
        break;
    case 9:
        growth.nodes.n--;
        break;
    default:
        response.growth = NULL;
        break;
    }
}

Test(proof, of_growth_that_does_not_hold_is_named)
{
    sync_up_to_the_check();
    struct sync_response whole = response;
    sound_growth(&whole);
    cr_assert_eq(judge(), ALARM_NONE);
    for (int way = 0; way <= 10; way++) {
        sound_growth(&whole);
        spoil_growth(way);
        cr_expect_eq(judge(), ALARM_REWRITTEN, "%d", way);
    }
    expect_no_leaks();
}

Test(proof, head_that_is_not_signed_is_named)
{
    sync_up_to_the_check();
    struct sync_response whole = response;
    sound_growth(&whole);
    response.head->root.n--;
    cr_expect_eq(judge(), ALARM_UNSIGNED);
    sound_growth(&whole);
    response.head_signature.n = 0;
    cr_expect_eq(judge(), ALARM_UNSIGNED);
    expect_no_leaks();
}

// A receipt is for what is in the log.
Test(proof, change_with_a_receipt_that_is_not_in_the_log_is_named)
{
    sync_up_to_the_check();
    response.head = NULL;
    response.growth = NULL;
    response.more = false;
    struct proof_asked before = world.devices[PHONE].asked;
    world.devices[PHONE].asked.receipt++;
    cr_expect_eq(judge(), ALARM_DROPPED);
    response.more = true;
    cr_expect_eq(judge(), ALARM_NONE, "it may be in what is still to come");
    world.devices[PHONE].asked = before;
    world.devices[PHONE].asked.size++;
    cr_expect_eq(judge(), ALARM_NONE, "another answer was before this one");
    world.devices[PHONE].asked = before;
    world.devices[PHONE].asked.log[0]++;
    cr_expect_eq(judge(), ALARM_NONE, "it was of another log");
    expect_no_leaks();
}
