// A hub that was restored from an older copy begins anew: what was lost comes back from whose it
// is, what the lost time decided counts no more, and what is decided now reaches everybody.

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/schema.h"
#include "sync/lineage.h"
#include "tests/leaks.h"
#include "tests/sync/field.h"

enum { OTHER = DEVICES, LATE };

static struct world_change before;

static void set_up(void)
{
    world_open(&world, LATE + 1);
    world_begin(&world, 8);
    before = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    world_save_hub(&world, "copy");
    world.now += 1000;
    world.may_alarm = true;
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(anew, .init = set_up, .fini = tear_down);

static void restore(void)
{
    world.now += 1000;
    world_restore_hub_anew(&world, "copy");
}

// The file beside the database is lost, too: nothing is decided again.
static void lose_orders(void)
{
    char path[WORLD_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/hub/orders", world.folder);
    (void)unlink(path);
}

static void forget_alarms(void)
{
    for (size_t i = 0; i < world.devices_n; i++)
        world.devices[i].alarm = ALARM_NONE;
}

static void expect_alarms(size_t device, enum alarm alarm)
{
    cr_expect_eq(world.devices[device].alarm, alarm, "device %zu: %d", device,
                 (int)world.devices[device].alarm);
}

static enum err make_coordinator(struct hub_decider *decider, void *arg)
{
    return hub_grant(decider, NULL, world.devices[*(size_t *)arg].handle, ROLE_COORDINATOR);
}

static enum err revoke_it(struct hub_decider *decider, void *arg)
{
    return hub_revoke(decider, NULL, world.devices[*(size_t *)arg].handle);
}

static enum role role_told(size_t where, size_t of)
{
    struct device device;
    struct world_device *on = &world.devices[where];
    struct txn *txn TXN_CLEANUP = txn_begin_read(on->store);
    cr_assert_eq(device_get(txn, on->community, world.devices[of].handle, &device), OK);
    return device.role;
}

Test(anew, takes_back_what_was_lost_and_tells_those_who_had_seen_it)
{
    said_need(&world, PHONE, "since then", NULL);
    said_again(&world, PHONE, &before, PHONE, "before, said otherwise");
    network_sync(&world, PHONE);
    network_sync(&world, OTHER);
    restore();
    network_settle(&world);
    expect_once("since then");
    expect_once("before, said otherwise");
    expect_gone("before");
    expect_alarms(PHONE, ALARM_ROLLED_BACK);
    expect_alarms(OTHER, ALARM_ROLLED_BACK);
    expect_alarms(LATE, ALARM_NONE);
    expect_all_the_same();
    forget_alarms();
    said_need(&world, OTHER, "life goes on", NULL);
    network_settle(&world);
    expect_once("life goes on");
    for (size_t i = 0; i < world.devices_n; i++)
        expect_alarms(i, ALARM_NONE);
    expect_no_leaks();
}

// Who had seen no more than the copy goes on from where it was.
Test(anew, costs_nothing_and_alarms_nobody_where_nothing_was_lost)
{
    for (int i = 0; i < 40; i++)
        said_need(&world, PHONE, "much", NULL);
    network_settle(&world);
    world_save_hub(&world, "copy");
    restore();
    for (size_t i = 0; i < world.devices_n; i++) {
        struct exchange_report report = network_sync(&world, i);
        cr_expect_leq(report.pulled, 1, "device %zu: the new beginning, not %u", i, report.pulled);
        cr_expect_not(report.forked);
        expect_alarms(i, ALARM_NONE);
    }
    network_settle(&world);
    expect_all_the_same();
}

Test(anew, decides_what_reaches_everybody)
{
    size_t phone = PHONE;
    size_t other = OTHER;
    world_decide(&world, make_coordinator, &phone);
    network_settle(&world);
    cr_assert_eq(role_told(LATE, PHONE), ROLE_COORDINATOR);
    lose_orders();
    restore();
    world_decide(&world, make_coordinator, &other);
    network_settle(&world);
    for (size_t i = 0; i < world.devices_n; i++) {
        cr_expect_eq(role_told(i, OTHER), ROLE_COORDINATOR, "device %zu hears of what is new", i);
        cr_expect_eq(role_told(i, PHONE), ROLE_VOLUNTEER, "device %zu: that time is no more", i);
    }
    expect_all_the_same();
}

// What the hub still means is decided again: of each device what was last.
Test(anew, gives_roles_again_that_were_decided_since)
{
    size_t phone = PHONE;
    size_t late = LATE;
    world_decide(&world, make_coordinator, &phone);
    world_decide(&world, revoke_it, &late);
    restore();
    for (size_t i = 0; i < (size_t)3 * LATE; i++)
        (void)network_sync(&world, i % LATE);
    for (size_t i = 0; i < LATE; i++) {
        cr_expect_eq(role_told(i, PHONE), ROLE_COORDINATOR, "device %zu", i);
        cr_expect_eq(role_told(i, LATE), ROLE_NONE, "device %zu: it was revoked", i);
    }
}

static enum err make_role(struct hub_decider *decider, size_t device, enum role role)
{
    return hub_grant(decider, NULL, world.devices[device].handle, role);
}

static enum err make_volunteer(struct hub_decider *decider, void *arg)
{
    return make_role(decider, *(size_t *)arg, ROLE_VOLUNTEER);
}

static enum err make_member(struct hub_decider *decider, void *arg)
{
    return make_role(decider, *(size_t *)arg, ROLE_MEMBER);
}

// It had a receipt, and others had seen it: by the role of that time it counts.
Test(anew, keeps_what_was_written_in_a_role_that_came_and_went_since)
{
    size_t member = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
    world_save_hub(&world, "copy");
    world_decide(&world, make_volunteer, &member);
    network_settle(&world);
    said_need(&world, member, "as a volunteer", NULL);
    network_settle(&world);
    expect_once("as a volunteer");
    world_decide(&world, make_member, &member);
    network_settle(&world);
    restore();
    network_settle(&world);
    network_settle(&world);
    expect_once("as a volunteer");
    cr_expect_eq(role_told(OTHER, member), ROLE_MEMBER);
    expect_all_the_same();
}

// A role that begins at a change which has not come again yet is gone over all the same.
Test(anew, takes_a_role_away_before_the_change_from_which_it_counts)
{
    size_t phone = PHONE;
    for (int i = 0; i < 5; i++)
        said_need(&world, PHONE, "of the lost time", NULL);
    network_settle(&world);
    world_decide(&world, make_coordinator, &phone);
    restore();
    world_decide(&world, make_member, &phone);
    network_settle(&world);
    network_settle(&world);
    cr_expect_eq(role_told(OTHER, PHONE), ROLE_MEMBER);
}

// The orders that the copy knows went with the disk; those that are there are others, and new.
Test(anew, follows_orders_of_another_history)
{
    size_t phone = PHONE;
    size_t other = OTHER;
    world_decide(&world, make_coordinator, &other);
    network_settle(&world);
    world_save_hub(&world, "copy");
    lose_orders();
    restore();
    world_decide(&world, make_coordinator, &phone);
    network_settle(&world);
    restore();
    network_settle(&world);
    cr_expect_eq(role_told(OTHER, PHONE), ROLE_COORDINATOR, "it was decided since");
}

// What the lost time set apart is judged anew, by what is decided now.
Test(anew, judges_again_what_was_set_apart)
{
    size_t member = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
    world_save_hub(&world, "copy");
    struct envelope envelope = {.kind = KIND_NEED, .time = world.now};
    struct buf bytes BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    struct world_change change;
    message_encode(&envelope_message, &envelope, &bytes);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("not for members"));
    world_write_raw(&world, member, buf_bytes(&bytes), buf_bytes(&fields), &change);
    network_settle(&world);
    cr_expect_not(said_is_live(world.hub, world.community, &change.record));
    restore();
    network_settle(&world);
    cr_expect_not(said_is_live(world.hub, world.community, &change.record), "set apart again");
    expect_gone("not for members");
    expect_all_the_same();
}

Test(anew, keeps_erased_what_was_erased_since)
{
    said_erase_record(&world, COORDINATOR, &before.record);
    network_settle(&world);
    restore();
    cr_expect_not(
        said_is_kept(world.hub, world.community, world.devices[PHONE].handle, before.seq));
    network_settle(&world);
    expect_gone("before");
    expect_all_the_same();
}

// Nobody knows of the second life when the third begins, but those who saw it.
Test(anew, twice_from_the_same_copy_leaves_the_last_one_alone)
{
    size_t phone = PHONE;
    restore();
    world_decide(&world, make_coordinator, &phone);
    said_need(&world, OTHER, "in the second life", NULL);
    network_settle(&world);
    cr_expect_eq(role_told(LATE, PHONE), ROLE_COORDINATOR);
    lose_orders();
    restore();
    said_need(&world, LATE, "in the third", NULL);
    network_settle(&world);
    for (size_t i = 0; i < world.devices_n; i++)
        cr_expect_eq(role_told(i, PHONE), ROLE_VOLUNTEER, "device %zu", i);
    expect_once("in the second life");
    expect_once("in the third");
    expect_all_the_same();
    forget_alarms();
    network_settle(&world);
    for (size_t i = 0; i < world.devices_n; i++)
        expect_alarms(i, ALARM_NONE);
}

// A device that came in since then is not known; its key comes in again by another link.
Test(anew, takes_in_again_whoever_came_since)
{
    size_t fresh = world_join(&world, ROLE_VOLUNTEER);
    said_need(&world, fresh, "by who came since", NULL);
    network_settle(&world);
    restore();
    world_enrol_again(&world, fresh, ROLE_VOLUNTEER);
    network_settle(&world);
    expect_once("by who came since");
    expect_all_the_same();
}

// A device that hears of nothing but the last beginning, and one that hears of all, hold the same.
Test(anew, is_the_same_for_who_comes_late)
{
    size_t phone = PHONE;
    world_decide(&world, make_coordinator, &phone);
    said_need(&world, PHONE, "since then", NULL);
    network_sync(&world, PHONE);
    network_sync(&world, OTHER);
    restore();
    network_settle(&world);
    world_join(&world, ROLE_VOLUNTEER);
    network_settle(&world);
    expect_once("since then");
    expect_all_the_same();
}

// A machine that was just put up, without a clock.
Test(anew, holds_though_the_clock_is_set_back)
{
    size_t phone = PHONE;
    world.now = 1000;
    world_restore_hub_anew(&world, "copy");
    world_decide(&world, make_coordinator, &phone);
    network_settle(&world);
    for (size_t i = 0; i < world.devices_n; i++)
        cr_expect_eq(role_told(i, PHONE), ROLE_COORDINATOR, "device %zu", i);
    expect_all_the_same();
}
