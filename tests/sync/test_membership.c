// Roles and revocations: from which change on, for whom, and back again.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, PHONE, OTHER, DEVICES };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 5);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(membership, .init = set_up, .fini = tear_down);

static enum err grant_member(struct hub_decider *decider, void *arg)
{
    (void)arg;
    return hub_grant(decider, NULL, world.devices[PHONE].handle, ROLE_MEMBER);
}

static enum err revoke(struct hub_decider *decider, void *arg)
{
    enum err err = hub_revoke(decider, NULL, world.devices[PHONE].handle);
    if (arg)
        *(bool *)arg = decider->effects.revoked;
    return err;
}

static enum err reinstate(struct hub_decider *decider, void *arg)
{
    (void)arg;
    return hub_reinstate(decider, NULL, world.devices[PHONE].handle);
}

static enum err release(struct hub_decider *decider, void *arg)
{
    return hub_release(decider, NULL, world.devices[PHONE].handle, 1, UINT32_MAX, arg);
}

static enum reason reason_of(struct store *store, uint32_t community,
                             const struct world_change *change)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    return apart_get(txn, community, world.devices[PHONE].handle, change->seq, change->tag);
}

// What every store says of a change of PHONE's.
static void expect_everywhere(const struct world_change *change, enum reason reason, bool live)
{
    for (size_t i = 0; i < DEVICES; i++) {
        const struct world_device *device = &world.devices[i];
        cr_expect_eq(reason_of(device->store, device->community, change), reason, "store %zu", i);
        cr_expect_eq(said_is_live(device->store, device->community, &change->record), live,
                     "store %zu", i);
    }
    cr_expect_eq(reason_of(world.hub, world.community, change), reason, "the hub");
    cr_expect_eq(said_is_live(world.hub, world.community, &change->record), live, "the hub");
}

// What a revoked device may still have: a token that only delivers.
static enum err authenticate(enum role_call call)
{
    struct hub_caller caller;
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_authenticate(txn, world.devices[PHONE].token, call, &(struct hub_policy){0},
                            world.now, &caller, &fault);
}

Test(membership, of_another_role_holds_from_the_next_change_on)
{
    struct world_change before = said_need(&world, PHONE, "as a volunteer", NULL);
    network_settle(&world);
    world_decide(&world, grant_member, NULL);
    // The phone has not heard of it yet.
    struct world_change after = said_need(&world, PHONE, "as a member", NULL);
    network_settle(&world);
    expect_everywhere(&before, REASON_NONE, true);
    expect_everywhere(&after, REASON_NOT_PERMITTED, false);
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct world_change change;
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("x"));
    cr_expect_eq(world_write(&world, PHONE, &envelope, buf_bytes(&fields), &change), ERR_FORBIDDEN,
                 "the phone itself says so, now that it has heard");
    expect_no_leaks();
}

Test(membership, of_a_member_is_their_own_voice)
{
    struct world_change need = said_need(&world, OTHER, "a bench", NULL);
    world_decide(&world, grant_member, NULL);
    network_settle(&world);
    struct record_key own = {.kind = KIND_PERSON};
    digest_member(world.id, world.devices[PHONE].handle, own.id);
    struct world_change voice = said_voice(&world, PHONE, &need.record, &own, "mine");
    network_settle(&world);
    expect_everywhere(&voice, REASON_NONE, true);
}

Test(membership, is_asked_for_by_a_coordinator_and_nobody_else)
{
    network_settle(&world);
    said_membership(&world, COORDINATOR, PHONE, ROLE_MEMBER, -1);
    network_settle(&world);
    cr_expect_eq(world_caller(&world, PHONE).device.role, ROLE_MEMBER);
    said_membership(&world, COORDINATOR, PHONE, ROLE_VOLUNTEER, -1);
    network_settle(&world);
    cr_expect_eq(world_caller(&world, PHONE).device.role, ROLE_VOLUNTEER);
    struct world_change asked;
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_MEMBERSHIP, .time = 1};
    struct buf encoded BUF_CLEANUP = {0};
    wire_put_bytes(&fields, FIELD_MEMBERSHIP_DEVICE, BYTES(world.devices[OTHER].handle));
    wire_put_uint(&fields, FIELD_MEMBERSHIP_REVOKED, 1);
    message_encode(&envelope_message, &envelope, &encoded);
    world_write_raw(&world, PHONE, buf_bytes(&encoded), buf_bytes(&fields), &asked);
    network_settle(&world);
    cr_expect_eq(world_caller(&world, OTHER).device.role, ROLE_VOLUNTEER);
    cr_expect_eq(reason_of(world.hub, world.community, &asked), REASON_NOT_PERMITTED);
}

