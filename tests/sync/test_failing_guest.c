// Coming in, while something of it fails: whoever may is admitted, or may ask again.

#include <criterion/criterion.h>

#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/guest.h"

static struct guest later;

TestSuite(failing_guest, .init = guest_set_up, .fini = guest_tear_down);

static enum err say(struct failing *f, enum err err, const struct admission *admission)
{
    if (!err)
        failing_say(f, &enrol_response_message, admission);
    return err;
}

static enum err enrol(struct failing *f, void *arg)
{
    struct admission admission;
    struct hub_admitting admitting = guest_admitting(&guest);
    enum err err = hub_enrol(f->txn, &admitting, arg, f->arena, &admission, f->fault);
    return say(f, err, &admission);
}

static enum err login(struct failing *f, void *arg)
{
    struct admission admission;
    struct hub_admitting admitting = guest_admitting(&guest);
    enum err err = hub_login(f->txn, &admitting, arg, f->arena, &admission, f->fault);
    return say(f, err, &admission);
}

Test(failing_guest, is_enrolled_or_keeps_the_invitation)
{
    struct enrol_request request = guest_enrolment(&guest);
    failing_writes(world.hub, enrol, &request);
    expect_no_leaks();
}

Test(failing_guest, is_told_the_same_again_or_nothing)
{
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    failing_writes(world.hub, enrol, &request);
    expect_no_leaks();
}

Test(failing_guest, is_taken_for_the_person_that_they_were_or_may_ask_again)
{
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    guest_init(&later);
    guest_invite(&later, ROLE_VOLUNTEER, world.now + 1000);
    request = guest_succession(&later, &guest);
    failing_writes(world.hub, enrol, &request);
    expect_no_leaks();
}

static enum err invite(struct txn *txn, const struct hub_caller *caller)
{
    struct hub_invitation invitation = {ROLE_MEMBER, bytes_of_text("phone"), world.now + 1000, 3};
    return hub_invite_as(txn, caller, &invitation, guest.code, &fault);
}

Test(failing_guest, of_a_device_is_enrolled_or_keeps_the_invitation)
{
    struct hub_caller caller = world_caller(&world, 0);
    dice_bytes(&world.dice, guest.code, sizeof guest.code);
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(invite(txn, &caller), OK, "%s", fault.text);
    cr_assert_eq(txn_commit(&txn), OK);
    struct enrol_request request = guest_enrolment(&guest);
    failing_writes(world.hub, enrol, &request);
    expect_no_leaks();
}

Test(failing_guest, logs_in_or_may_try_again)
{
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    struct login_request again = guest_login(&guest);
    failing_writes(world.hub, login, &again);
    expect_no_leaks();
}

static enum err authenticate(struct failing *f, void *arg)
{
    struct hub_caller caller;
    return hub_authenticate(f->txn, arg, CALL_SYNC, &(struct hub_policy){0}, world.now, &caller,
                            f->fault);
}

static enum err turn(struct failing *f, void *arg)
{
    bool renewed;
    struct hub_caller caller;
    struct hub_policy policy = {.token_ms = 1000};
    enum err err =
        hub_authenticate(f->txn, arg, CALL_SYNC, &policy, world.now + 2000, &caller, f->fault);
    if (!err)
        hub_turn_token(f->txn, &caller, chance, &renewed);
    return err;
}

Test(failing_guest, is_known_by_the_token_or_told_to_wait)
{
    failing_reads(world.hub, authenticate, world.devices[0].token);
    failing_writes(world.hub, turn, world.devices[0].token);
    expect_no_leaks();
}

static enum err contact(struct failing *f, void *arg)
{
    const struct contact heard = {.last_sync = world.now, .bytes_in = 100, .bytes_out = 200};
    hub_note_contact(f->txn, arg, &heard);
    return OK;
}

Test(failing_guest, is_noted_as_seen_or_not_at_all)
{
    struct hub_caller caller = world_caller(&world, 0);
    failing_writes(world.hub, contact, &caller);
    struct contact noted;
    struct txn *txn = txn_begin_write(world.hub);
    hub_note_contact(
        txn, &caller,
        &(struct contact){
            .last_sync = world.now, .bytes_in = 100, .bytes_out = 200, .written = 7, .error = 9});
    hub_note_contact(txn, &caller,
                     &(struct contact){.last_sync = world.now + 1, .bytes_in = 1, .bytes_out = 2});
    contact_get(txn, world.community, world.devices[0].handle, &noted);
    cr_expect_eq(noted.last_sync, world.now + 1);
    cr_expect_eq(noted.bytes_in, 101);
    cr_expect_eq(noted.bytes_out, 202);
    cr_expect_eq(noted.written, 7, "not said again");
    cr_expect_eq(noted.error, 0, "the last was not refused");
    txn_abort(&txn);
    expect_no_leaks();
}
