// Who may do what, as an app sees it.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static struct world world;

static void set_up(void)
{
    world_open(&world, 2);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(trust, .init = set_up, .fini = tear_down);

static struct phone member;

static void open_member(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/member", world.path);
    phone_open(&member, path, 77);
    world_join(&world, &member, ROLE_MEMBER);
    cr_assert_eq(phone_sync(&member, world.hub, NULL, NULL), FOLKMOOT_OK);
}

Test(trust, lets_a_member_give_their_own_voice_and_says_so_of_the_rest)
{
    uint8_t need[16];
    uint8_t id[16];
    uint8_t myself[16];
    static const uint8_t other[16] = {9};
    struct folkmoot_error error;
    struct folkmoot_put put = {"title", "mine"};
    phone_add_need(&world.phones[0], "a bench", need);
    world_sync_all(&world);
    open_member();
    cr_assert_eq(folkmoot_myself(member.fm, myself, NULL), FOLKMOOT_OK);
    cr_expect_eq(folkmoot_voice(member.fm, "need", need, myself, "for", NULL, NULL, 0, &error),
                 FOLKMOOT_OK);
    cr_expect_eq(folkmoot_voice(member.fm, "need", need, other, "for", NULL, NULL, 0, &error),
                 FOLKMOOT_REFUSED);
    cr_expect(strstr(error.text, "a member may not"), "%s", error.text);
    cr_expect_eq(folkmoot_add(member.fm, "need", &put, 1, 0, id, &error), FOLKMOOT_REFUSED);
    cr_assert_eq(phone_sync(&member, world.hub, NULL, NULL), FOLKMOOT_OK);
    world_sync_all(&world);
    struct folkmoot_record record;
    cr_assert_eq(
        folkmoot_record_get(world.phones[1].fm, "need", need, FOLKMOOT_BRIEF, &record, NULL),
        FOLKMOOT_OK);
    cr_expect_eq(record.votes_for, 1);
    folkmoot_record_done(&record);
    folkmoot_close(&member.fm);
    expect_no_leaks();
}

static bool keep(const struct folkmoot_apart *apart, void *arg)
{
    struct folkmoot_apart *kept = arg;
    kept[0] = kept[1];
    kept[1] = *apart;
    return true;
}

static enum err make_member(struct hub_decider *decider, void *arg)
{
    return hub_grant(decider, NULL, arg, ROLE_MEMBER);
}

// A role that was taken away while the phone was out of reach.
Test(trust, names_own_changes_that_were_set_apart_and_why)
{
    uint8_t before[16];
    uint8_t need[16];
    struct folkmoot_apart kept[2] = {{.seq = 0}};
    struct folkmoot_community own;
    struct phone *phone = &world.phones[1];
    phone_add_need(phone, "before", before);
    world_sync_all(&world);
    phone_add_need(phone, "unsent yet", need);
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &own), FOLKMOOT_OK);
    cr_assert_eq(hub_double_decide(world.hub, make_member, own.device), OK);
    struct folkmoot_progress progress;
    cr_assert_eq(phone_sync(phone, world.hub, NULL, &progress), FOLKMOOT_OK);
    cr_expect_eq(progress.apart, 1);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_list_apart(phone->fm, keep, kept, NULL), FOLKMOOT_OK);
    cr_expect_eq(kept[0].seq, 0, "there is one");
    cr_expect_eq(kept[1].seq, 2);
    cr_expect_str_eq(kept[1].kind, "need");
    cr_expect_arr_eq(kept[1].id, need, 16);
    cr_expect(strstr(kept[1].why, "role"));
}

