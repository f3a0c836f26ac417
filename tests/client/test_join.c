#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

Test(join, makes_a_device_of_the_community)
{
    struct world world;
    struct folkmoot_community community;
    world_open_apart(&world, 1);
    struct phone *phone = &world.phones[0];
    cr_assert_eq(folkmoot_community_count(phone->fm), 0);
    world_join(&world, phone, ROLE_VOLUNTEER);
    cr_assert_eq(folkmoot_community_count(phone->fm), 1);
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &community), FOLKMOOT_OK);
    cr_assert_str_eq(community.name, "Marshgate");
    cr_assert_str_eq(community.address, "hub.test:7443");
    cr_assert_str_eq(community.role, "");
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &community), FOLKMOOT_OK);
    cr_assert_str_eq(community.role, "volunteer");
    cr_assert_eq(folkmoot_community_at(phone->fm, 1, &community), FOLKMOOT_NOT_FOUND);
    world_close(&world);
    expect_no_leaks();
}

Test(join, repeated_after_a_lost_answer_is_the_same_device)
{
    struct world world;
    struct folkmoot_community community;
    char link[LINK_MAX];
    world_open_apart(&world, 1);
    struct phone *phone = &world.phones[0];
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    struct hub_line line = {.loses_answer_to = "/Enrol"};
    cr_assert_eq(phone_join(phone, world.hub, link, &line), FOLKMOOT_NETWORK);
    cr_assert_eq(folkmoot_community_count(phone->fm), 0);
    // The hub has used up the invitation: only the same key may use it again. Even the store is
    // opened anew in between.
    folkmoot_close(&phone->fm);
    char path[sizeof phone->path];
    memcpy(path, phone->path, sizeof path);
    phone_open(phone, path, 999);
    cr_assert_eq(phone_join(phone, world.hub, link, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &community), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(phone, world.hub, NULL, NULL), FOLKMOOT_OK);
    world_close(&world);
}

