// A phone that is a copy, was restored, or was revoked joins anew by a new link, in its own store.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static struct world world;
static struct phone copy;
static struct folkmoot_progress progress;

static void set_up(void)
{
    world_open(&world, 2);
}

static void tear_down(void)
{
    folkmoot_close(&copy.fm);
    world_close(&world);
}

TestSuite(rejoin, .init = set_up, .fini = tear_down);

static struct phone *phone(void)
{
    return &world.phones[1];
}

static struct folkmoot_community community_of(struct phone *of)
{
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(of->fm, 0, &community), FOLKMOOT_OK);
    return community;
}

static bool has(struct phone *where, const char *title, uint8_t id[16])
{
    char kind[16];
    return folkmoot_find(where->fm, title, kind, id, NULL) == FOLKMOOT_OK;
}

static void sync(struct phone *with)
{
    cr_assert_eq(phone_sync(with, world.hub, NULL, &progress), FOLKMOOT_OK);
}

// The copy writes a need with two voices, an edit of it and a constraint about it.
static void work(struct phone *with, uint8_t need[16])
{
    static const uint8_t people[2][16] = {{1}, {2}};
    uint8_t constraint[16];
    char about[64] = "need:";
    phone_add_need(with, "a bench", need);
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(
            folkmoot_voice(with->fm, "need", need, people[i], "for", "to rest", "en", 0, NULL),
            FOLKMOOT_OK);
    cr_assert_eq(phone_put(with, "need", need, "title", "a bench at the market"), FOLKMOOT_OK);
    for (size_t i = 0; i < 16; i++)
        snprintf(about + 5 + 2 * i, 3, "%02x", need[i]);
    struct folkmoot_put puts[] = {{"about", about}, {"title", "no money"}};
    cr_assert_eq(folkmoot_add(with->fm, "constraint", puts, 2, 0, constraint, NULL), FOLKMOOT_OK);
}

// The phone and its copy part; the phone is first.
static void part(uint8_t need[16])
{
    uint8_t id[16];
    phone_add_need(phone(), "before", id);
    sync(phone());
    phone_clone(&world, phone(), &copy);
    phone_add_need(phone(), "the other's", id);
    sync(phone());
    work(&copy, need);
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, NULL), FOLKMOOT_FORKED);
}

static void expect_work(struct phone *where)
{
    struct folkmoot_record record;
    uint8_t need[16];
    uint8_t constraint[16];
    cr_assert(has(where, "a bench at the market", need));
    cr_assert_not(has(where, "a bench", constraint));
    cr_assert(has(where, "no money", constraint));
    cr_assert_eq(folkmoot_record_get(where->fm, "need", need, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_expect_eq(record.votes_for, 2);
    cr_expect_eq(record.voices_n, 2);
    cr_assert_eq(record.from_n, 1);
    cr_expect_arr_eq(record.from[0].id, constraint, 16);
    folkmoot_record_done(&record);
}

Test(rejoin, of_a_cloned_phone_carries_its_work_to_everybody)
{
    uint8_t old[16];
    uint8_t id[16];
    part(old);
    cr_expect_eq(community_of(&copy).unsent, 5);
    world_join(&world, &copy, ROLE_VOLUNTEER);
    cr_expect_eq(community_of(&copy).carried, 5);
    cr_expect_eq(community_of(&copy).unsent, 5);
    cr_expect_not(community_of(&copy).forked);
    expect_work(&copy); // nothing is lost from sight meanwhile
    sync(&copy);
    cr_expect_eq(progress.carried, 5);
    cr_expect_eq(progress.pushed, 5);
    cr_expect_eq(community_of(&copy).unsent, 0);
    cr_expect_eq(community_of(&copy).carried, 0);
    sync(&copy);
    cr_expect_eq(progress.carried, 0);
    sync(phone());
    sync(&world.phones[0]);
    expect_work(&copy);
    expect_work(phone());
    expect_work(&world.phones[0]);
    cr_expect(has(&copy, "the other's", id));
    cr_expect_not(progress.alarm);
    expect_no_leaks();
}

Test(rejoin, of_a_restored_phone_carries_nothing_that_was_pushed)
{
    uint8_t need[16];
    uint8_t id[16];
    work(phone(), need);
    phone_clone(&world, phone(), &copy);
    phone_add_need(phone(), "later", id);
    sync(phone());
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, &progress), FOLKMOOT_FORKED);
    cr_expect_eq(community_of(&copy).unsent, 0, "it has asked how much of it the hub has");
    world_join(&world, &copy, ROLE_VOLUNTEER);
    sync(&copy);
    cr_expect_eq(progress.carried, 0);
    cr_expect_eq(progress.pushed, 0);
    expect_work(&copy);
    cr_expect(has(&copy, "later", id));
}

