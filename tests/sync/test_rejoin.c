// Joining anew: what a copied, restored or revoked phone had not delivered arrives under its new
// key, once, with everything that it refers to.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/leaks.h"
#include "tests/sync/field.h"

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 11);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(rejoin, .init = set_up, .fini = tear_down);

Test(rejoin, of_a_cloned_phone_brings_all_that_it_wrote_under_the_new_key)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 7);
    expect_work();
    expect_once("the other's");
    expect_once("before");
    cr_expect_eq(seek(world.devices_n, "a bench at the market").time, world.now);
    cr_expect_arr_eq(seek(PHONE, "no money").device, world.devices[copy].handle, HANDLE_SIZE);
    cr_expect_not(said_is_live(world.hub, world.community, &w.need.record));
    expect_no_leaks();
}

// The other branch is longer, or shorter, or none.
Test(rejoin, takes_the_other_branch_in_place_of_its_own)
{
    size_t copy = part();
    char text[40];
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "other %d", i);
        said_need(&world, PHONE, text, NULL);
    }
    network_sync(&world, PHONE);
    work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    cr_expect_eq(waiting(copy), 7, "none of it is on the hub");
    finish(copy, true);
    network_settle(&world);
    expect_work();
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "other %d", i);
        expect_once(text);
    }
}

// An edit of a record that both branches edit: what each of them said stands, side by side.
Test(rejoin, keeps_both_values_where_the_branches_edit_one_record)
{
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_again(&world, PHONE, &need, PHONE, "one branch");
    network_sync(&world, PHONE);
    said_again(&world, copy, &need, PHONE, "the other branch");
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    expect_once("one branch");
    expect_once("the other branch");
    expect_gone("before");
    expect_all_the_same();
}

// A backup was taken before the push, and the phone restored from it afterwards.
Test(rejoin, of_a_restored_phone_carries_nothing_that_was_pushed_after_all)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    work(PHONE);
    size_t backup = world_clone(&world, PHONE);
    said_need(&world, PHONE, "later", NULL);
    network_sync(&world, PHONE);
    cr_expect(network_sync(&world, backup).forked);
    world_rejoin(&world, backup, ROLE_VOLUNTEER);
    cr_expect_eq(waiting(backup), 7);
    pull_all(backup);
    cr_expect_eq(waiting(backup), 0, "all of it was there");
    cr_expect_eq(finish(backup, true), 0);
    network_settle(&world);
    expect_work();
    expect_once("later");
}

Test(rejoin, carries_only_what_lies_behind_the_place_where_the_branches_part)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    said_need(&world, PHONE, "pushed after all", NULL);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "one branch", NULL);
    network_sync(&world, PHONE);
    said_need(&world, copy, "the other branch", NULL);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    expect_once("pushed after all");
    expect_once("one branch");
    expect_once("the other branch");
    expect_all_the_same();
}

// Personal details are not given to the new key: what follows them in the chain says where they
// are.
Test(rejoin, knows_of_personal_details_that_were_pushed_by_what_follows_them)
{
    struct record_key person = said_person(1);
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    said_need(&world, PHONE, "after", NULL);
    size_t backup = world_clone(&world, PHONE);
    said_need(&world, PHONE, "later", NULL);
    network_sync(&world, PHONE);
    cr_expect(network_sync(&world, backup).forked);
    cr_expect_eq(join_anew(backup, ROLE_VOLUNTEER), 0);
    cr_expect_eq(seek(COORDINATOR, "the blue door").n, 1);
}

Test(rejoin, takes_along_what_is_written_before_all_is_pulled)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    network_sync(&world, copy);
    // Over what the old key wrote, and about what it began.
    said_again(&world, copy, &w.renamed, PHONE, "a bench by the river");
    struct record_key fourth = said_person(4);
    said_voice(&world, copy, &w.need.record, &fourth, "me too");
    pull_all(copy);
    cr_expect_eq(finish(copy, true), 9);
    network_settle(&world);
    struct record_key need = expect_once("a bench by the river");
    expect_gone("a bench at the market");
    cr_expect_eq(tally_of(&need).for_, 4);
    expect_once("me too");
    expect_once("no money");
    expect_all_the_same();
}

Test(rejoin, that_crashes_on_the_way_loses_nothing_and_says_nothing_twice)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(world.devices[copy].store, &before);
    finish(copy, false);
    world_dump(world.devices[copy].store, &after);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
    cr_expect_eq(finish(copy, true), 7);
    cr_expect_eq(finish(copy, true), 0, "once is enough");
    network_settle(&world);
    expect_work();
}

// --- at random ---

enum { ROUNDS = 60, STEPS = 40, TITLES_MAX = 200 };

struct title {
    struct world_change change;
    size_t author; // whose chain
    char text[24];
    bool replaced;
};

static struct title titles[TITLES_MAX];
static size_t titles_n;

// A new need, or another title over one that this device wrote last.
static void say(size_t device)
{
    struct title *title = &titles[titles_n];
    *title = (struct title){.author = device};
    snprintf(title->text, sizeof title->text, "title %zu", titles_n);
    size_t before = titles_n;
    while (before > 0 && (titles[before - 1].author != device || titles[before - 1].replaced))
        before--;
    if (before && dice_percent(&world.dice, 40)) {
        titles[before - 1].replaced = true;
        title->change = said_again(&world, device, &titles[before - 1].change, device, title->text);
    } else {
        title->change = said_need(&world, device, title->text, NULL);
    }
    titles_n++;
}

// What lies in both chains may be gone over by both: each has written it.
static void forget_common(size_t device, size_t copy)
{
    for (size_t i = 0; i < titles_n; i++) {
        if (titles[i].author == device || titles[i].author == copy)
            titles[i].author = SIZE_MAX;
    }
}

Test(rejoin, in_any_story_keeps_every_title_that_nobody_replaced_once, .timeout = 380)
{
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        world_close(&world);
        world_open(&world, DEVICES);
        world_begin(&world, 1000 + seed);
        titles_n = 0;
        say(PHONE);
        network_settle(&world);
        say(PHONE);
        size_t copy = world_clone(&world, PHONE);
        forget_common(PHONE, copy);
        for (size_t i = 0; i < STEPS; i++) {
            size_t device = dice_percent(&world.dice, 50) ? PHONE : copy;
            if (dice_percent(&world.dice, 80) && titles_n < TITLES_MAX) {
                say(device);
            } else if (network_sync(&world, device).forked) {
                world_rejoin(&world, device, ROLE_VOLUNTEER);
                forget_common(device, device);
                if (dice_percent(&world.dice, 50))
                    say(device);
                pull_all(device);
                finish(device, true);
                forget_common(device, device);
            }
        }
        for (size_t i = PHONE; i <= copy; i++) {
            if (network_sync(&world, i).forked)
                join_anew(i, ROLE_VOLUNTEER);
        }
        network_settle(&world);
        for (size_t i = 0; i < titles_n; i++) {
            size_t n = seek(world.devices_n, titles[i].text).n;
            cr_expect_eq(n, !titles[i].replaced, "seed %llu: \"%s\" %zu times",
                         (unsigned long long)seed, titles[i].text, n);
        }
        expect_all_the_same();
    }
    expect_no_leaks();
}