Test(join, with_an_invitation_that_another_device_used_is_refused)
{
    struct world world;
    char link[LINK_MAX];
    world_open_apart(&world, 2);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    cr_assert_eq(phone_join(&world.phones[0], world.hub, link, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_join(&world.phones[1], world.hub, link, NULL), FOLKMOOT_REFUSED);
    cr_assert_eq(folkmoot_community_count(world.phones[1].fm), 0);
    world_close(&world);
}

Test(join, says_nothing_secret_to_a_hub_that_is_not_the_links)
{
    struct world world;
    char link[LINK_MAX];
    world_open_apart(&world, 1);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    // Another identity key in the link.
    struct link parsed;
    cr_assert_eq(link_parse(link, &parsed, NULL), OK);
    parsed.hub_key[0] ^= 1;
    struct buf other BUF_CLEANUP = {0};
    link_format(&parsed, &other);
    buf_put_u8(&other, 0);
    struct hub_line line = {.part = 0};
    cr_assert_eq(phone_join(&world.phones[0], world.hub, (const char *)other.p, &line),
                 FOLKMOOT_UNTRUSTED);
    cr_assert_eq(line.requests, 1, "Info and nothing more");
    world_close(&world);
}

Test(join, says_nothing_secret_to_somebody_who_stands_between)
{
    static const uint8_t theirs[32] = {6, 6, 6};
    struct world world;
    char link[LINK_MAX];
    world_open_apart(&world, 1);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    struct hub_line line = {.tls_key = theirs};
    cr_assert_eq(phone_join(&world.phones[0], world.hub, link, &line), FOLKMOOT_UNTRUSTED);
    cr_assert_eq(line.requests, 1);
    cr_assert_not(line.told_a_secret);
    world_close(&world);
}

// Info as the hub gave it, but for the key, which is that of somebody who stands between.
static void forge_info(struct buf *body, const uint8_t theirs[32])
{
    struct info_response info = {.version_min = 0};
    struct arena arena ARENA_CLEANUP;
    struct buf forged = {0};
    arena_init(&arena, 1 << 16);
    cr_assert_eq(message_decode(&info_response_message, buf_bytes(body), &arena, &info, NULL), OK);
    info.tls_key = bytes_of(theirs, 32);
    message_encode(&info_response_message, &info, &forged);
    buf_done(body);
    *body = forged;
}

Test(join, believes_no_key_that_the_hub_did_not_sign)
{
    static const uint8_t theirs[32] = {6, 6, 6};
    struct world world;
    char link[LINK_MAX];
    struct folkmoot_session *session;
    struct folkmoot_request request;
    struct hub_answer answer = {.status = 0};
    world_open_apart(&world, 1);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    cr_assert_eq(folkmoot_join(world.phones[0].fm, link, &session, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_session_next(session, &request), FOLKMOOT_SEND);
    hub_double_serve(world.hub, &request, &answer);
    forge_info(&answer.body, theirs);
    folkmoot_session_answer(session, 200, theirs);
    folkmoot_session_receive(session, answer.body.p, answer.body.n);
    folkmoot_session_finish(session, true);
    cr_assert_eq(folkmoot_session_next(session, &request), FOLKMOOT_FAILED);
    cr_assert_eq(folkmoot_session_error(session)->code, FOLKMOOT_UNTRUSTED);
    folkmoot_session_done(&session);
    buf_done(&answer.body);
    world_close(&world);
}

Test(join, does_not_follow_a_link_to_another_hub_for_a_community_that_it_is_in)
{
    struct world world;
    char link[LINK_MAX];
    char path[96];
    struct link parsed;
    struct link wanted;
    world_open(&world, 1);
    snprintf(path, sizeof path, "%s/other", world.path);
    struct hub_double *other = hub_double_new(path, 2, WORLD_NOW);
    hub_double_invite(world.hub, ROLE_VOLUNTEER, link);
    cr_assert_eq(link_parse(link, &wanted, NULL), OK);
    hub_double_invite(other, ROLE_VOLUNTEER, link);
    cr_assert_eq(link_parse(link, &parsed, NULL), OK);
    memcpy(parsed.community, wanted.community, sizeof parsed.community);
    struct buf forged BUF_CLEANUP = {0};
    link_format(&parsed, &forged);
    buf_put_u8(&forged, 0);
    struct hub_line line = {.part = 0};
    cr_assert_eq(phone_join(&world.phones[0], other, (const char *)forged.p, &line),
                 FOLKMOOT_UNTRUSTED);
    cr_assert_eq(line.requests, 1);
    cr_assert_eq(phone_sync(&world.phones[0], world.hub, NULL, NULL), FOLKMOOT_OK);
    hub_double_free(&other);
    world_close(&world);
}

Test(join, of_two_communities_keeps_them_apart)
{
    struct world world;
    char path[96];
    char link[LINK_MAX];
    uint8_t id[16];
    char kind[16];
    struct folkmoot_community first;
    struct folkmoot_community second;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    snprintf(path, sizeof path, "%s/other", world.path);
    struct hub_double *other = hub_double_new(path, 2, WORLD_NOW);
    hub_double_invite(other, ROLE_VOLUNTEER, link);
    cr_assert_eq(phone_join(phone, other, link, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_community_count(phone->fm), 2);
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &first), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_community_at(phone->fm, 1, &second), FOLKMOOT_OK);
    cr_assert_neq(memcmp(first.device, second.device, 12), 0, "a key of its own for each");
    cr_assert_eq(folkmoot_find(phone->fm, "a crossing", kind, id, NULL), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(phone_sync(phone, other, NULL, NULL), FOLKMOOT_OK);
    size_t written = first.written + second.written;
    cr_assert_eq(written, 1);
    cr_assert_eq(folkmoot_choose(phone->fm, first.written ? first.id : second.id), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_find(phone->fm, "a crossing", kind, id, NULL), FOLKMOOT_OK);
    hub_double_free(&other);
    world_close(&world);
}

Test(join, by_something_that_is_no_link_is_refused_at_once)
{
    struct world world;
    struct folkmoot_session *session = NULL;
    struct folkmoot_error error;
    world_open_apart(&world, 1);
    cr_assert_eq(folkmoot_join(world.phones[0].fm, "https://example.org", &session, &error),
                 FOLKMOOT_INVALID);
    cr_assert_null(session);
    cr_assert_neq(error.text[0], 0);
    cr_assert_eq(folkmoot_sync(world.phones[0].fm, &session, &error), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}