// What a volunteer wrote of somebody's details is not given to the new key, so it cannot tell by
// what it pulls.
Test(rejoin, carries_no_personal_details_that_were_pushed)
{
    uint8_t id[16];
    uint8_t need[16];
    struct folkmoot_put contact[] = {{"name", "Asha"}, {"telephone", "123"}};
    work(phone(), need);
    cr_assert_eq(folkmoot_add(phone()->fm, "contact", contact, 2, 0, id, NULL), FOLKMOOT_OK);
    phone_clone(&world, phone(), &copy);
    for (size_t i = 0; i < 4; i++)
        phone_add_need(phone(), "one branch", id);
    sync(phone());
    phone_add_need(&copy, "the other branch", id);
    phone_add_need(&copy, "and more", id);
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, &progress), FOLKMOOT_FORKED);
    cr_expect_eq(community_of(&copy).unsent, 2);
    cr_expect_leq(progress.requests, 6, "it halves what it does not know");
    world_join(&world, &copy, ROLE_VOLUNTEER);
    sync(&copy);
    cr_expect_eq(progress.carried, 2);
    sync(&world.phones[0]);
    cr_expect_eq(phone_count(&world.phones[0], "contact"), 1);
    cr_expect_eq(phone_count(&world.phones[0], "need"), 7);
}

Test(rejoin, whose_sync_breaks_at_any_byte_loses_nothing_and_says_nothing_twice)
{
    uint8_t need[16];
    part(need);
    world_join(&world, &copy, ROLE_VOLUNTEER);
    size_t tries = 0;
    for (size_t cut = 40;; cut += 60, tries++) {
        struct hub_line line = {.cuts = true, .cut_at = cut, .part = 50};
        enum folkmoot_code code = phone_sync(&copy, world.hub, &line, NULL);
        if (code == FOLKMOOT_OK)
            break;
        cr_assert_eq(code, FOLKMOOT_NETWORK);
    }
    cr_expect_gt(tries, 2);
    sync(phone());
    expect_work(&copy);
    expect_work(phone());
    cr_expect_eq(community_of(&copy).written, 5);
}

Test(rejoin, by_a_link_that_is_worth_nothing_leaves_all_to_be_read_and_joined_again)
{
    uint8_t need[16];
    char link[LINK_MAX];
    part(need);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    cr_assert_eq(phone_join(&world.phones[0], world.hub, link, NULL), FOLKMOOT_OK); // uses it up
    cr_assert_eq(phone_join(&copy, world.hub, link, NULL), FOLKMOOT_REFUSED);
    cr_assert_eq(folkmoot_community_count(copy.fm), 1);
    expect_work(&copy);
    cr_assert_eq(phone_sync(&copy, world.hub, NULL, NULL), FOLKMOOT_REFUSED);
    world_join(&world, &copy, ROLE_VOLUNTEER);
    sync(&copy);
    cr_expect_eq(progress.carried, 5);
    sync(phone());
    expect_work(phone());
}

