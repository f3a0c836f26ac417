// What a hub decides, while something of it fails: it is decided whole, or not at all.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/field.h"

static struct community community;
static struct field_work said;

static void look_again(void)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
}

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 32);
    said = work(PHONE);
    said_number(&world, COORDINATOR, &said.need.record, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    network_settle(&world);
    look_again();
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(failing_decisions, .init = set_up, .fini = tear_down);

struct deciding {
    struct community community;
    struct hub_decider decider;
};

static struct hub_decider *begin(struct failing *f, struct deciding *d)
{
    static const uint8_t random[32] = {9};
    d->community = community;
    d->decider = (struct hub_decider){.txn = f->txn,
                                      .community = &d->community,
                                      .now = world.now,
                                      .random = random,
                                      .fault = f->fault};
    return &d->decider;
}

// --- who may what ---

static enum err grant(struct failing *f, void *arg)
{
    struct deciding d;
    return hub_grant(begin(f, &d), arg, world.devices[PHONE].handle, ROLE_MEMBER);
}

static enum err revoke(struct failing *f, void *arg)
{
    struct deciding d;
    return hub_revoke(begin(f, &d), arg, world.devices[PHONE].handle);
}

Test(failing_decisions, give_another_role_or_leave_the_old_one)
{
    failing_writes(world.hub, grant, NULL);
    failing_writes(world.hub, grant, &said.need.record);
    expect_no_leaks();
}

Test(failing_decisions, revoke_a_device_or_leave_it)
{
    failing_writes(world.hub, revoke, NULL);
    expect_no_leaks();
}

static enum err revoke_phone(struct hub_decider *decider, void *arg)
{
    (void)arg;
    return hub_revoke(decider, NULL, world.devices[PHONE].handle);
}

static enum err take_back(struct failing *f, void *arg)
{
    struct deciding d;
    uint32_t released = 0;
    f->forgives = arg != NULL;
    struct hub_decider *decider = begin(f, &d);
    enum err err = hub_reinstate(decider, NULL, world.devices[PHONE].handle);
    if (!err)
        err = hub_release(decider, NULL, world.devices[PHONE].handle, 1, UINT32_MAX, &released);
    return err;
}

static void be_revoked(void)
{
    world_decide(&world, revoke_phone, NULL);
    cr_assert_eq(network_log_in(&world, PHONE), ROLE_NONE);
}

Test(failing_decisions, take_a_revocation_back_with_all_that_was_set_apart_or_leave_it)
{
    be_revoked();
    said_need(&world, PHONE, "from outside", NULL);
    network_sync(&world, PHONE);
    look_again();
    failing_writes(world.hub, take_back, NULL);
    expect_no_leaks();
}

Test(failing_decisions, do_what_is_asked_for_by_what_is_released_or_do_not_release_it)
{
    be_revoked();
    said_erase_record(&world, PHONE, &said.remark.record);
    network_sync(&world, PHONE);
    look_again();
    failing_writes(world.hub, take_back, &said);
    expect_no_leaks();
}

// --- what is to be gone ---

static enum err erase(struct failing *f, void *arg)
{
    struct deciding d;
    uint64_t erased = 0;
    struct hub_erasing what = *(const struct hub_erasing *)arg;
    struct ref refs[2];
    for (size_t i = 0; i < what.records.n && i < 2; i++)
        refs[i] = *LIST_AT(struct ref, what.records, i); // they are sorted
    what.records.p = refs;
    f->forgives = true;
    enum err err = hub_erase(begin(f, &d), &what, &erased);
    return err;
}

Test(failing_decisions, erase_a_record_with_all_that_hangs_on_it_or_nothing)
{
    struct ref refs[] = {{KIND_NEED, BYTES(said.need.record.id)},
                         {KIND_REMARK, BYTES(said.remark.record.id)}};
    struct hub_erasing what = {.records = {refs, 2}};
    failing_writes(world.hub, erase, &what);
    expect_no_leaks();
}

Test(failing_decisions, erase_a_person_or_nothing)
{
    struct record_key person = said_person(1);
    struct ref ref = {KIND_PERSON, BYTES(person.id)};
    struct hub_erasing what = {.records = {&ref, 1}};
    failing_writes(world.hub, erase, &what);
    expect_no_leaks();
}

Test(failing_decisions, erase_what_a_device_wrote_or_nothing)
{
    struct ref ref = {KIND_NEED, BYTES(said.need.record.id)};
    struct change_ref changes[] = {{.seq = said.voices[0].seq, .tag = said.voices[0].tag},
                                   {.seq = said.remark.seq, .tag = said.remark.tag}};
    struct hub_erasing what = {
        .by = world.devices[PHONE].handle, .records = {&ref, 1}, .changes = {changes, 2}};
    failing_writes(world.hub, erase, &what);
    expect_no_leaks();
}

static enum err erase_due(struct failing *f, void *arg)
{
    struct deciding d;
    uint64_t erased = 0;
    struct hub_decider *decider = begin(f, &d);
    (void)arg;
    decider->now = INT64_C(4000000000000);
    f->forgives = true;
    return hub_erase_due(decider, &erased);
}

Test(failing_decisions, erase_all_that_is_due_or_nothing)
{
    said_number(&world, PHONE, &said.remark.record, FIELD_KEEP_UNTIL, 1800000000000);
    said_number(&world, PHONE, &said.need.record, FIELD_KEEP_UNTIL, 1800000000000);
    said_number(&world, COORDINATOR, &said.constraint.record, FIELD_KEEP_UNTIL, 1800000000000);
    network_settle(&world);
    look_again();
    failing_writes(world.hub, erase_due, NULL);
    expect_no_leaks();
}

// --- beginning ---

enum { ORDERS = 4 };

static enum err begin_anew(struct failing *f, void *arg)
{
    struct deciding d;
    uint64_t erased = 0;
    static const struct hub_found_random random = {{1}, {2}, {3}};
    struct hub_decider *decider = begin(f, &d);
    (void)arg;
    f->forgives = true;
    enum err err =
        hub_begin_anew(f->txn, world.identity_seed, world.now, &random, &d.community, f->fault);
    return err ? err : hub_erase_again(decider, arg, ORDERS, &erased);
}

// What was decided before and is not here: words that are and words that are not, a record; and
// something of another community's.
Test(failing_decisions, begin_anew_with_what_was_erased_before_or_do_not)
{
    struct store_order orders[ORDERS] = {
        {.seq = said.remark.seq, .tag = said.remark.tag},
        {.seq = 99, .tag = 7},
        {.what = ORDER_CLOSING, .kind = KIND_CONSTRAINT},
        {.seq = 1, .tag = 7},
    };
    for (size_t i = 0; i < ORDERS; i++) {
        memcpy(orders[i].handle, world.devices[PHONE].handle, HANDLE_SIZE);
        memcpy(orders[i].community, world.id, i < 3 ? COMMUNITY_SIZE : 1);
    }
    memcpy(orders[2].id, said.constraint.record.id, ID_SIZE);
    failing_writes(world.hub, begin_anew, orders);
    expect_no_leaks();
}

static enum err found(struct failing *f, void *arg)
{
    struct community made = {0};
    static const struct hub_found_random random = {{1}, {2}, {3}};
    return hub_found(f->txn, arg, bytes_of_text("Hill"), world.now, &random, &made, f->fault);
}

Test(failing_decisions, found_a_community_or_none)
{
    uint8_t seed[SIGN_SEED_SIZE] = {5};
    failing_writes(world.hub, found, seed);
    expect_no_leaks();
}

static enum err invite(struct failing *f, void *arg)
{
    uint8_t code[CODE_SIZE] = {8};
    struct hub_invitation invitation = {ROLE_VOLUNTEER, bytes_of_text("a phone"), world.now + 60000,
                                        1};
    return hub_invite_as(f->txn, arg, &invitation, code, f->fault);
}

Test(failing_decisions, invite_or_do_not)
{
    struct hub_caller caller = world_caller(&world, COORDINATOR);
    failing_writes(world.hub, invite, &caller);
    expect_no_leaks();
}