Test(membership, may_be_changed_by_whom_it_is_about_in_the_same_push)
{
    said_need(&world, COORDINATOR, "before", NULL);
    said_membership(&world, COORDINATOR, COORDINATOR, ROLE_VOLUNTEER, -1);
    struct world_change after = said_need(&world, COORDINATOR, "after", NULL);
    network_settle(&world);
    cr_expect_eq(world_caller(&world, COORDINATOR).device.role, ROLE_VOLUNTEER);
    cr_expect(said_is_live(world.hub, world.community, &after.record));
}

Test(membership, that_is_revoked_voids_the_token_at_once)
{
    bool told = false;
    network_settle(&world);
    cr_expect_eq(authenticate(CALL_SYNC), OK);
    world_decide(&world, revoke, &told);
    cr_expect(told, "whoever holds connections is told");
    cr_expect_eq(authenticate(CALL_SYNC), ERR_UNAUTHENTICATED);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    cr_expect_eq(authenticate(CALL_SYNC), OK, "it may deliver");
    for (int call = CALL_SYNC + 1; call < CALL_COUNT; call++)
        cr_expect_eq(authenticate((enum role_call)call), ERR_FORBIDDEN);
}

Test(membership, that_is_revoked_keeps_what_was_written_before_and_holds_back_what_comes_later)
{
    struct world_change before = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    struct world_change news = said_need(&world, OTHER, "after the revocation", NULL);
    struct world_change late = said_need(&world, PHONE, "written before, delivered later", NULL);
    network_sync(&world, OTHER);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    struct exchange_report report = network_sync(&world, PHONE);
    cr_expect_eq(report.pushed, 1);
    cr_expect_eq(report.apart, 1);
    cr_expect_eq(report.pulled, 0, "a revoked device gets nothing more");
    cr_expect_not(
        said_is_live(world.devices[PHONE].store, world.devices[PHONE].community, &news.record));
    network_sync(&world, COORDINATOR);
    network_sync(&world, OTHER);
    cr_expect(said_is_live(world.hub, world.community, &before.record));
    cr_expect_eq(reason_of(world.hub, world.community, &late), REASON_REVOKED);
    cr_expect(said_is_kept(world.hub, world.community, world.devices[PHONE].handle, late.seq),
              "not lost");
    cr_expect_not(
        said_is_live(world.devices[OTHER].store, world.devices[OTHER].community, &late.record));
}

Test(membership, that_is_revoked_is_released_and_reinstated_and_all_comes_back)
{
    uint32_t released = 0;
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    struct world_change late = said_need(&world, PHONE, "delivered later", NULL);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    network_sync(&world, PHONE);
    network_sync(&world, COORDINATOR);
    network_sync(&world, OTHER);
    world_decide(&world, release, &released);
    cr_expect_eq(released, 1);
    world_decide(&world, reinstate, NULL);
    network_settle(&world);
    expect_everywhere(&late, REASON_NONE, true);
    cr_expect_eq(world_caller(&world, PHONE).device.role, ROLE_VOLUNTEER);
    struct world_change next = said_need(&world, PHONE, "as before", NULL);
    network_settle(&world);
    expect_everywhere(&next, REASON_NONE, true);
}

// A thief asks to be coordinator, and the admin lets the phone's offline work take effect.
Test(membership, that_is_revoked_is_not_given_a_role_when_it_is_released)
{
    uint32_t released = 0;
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    struct buf fields BUF_CLEANUP = {0};
    struct buf envelope BUF_CLEANUP = {0};
    struct world_change asked;
    message_encode(&envelope_message, &(struct envelope){.kind = KIND_MEMBERSHIP, .time = 1},
                   &envelope);
    wire_put_bytes(&fields, FIELD_MEMBERSHIP_DEVICE, BYTES(world.devices[PHONE].handle));
    wire_put_uint(&fields, FIELD_MEMBERSHIP_ROLE, ROLE_COORDINATOR);
    wire_put_uint(&fields, FIELD_MEMBERSHIP_REVOKED, 0);
    world_write_raw(&world, PHONE, buf_bytes(&envelope), buf_bytes(&fields), &asked);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    network_sync(&world, PHONE);
    cr_expect_eq(reason_of(world.hub, world.community, &asked), REASON_REVOKED);
    world_decide(&world, release, &released);
    cr_expect_eq(world_caller(&world, PHONE).device.role, ROLE_NONE);
}