Test(rejoin, of_a_phone_that_did_not_hear_that_it_was_revoked_brings_all_along)
{
    uint8_t id[16];
    uint8_t old[12];
    char used[LINK_MAX];
    memcpy(old, community_of(phone()).device, sizeof old);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, used);
    cr_assert_eq(phone_join(phone(), world.hub, used, NULL), FOLKMOOT_OK);
    sync(phone());
    phone_add_need(phone(), "not sent yet", id);
    hub_double_revoke(world.hub, old);
    cr_expect_eq(phone_join(phone(), world.hub, used, NULL), FOLKMOOT_REFUSED, "it is used");
    cr_expect_arr_eq(community_of(phone()).device, old, 12, "and worth no new key");
    world_join(&world, phone(), ROLE_VOLUNTEER);
    cr_expect_arr_neq(community_of(phone()).device, old, 12);
    cr_expect_not(community_of(phone()).revoked);
    sync(phone());
    cr_expect_eq(progress.carried, 1);
    sync(&world.phones[0]);
    cr_expect(has(&world.phones[0], "not sent yet", id));
}

Test(rejoin, of_a_revoked_phone_has_delivered_before_and_is_let_in_again_by_a_new_key)
{
    uint8_t id[16];
    uint8_t old[12];
    struct folkmoot_community community = community_of(phone());
    memcpy(old, community.device, sizeof old);
    sync(phone());
    hub_double_revoke(world.hub, old);
    phone_add_need(phone(), "written before it knew", id);
    cr_assert_eq(phone_sync(phone(), world.hub, NULL, &progress), FOLKMOOT_REFUSED);
    cr_expect_eq(progress.pushed, 1);
    cr_expect_eq(progress.apart, 1);
    cr_expect(community_of(phone()).revoked);
    cr_expect_eq(community_of(phone()).unsent, 0);
    phone_add_need(phone(), "written after it knew", id);
    world_join(&world, phone(), ROLE_VOLUNTEER);
    cr_expect_not(community_of(phone()).revoked);
    cr_expect_arr_neq(community_of(phone()).device, old, 12);
    sync(phone());
    cr_expect_eq(progress.carried, 1, "what was delivered is kept for a coordinator");
    sync(&world.phones[0]);
    cr_expect(has(&world.phones[0], "written after it knew", id));
    cr_expect_not(has(&world.phones[0], "written before it knew", id));
}

static void who(struct phone *of, uint8_t person[16])
{
    cr_assert_eq(folkmoot_myself(of->fm, person, NULL), FOLKMOOT_OK);
}

// before: the person that they were; link: by which the copy may join anew.
static void part_as_member(uint8_t before[16], char link[LINK_MAX])
{
    uint8_t id[16];
    part(id);
    who(phone(), before);
    hub_double_invite(world.hub, ROLE_MEMBER, link);
}

// Offline, at once, and though the answer that says so was lost.
Test(rejoin, leaves_whoever_speaks_the_person_that_they_were)
{
    uint8_t before[16];
    uint8_t after[16];
    char link[LINK_MAX];
    part_as_member(before, link);
    struct hub_line line = {.loses_answer_to = "/Enrol"};
    cr_assert_eq(phone_join(&copy, world.hub, link, &line), FOLKMOOT_NETWORK);
    cr_assert_eq(phone_join(&copy, world.hub, link, NULL), FOLKMOOT_OK);
    who(&copy, after);
    cr_expect_arr_eq(after, before, 16);
    sync(&copy);
    who(&copy, after);
    cr_expect_arr_eq(after, before, 16);
    expect_no_leaks();
}

// And however often it takes until the hub hears of it.
Test(rejoin, by_a_second_link_leaves_the_person_too)
{
    uint8_t before[16];
    uint8_t after[16];
    char link[LINK_MAX];
    part_as_member(before, link);
    struct hub_line line = {.loses_requests = true};
    cr_assert_eq(phone_join(&copy, world.hub, link, &line), FOLKMOOT_NETWORK);
    world_join(&world, &copy, ROLE_MEMBER);
    who(&copy, after);
    cr_expect_arr_eq(after, before, 16);
}
