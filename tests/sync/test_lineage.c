// The change that begins a hub's chain is taken for that only where all of it is there and fits.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/lineage.h"
#include "tests/leaks.h"
#include "tests/sync/world.h"

static struct world world;
static struct community community;
static struct txn *txn; // on the hub's store; is not committed
static uint8_t words[4096];
static struct incarnation sound; // the hub's own, in `words`
static uint8_t wrong[64] = {0xee};

static void set_up(void)
{
    uint64_t position;
    struct log_body body;
    struct wire_field field;
    world_open(&world, 1);
    world_begin(&world, 91);
    txn = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(log_find(txn, world.community, community.log, 1, &position), OK);
    cr_assert_eq(log_get_body(txn, world.community, position, &body), OK);
    cr_assert_leq(body.fields.n, sizeof words);
    memcpy(words, body.fields.p, body.fields.n);
    cr_assert(fields_edit(bytes_of(words, body.fields.n), 0, &field));
    sound = (struct incarnation){.previous_size = 0};
    cr_assert_eq(message_decode(&incarnation_message, field.bytes, NULL, &sound, NULL), OK);
}

static void tear_down(void)
{
    txn_abort(&txn);
    world_close(&world);
}

TestSuite(lineage, .init = set_up, .fini = tear_down);

struct beginning {
    struct incarnation incarnation;
    uint32_t kind;
    uint32_t seq;
    uint32_t field;
    const uint8_t *author;
};

static struct beginning sound_beginning(void)
{
    return (struct beginning){sound, KIND_DECISION, 1, FIELD_INCARNATION, community.log};
}

// Whether the author of this change is a hub afterwards; it was not known before.
static bool begins(const struct beginning *b)
{
    struct device device = {.role = ROLE_NONE};
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = b->kind};
    struct merge_change change = {
        .record = {.kind = b->kind}, .envelope = &envelope, .seq = b->seq};
    memcpy(change.device, b->author, HANDLE_SIZE);
    memcpy(device.handle, b->author, HANDLE_SIZE);
    device_put(txn, community.number, &device);
    size_t mark = wire_open(&fields, b->field);
    message_encode(&incarnation_message, &b->incarnation, &fields);
    wire_close(&fields, mark);
    change.fields = buf_bytes(&fields);
    lineage_take(txn, &community, &change);
    cr_assert_eq(txn_error(txn), OK);
    cr_assert_eq(device_get(txn, community.number, b->author, &device), OK);
    return device.role == ROLE_HUB;
}

Test(lineage, begins_with_a_change_that_fits)
{
    struct beginning b = sound_beginning();
    cr_expect(begins(&b));
    expect_no_leaks();
}

Test(lineage, begins_not_where_something_is_missing)
{
    for (int i = 0; i < 4; i++) {
        struct beginning b = sound_beginning();
        struct bytes *parts[] = {&b.incarnation.identity_key, &b.incarnation.chain_key,
                                 &b.incarnation.nonce, &b.incarnation.signature};
        parts[i]->n = 0;
        cr_expect_not(begins(&b), "%d", i);
    }
    expect_no_leaks();
}

Test(lineage, begins_not_where_something_is_anothers)
{
    for (int i = 0; i < 4; i++) {
        struct beginning b = sound_beginning();
        struct bytes *parts[] = {&b.incarnation.identity_key, &b.incarnation.chain_key,
                                 &b.incarnation.nonce, &b.incarnation.signature};
        parts[i]->p = wrong;
        cr_expect_not(begins(&b), "%d", i);
    }
    struct beginning b = sound_beginning();
    b.author = wrong;
    cr_expect_not(begins(&b), "another chain");
    expect_no_leaks();
}

Test(lineage, begins_with_the_first_change_of_a_chain_and_a_decision_that_says_so)
{
    struct beginning b = sound_beginning();
    b.seq = 2;
    cr_expect_not(begins(&b));
    b = sound_beginning();
    b.kind = KIND_NEED;
    cr_expect_not(begins(&b));
    b = sound_beginning();
    b.field = FIELD_ENROLMENT;
    cr_expect_not(begins(&b));
    expect_no_leaks();
}

Test(lineage, begins_not_with_words_that_are_no_incarnation)
{
    struct bytes junk[] = {{0}, bytes_of("\x5a\x02\x0a\x7f", 4), bytes_of("\x58\x01", 2)};
    for (size_t i = 0; i < 3; i++) {
        struct device device = {.role = ROLE_NONE};
        struct envelope envelope = {.kind = KIND_DECISION};
        struct merge_change change = {
            .record = {.kind = KIND_DECISION}, .envelope = &envelope, .fields = junk[i], .seq = 1};
        memcpy(device.handle, community.log, HANDLE_SIZE);
        memcpy(change.device, community.log, HANDLE_SIZE);
        device_put(txn, community.number, &device);
        lineage_take(txn, &community, &change);
        cr_assert_eq(device_get(txn, community.number, community.log, &device), OK);
        cr_expect_eq(device.role, ROLE_NONE, "%zu", i);
    }
    expect_no_leaks();
}

Test(lineage, reaches_its_own_log_and_no_strangers)
{
    uint64_t size = 0;
    cr_expect(lineage_reaches(txn, &community, community.log, &size));
    cr_expect_eq(size, UINT64_MAX);
    cr_expect_not(lineage_reaches(txn, &community, wrong, &size));
    memcpy(community.log, wrong + 1, HANDLE_SIZE);
    cr_expect_not(lineage_reaches(txn, &community, wrong, &size), "nor does a log without a hub");
    expect_no_leaks();
}
