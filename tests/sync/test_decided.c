// What a decision says is looked at before it takes effect: of a hub that is broken, or of a later
// version, what is not understood changes nothing.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/erasure.h"
#include "storage/table.h"
#include "sync/digest.h"
#include "sync/fold_private.h"
#include "tests/leaks.h"
#include "tests/sync/said.h"

enum { HUB, PHONE, OTHER, DEVICES };

static struct world world;
static struct world_change need;
static struct community community;
static struct txn *txn; // on PHONE's store; is not committed
static uint8_t hub[HANDLE_SIZE];

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 41);
    need = said_need(&world, PHONE, "a bench", NULL);
    txn = txn_begin_write(world.devices[PHONE].store);
    cr_assert_eq(community_get_number(txn, world.devices[PHONE].community, &community), OK);
    struct device device = {.role = ROLE_HUB, .key = {1}};
    dice_bytes(&world.dice, hub, sizeof hub);
    memcpy(device.handle, hub, HANDLE_SIZE);
    device_put(txn, community.number, &device);
}

static void tear_down(void)
{
    txn_abort(&txn);
    world_close(&world);
}

TestSuite(decided, .init = set_up, .fini = tear_down);

static void dump(struct buf *out)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        struct walk walk WALK_CLEANUP;
        walk_begin(&walk, txn, (enum table)table, bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk)) {
            buf_put(out, walk.key);
            buf_put(out, walk.value);
        }
    }
    cr_assert_eq(out->err, OK);
}

static struct bytes handle_of(size_t device)
{
    return BYTES(world.devices[device].handle);
}

static void decide(uint32_t field, const struct message *message, const void *in, bool alive)
{
    struct buf value BUF_CLEANUP = {0};
    struct live edit = {.field = field, .key = {.seq = 7}};
    memcpy(edit.key.device, hub, HANDLE_SIZE);
    message_encode(message, in, &value);
    cr_assert_eq(value.err, OK);
    fold_decision(txn, &community, &edit, buf_bytes(&value), alive);
    cr_assert_eq(txn_error(txn), OK);
}

static void expect_nothing(uint32_t field, const struct message *message, const void *in)
{
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    dump(&before);
    decide(field, message, in, true);
    dump(&after);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "field %u", field);
}

Test(decided, what_is_no_message_changes_nothing)
{
    static const uint32_t fields[] = {
        FIELD_ENROLMENT, FIELD_REFUSAL, FIELD_GRANT,         FIELD_REVOCATION,
        FIELD_ERASURE,   FIELD_CLOSING, FIELD_CLOSING_ALONE, 99};
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    dump(&before);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct live edit = {.field = fields[i]};
        fold_decision(txn, &community, &edit, bytes_of("\x0a\x7f", 2), true);
        fold_decision(txn, &community, &edit, bytes_of("\x0a\x7f", 2), false);
    }
    dump(&after);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
    cr_expect_eq(txn_error(txn), OK);
    expect_no_leaks();
}

Test(decided, whose_handle_is_no_handle_changes_nothing)
{
    struct bytes cut = bytes_of(hub, HANDLE_SIZE - 1);
    expect_nothing(FIELD_REFUSAL, &refusal_message,
                   &(struct refusal){cut, 1, REASON_REVOKED, need.tag});
    expect_nothing(FIELD_GRANT, &role_grant_message,
                   &(struct role_grant){.device = cut, .role = ROLE_MEMBER, .from = 1});
    expect_nothing(FIELD_REVOCATION, &revocation_message,
                   &(struct revocation){.device = cut, .from = 1});
    expect_nothing(FIELD_ERASURE, &change_ref_message, &(struct change_ref){cut, 1, need.tag});
    expect_no_leaks();
}

Test(decided, of_a_hub_itself_changes_nothing)
{
    expect_nothing(FIELD_REFUSAL, &refusal_message,
                   &(struct refusal){BYTES(hub), 1, REASON_REVOKED, 1});
    expect_nothing(FIELD_GRANT, &role_grant_message,
                   &(struct role_grant){.device = BYTES(hub), .role = ROLE_MEMBER, .from = 1});
    expect_nothing(FIELD_REVOCATION, &revocation_message,
                   &(struct revocation){.device = BYTES(hub), .from = 1});
    expect_nothing(FIELD_ERASURE, &change_ref_message, &(struct change_ref){BYTES(hub), 1, 1});
    expect_no_leaks();
}

Test(decided, roles_that_nobody_can_have_are_given_to_nobody)
{
    uint8_t key[KEY_SIZE] = {9};
    uint32_t roles[] = {0, ROLE_OBSERVER + 1, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct enrolment enrolment = {.key = BYTES(key), .role = roles[i], .from = 1};
        expect_nothing(FIELD_ENROLMENT, &enrolment_message, &enrolment);
        struct role_grant grant = {.device = handle_of(PHONE), .role = roles[i], .from = 1};
        expect_nothing(FIELD_GRANT, &role_grant_message, &grant);
    }
    struct enrolment short_key = {.key = bytes_of(key, KEY_SIZE - 1), .role = ROLE_MEMBER};
    expect_nothing(FIELD_ENROLMENT, &enrolment_message, &short_key);
    expect_no_leaks();
}