static enum folkmoot_code invite(struct phone *phone, const char *role, char link[LINK_MAX])
{
    struct folkmoot_session *session = NULL;
    struct folkmoot_invitation invitation = {.role = role, .label = "Tomas's phone"};
    struct folkmoot_error error;
    int64_t expires = 0;
    enum folkmoot_code code = folkmoot_invite(phone->fm, &invitation, &session, &error);
    if (code)
        return code;
    cr_expect_null(folkmoot_session_link(session, &expires));
    enum folkmoot_next next = hub_double_run(world.hub, session, NULL);
    code = folkmoot_session_error(session)->code;
    cr_expect_eq(next == FOLKMOOT_DONE, code == FOLKMOOT_OK);
    const char *made = folkmoot_session_link(session, &expires);
    cr_expect_eq(made != NULL, code == FOLKMOOT_OK);
    if (made) {
        cr_expect_gt(expires, WORLD_NOW);
        snprintf(link, LINK_MAX, "%s", made);
    }
    folkmoot_session_done(&session);
    return code;
}

Test(trust, lets_a_coordinator_invite_by_a_link_that_works)
{
    char link[LINK_MAX];
    char path[96];
    struct phone fresh;
    world_sync_all(&world);
    hub_double_forget_tokens(world.hub); // it logs in on the way
    cr_assert_eq(invite(&world.phones[0], "volunteer", link), FOLKMOOT_OK);
    snprintf(path, sizeof path, "%s/fresh", world.path);
    phone_open(&fresh, path, 78);
    cr_assert_eq(phone_join(&fresh, world.hub, link, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&fresh, world.hub, NULL, NULL), FOLKMOOT_OK);
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(fresh.fm, 0, &community), FOLKMOOT_OK);
    cr_expect_str_eq(community.role, "volunteer");
    folkmoot_close(&fresh.fm);
    cr_expect_eq(invite(&world.phones[0], "hub", link), FOLKMOOT_INVALID);
    cr_expect_eq(invite(&world.phones[0], "boss", link), FOLKMOOT_INVALID);
    expect_no_leaks();
}

Test(trust, lets_nobody_else_invite)
{
    char link[LINK_MAX];
    cr_expect_eq(invite(&world.phones[1], "volunteer", link), FOLKMOOT_REFUSED, "the hub says so");
    world_sync_all(&world);
    cr_expect_eq(invite(&world.phones[1], "volunteer", link), FOLKMOOT_REFUSED, "it knows itself");
}

static enum err make_observer(struct hub_decider *decider, void *arg)
{
    return hub_grant(decider, NULL, arg, ROLE_OBSERVER);
}

Test(trust, leaves_a_coordinator_who_observes_from_now_on_nobodys_personal_details)
{
    uint8_t id[16];
    struct phone *coordinator = &world.phones[0];
    struct folkmoot_put contact[] = {{"name", "Asha"}, {"telephone", "123"}};
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_add(world.phones[1].fm, "contact", contact, 2, 0, id, NULL), FOLKMOOT_OK);
    phone_add_need(&world.phones[1], "a bench", id);
    world_sync_all(&world);
    cr_expect_eq(phone_count(coordinator, "contact"), 1);
    cr_assert_eq(folkmoot_community_at(coordinator->fm, 0, &community), FOLKMOOT_OK);
    cr_assert_eq(hub_double_decide(world.hub, make_observer, community.device), OK);
    phone_add_need(coordinator, "not sent", id);
    cr_assert_eq(phone_sync(coordinator, world.hub, NULL, NULL), FOLKMOOT_REFUSED);
    cr_expect_eq(phone_count(coordinator, "contact"), 0, "it has gone from the phone");
    cr_expect_eq(phone_count(coordinator, "need"), 2,
                 "what anybody may see, and what is its own, stays");
    cr_assert_eq(folkmoot_community_at(coordinator->fm, 0, &community), FOLKMOOT_OK);
    cr_expect_str_eq(community.role, "observer");
    cr_assert_eq(phone_sync(coordinator, world.hub, NULL, NULL), FOLKMOOT_REFUSED);
    cr_expect_eq(phone_count(&world.phones[1], "contact"), 1);
    expect_no_leaks();
}