// Who was revoked asked for words of their own to be erased, and delivers that too late.
Test(membership, that_is_revoked_has_its_request_granted_when_it_is_released)
{
    uint32_t released = 0;
    struct world_change need = said_need(&world, PHONE, "my story", NULL);
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    struct world_change asked = said_erase_record(&world, PHONE, &need.record);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    network_sync(&world, PHONE);
    cr_expect_eq(reason_of(world.hub, world.community, &asked), REASON_REVOKED);
    cr_expect(said_is_kept(world.hub, world.community, world.devices[PHONE].handle, need.seq));
    world_decide(&world, release, &released);
    cr_expect_eq(released, 1);
    cr_expect_not(said_is_kept(world.hub, world.community, world.devices[PHONE].handle, need.seq));
}

static enum err release_one(struct hub_decider *decider, void *arg)
{
    const uint32_t *seq = arg;
    uint32_t released = 0;
    enum err err = hub_release(decider, NULL, world.devices[PHONE].handle, *seq, *seq, &released);
    return err || released ? err : ERR_NOT_FOUND;
}

Test(membership, that_did_not_allow_a_change_is_set_right_for_it_by_a_coordinator)
{
    uint32_t released = 9;
    world_decide(&world, grant_member, NULL);
    struct world_change need = said_need(&world, PHONE, "a member's need", NULL);
    network_settle(&world);
    expect_everywhere(&need, REASON_NOT_PERMITTED, false);
    cr_expect(said_is_kept(world.devices[COORDINATOR].store, world.devices[COORDINATOR].community,
                           world.devices[PHONE].handle, need.seq),
              "a coordinator can read it");
    cr_expect_not(said_is_kept(world.devices[OTHER].store, world.devices[OTHER].community,
                               world.devices[PHONE].handle, need.seq));
    world_decide(&world, release, &released);
    cr_expect_eq(released, 0, "not beside what a revocation set apart");
    world_decide(&world, release_one, &need.seq);
    network_settle(&world);
    expect_everywhere(&need, REASON_NONE, true);
}

static enum err must_not_release(struct hub_decider *decider, void *arg)
{
    const uint32_t *seq = arg;
    uint32_t released = 9;
    enum err err =
        hub_release(decider, NULL, world.devices[PHONE].handle, 1, UINT32_MAX, &released);
    cr_expect_eq(released, 0);
    if (!err)
        err = hub_release(decider, NULL, world.devices[PHONE].handle, *seq, *seq, &released);
    cr_expect_eq(released, 0);
    return err;
}

Test(membership, that_is_revoked_is_not_released_for_what_no_coordinator_may_write)
{
    struct world_change decision;
    struct world_change malformed;
    struct buf fields BUF_CLEANUP = {0};
    struct buf envelope BUF_CLEANUP = {0};
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    message_encode(&envelope_message, &(struct envelope){.kind = KIND_DECISION, .time = 1},
                   &envelope);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("all is mine"));
    world_write_raw(&world, PHONE, buf_bytes(&envelope), buf_bytes(&fields), &decision);
    buf_reset(&envelope);
    buf_reset(&fields);
    message_encode(&envelope_message, &(struct envelope){.kind = KIND_NEED, .time = 1}, &envelope);
    wire_put_uint(&fields, FIELD_TITLE, 7);
    world_write_raw(&world, PHONE, buf_bytes(&envelope), buf_bytes(&fields), &malformed);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    network_sync(&world, PHONE);
    cr_expect_eq(reason_of(world.hub, world.community, &decision), REASON_REVOKED);
    cr_expect_eq(reason_of(world.hub, world.community, &malformed), REASON_REVOKED);
    world_decide(&world, must_not_release, &decision.seq);
    world_decide(&world, must_not_release, &malformed.seq);
    cr_expect_eq(reason_of(world.hub, world.community, &decision), REASON_REVOKED);
    cr_expect_eq(reason_of(world.hub, world.community, &malformed), REASON_REVOKED);
}

// A device that comes by vector knows the seq as a husk: it must get the words all the same.
Test(membership, that_is_released_reaches_who_pulls_from_the_beginning)
{
    uint32_t released = 0;
    network_settle(&world);
    world_decide(&world, revoke, NULL);
    struct world_change late = said_need(&world, PHONE, "delivered later", NULL);
    cr_expect_eq(network_log_in(&world, PHONE), ROLE_NONE);
    network_sync(&world, PHONE);
    world_decide(&world, release, &released);
    size_t fresh = world_join(&world, ROLE_VOLUNTEER);
    network_sync(&world, fresh);
    cr_expect(
        said_is_live(world.devices[fresh].store, world.devices[fresh].community, &late.record));
}