Test(decided, records_that_cannot_be_are_not_closed)
{
    struct ref refs[] = {{KIND_NEED, bytes_of(need.record.id, ID_SIZE - 1)},
                         {0, BYTES(need.record.id)},
                         {KIND_MAX + 1, BYTES(need.record.id)}};
    for (size_t i = 0; i < 3; i++) {
        expect_nothing(FIELD_CLOSING, &ref_message, &refs[i]);
        expect_nothing(FIELD_CLOSING_ALONE, &ref_message, &refs[i]);
    }
    decide(FIELD_CLOSING, &ref_message, &(struct ref){KIND_NEED, BYTES(need.record.id)}, false);
    cr_expect_eq(closed_get(txn, community.number, &need.record), CLOSED_NOT, "for ever, or not");
    expect_no_leaks();
}

Test(decided, reasons_of_a_later_version_set_apart_all_the_same)
{
    uint32_t reasons[] = {0, 256, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct refusal refusal = {handle_of(PHONE), need.seq, reasons[i], need.tag};
        decide(FIELD_REFUSAL, &refusal_message, &refusal, true);
        cr_expect_eq(
            apart_get(txn, community.number, world.devices[PHONE].handle, need.seq, need.tag),
            REASON_NOT_PERMITTED);
        decide(FIELD_REFUSAL, &refusal_message, &refusal, false);
        cr_expect_eq(
            apart_get(txn, community.number, world.devices[PHONE].handle, need.seq, need.tag),
            REASON_NONE);
    }
    expect_no_leaks();
}

// Its words come, or come back, once for each that sets it apart.
Test(decided, refusal_of_a_change_that_is_not_here_is_kept_for_when_it_comes)
{
    struct refusal refusal = {handle_of(OTHER), 3, REASON_REVOKED, 5};
    decide(FIELD_REFUSAL, &refusal_message, &refusal, true);
    decide(FIELD_REFUSAL, &refusal_message, &refusal, true);
    cr_expect_eq(apart_get(txn, community.number, world.devices[OTHER].handle, 3, 5),
                 REASON_REVOKED);
    decide(FIELD_REFUSAL, &refusal_message, &refusal, false);
    decide(FIELD_REFUSAL, &refusal_message, &refusal, false);
    cr_expect_eq(apart_get(txn, community.number, world.devices[OTHER].handle, 3, 5), REASON_NONE);
    expect_no_leaks();
}

static struct device enrolled(const uint8_t key[KEY_SIZE], const uint8_t *first)
{
    uint8_t handle[HANDLE_SIZE];
    struct device device = {.role = ROLE_NONE};
    struct enrolment enrolment = {.key = bytes_of(key, KEY_SIZE), .role = ROLE_MEMBER, .from = 1};
    if (first)
        enrolment.first_device = bytes_of(first, HANDLE_SIZE);
    digest_handle(community.id, key, handle);
    decide(FIELD_ENROLMENT, &enrolment_message, &enrolment, true);
    cr_assert_eq(device_get(txn, community.number, handle, &device), OK);
    return device;
}

Test(decided, first_device_of_a_person_is_the_least_that_is_named_in_whichever_order)
{
    uint8_t greater[HANDLE_SIZE] = {8};
    uint8_t less[HANDLE_SIZE] = {7};
    uint8_t keys[2][KEY_SIZE] = {{3}, {4}};
    enrolled(keys[0], NULL);
    enrolled(keys[0], greater);
    struct device a = enrolled(keys[0], less);
    enrolled(keys[1], less);
    struct device b = enrolled(keys[1], greater);
    cr_expect_arr_eq(a.first, less, HANDLE_SIZE);
    cr_expect_arr_eq(b.first, less, HANDLE_SIZE);
    cr_expect_eq(b.role, ROLE_MEMBER);
    expect_no_leaks();
}

Test(decided, key_of_a_device_is_never_another)
{
    uint8_t key[KEY_SIZE] = {3};
    struct device known = {.role = ROLE_NONE, .key = {5}};
    digest_handle(community.id, key, known.handle);
    device_put(txn, community.number, &known);
    struct enrolment enrolment = {.key = BYTES(key), .role = ROLE_COORDINATOR, .from = 1};
    expect_nothing(FIELD_ENROLMENT, &enrolment_message, &enrolment);
    expect_no_leaks();
}

Test(decided, role_of_a_device_that_is_not_known_waits_for_its_enrolment)
{
    uint8_t key[KEY_SIZE] = {3};
    uint8_t handle[HANDLE_SIZE];
    digest_handle(community.id, key, handle);
    struct role_grant grant = {.device = BYTES(handle), .role = ROLE_VOLUNTEER, .from = 2};
    decide(FIELD_GRANT, &role_grant_message, &grant, true);
    cr_expect_eq(enrolled(key, NULL).role, ROLE_VOLUNTEER);
    decide(FIELD_GRANT, &role_grant_message, &grant, false);
    struct device device;
    cr_assert_eq(device_get(txn, community.number, handle, &device), OK);
    cr_expect_neq(device.role, ROLE_VOLUNTEER);
    expect_no_leaks();
}
