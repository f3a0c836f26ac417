// Invitations that a coordinator makes over the line, and what becomes of their codes.

#include <stdio.h>
#include <string.h>

#include "client/link.h"
#include "storage/device.h"
#include "storage/invitation.h"
#include "sync/digest.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

enum { MINUTE_MS = 60000, WEEK_MS = 7 * 24 * 60 * MINUTE_MS };

// --- inviting ---

// What the hub says to an Invite. invited: out, when it is answered.
static void ask(const struct peer *peer, const struct invite_request *request, struct arena *arena,
                struct invite_response *invited, struct post_answer *answer)
{
    *invited = (struct invite_response){.expires = 0};
    peer_call(&(struct peer_call){.port = peer->port,
                                  .path = "/folkmoot.v1.EnrolService/Invite",
                                  .token = peer->token,
                                  .asked = &invite_request_message,
                                  .request = request,
                                  .told = &invite_response_message},
              arena, invited, answer);
}

static void check_refused(const struct peer *peer, const struct invite_request *request,
                          long status, const char *code)
{
    struct arena arena ARENA_CLEANUP;
    struct invite_response invited;
    struct post_answer answer;
    arena_init(&arena, 1 << 20);
    ask(peer, request, &arena, &invited, &answer);
    CHECK(answer.status == status && strcmp(answer.code, code) == 0, "Invite: %ld %s %s",
          answer.status, answer.code, answer.message);
    CHECK(answer.message[0], "a sentence says why");
    post_done(&answer);
}

// A link with this code, as the coordinator's phone makes it of what it knows of its own hub.
static void make_link(struct hall *hall, struct bytes code, char text[HUB_LINK_BYTES])
{
    struct link link;
    struct fault fault = {0};
    struct buf made = {0};
    hub_invite(&hall->hub, "volunteer", text);
    CHECK(link_parse(text, &link, &fault) == OK, "%s", fault.text);
    CHECK(code.n == sizeof link.code, "a code of %zu bytes", code.n);
    memcpy(link.code, code.p, code.n);
    link_format(&link, &made);
    CHECK(!made.err && made.n < HUB_LINK_BYTES, "the link's text");
    memcpy(text, made.p, made.n);
    text[made.n] = '\0';
    buf_done(&made);
}

static void invite(struct hall *hall, const struct invite_request *request,
                   char link[HUB_LINK_BYTES])
{
    struct arena arena ARENA_CLEANUP;
    struct invite_response invited;
    struct post_answer answer;
    arena_init(&arena, 1 << 20);
    ask(&hall->coordinator, request, &arena, &invited, &answer);
    CHECK(answer.status == 200, "Invite: %ld %s", answer.status, answer.message);
    make_link(hall, invited.code, link);
    post_done(&answer);
}

// --- enrolling ---

static void check_admitted(struct hall *hall, const char *link, struct peer *peer)
{
    struct post_answer answer;
    peer_try_enrol(peer, hall->hub.port, link, NULL, &answer);
    CHECK(answer.status == 200, "Enrol: %ld %s", answer.status, answer.message);
    hall_check_me(peer, 200, "");
    post_done(&answer);
}

static void check_turned_away(struct hall *hall, const char *link)
{
    struct post_answer answer;
    struct peer peer;
    peer_try_enrol(&peer, hall->hub.port, link, NULL, &answer);
    CHECK(answer.status == 403 && strcmp(answer.code, "permission_denied") == 0, "Enrol: %ld %s",
          answer.status, answer.code);
    CHECK(strstr(answer.message, "ask for a new one"), "%s", answer.message);
    post_done(&answer);
}

static size_t devices(struct hall *hall)
{
    cJSON *told = hall_ctl(hall, (const char *[]){"devices", "COMMUNITY", NULL});
    int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(told, "devices"));
    cJSON_Delete(told);
    return (size_t)n;
}

// --- what is promised ---

static void a_coordinators_invitation_admits_one_device_with_its_role_and_label(void)
{
    struct hall hall;
    struct peer zoe;
    char link[HUB_LINK_BYTES];
    hall_open(&hall, "");
    invite(&hall,
           &(struct invite_request){.role = ROLE_MEMBER, .label = bytes_of_text("Zoe's phone")},
           link);
    check_admitted(&hall, link, &zoe);
    cJSON *device = hall_device(&hall, &zoe);
    CHECK(strcmp(hall_text(device, "role"), "member") == 0, "%s", hall_text(device, "role"));
    CHECK(strcmp(hall_text(device, "label"), "Zoe's phone") == 0, "%s", hall_text(device, "label"));
    size_t before = devices(&hall);
    check_turned_away(&hall, link);
    CHECK(devices(&hall) == before, "nobody came in");
    cJSON_Delete(device);
    hall_close(&hall);
}

static void an_invitation_for_several_admits_so_many(void)
{
    struct hall hall;
    struct peer peer;
    char link[HUB_LINK_BYTES];
    hall_open(&hall, "");
    invite(&hall, &(struct invite_request){.role = ROLE_VOLUNTEER, .uses = 3}, link);
    for (int i = 0; i < 3; i++)
        check_admitted(&hall, link, &peer);
    check_turned_away(&hall, link);
    hall_close(&hall);
}

static void it_is_good_for_a_week_or_as_long_as_it_says(void)
{
    struct hall hall;
    struct arena arena ARENA_CLEANUP;
    struct invite_response week, minute;
    struct post_answer answer;
    arena_init(&arena, 1 << 20);
    hall_open(&hall, "");
    ask(&hall.coordinator, &(struct invite_request){.role = ROLE_MEMBER, .valid = MINUTE_MS},
        &arena, &minute, &answer);
    post_done(&answer);
    ask(&hall.coordinator, &(struct invite_request){.role = ROLE_MEMBER}, &arena, &week, &answer);
    post_done(&answer);
    CHECK(week.code.n == CODE_SIZE && minute.code.n == CODE_SIZE &&
              !bytes_equal(week.code, minute.code),
          "two codes");
    // The second was asked for after the first.
    CHECK(week.expires - minute.expires >= WEEK_MS - MINUTE_MS, "a week");
    hall_close(&hall);
}

static void whoever_is_no_coordinator_is_refused(void)
{
    const struct invite_request request = {.role = ROLE_MEMBER};
    struct hall hall;
    struct peer member, observer, nobody;
    hall_open(&hall, "");
    hall_enrol(&hall, &member, "member", "Mia");
    hall_enrol(&hall, &observer, "observer", "Oda");
    nobody = hall.ann;
    nobody.token[0] = nobody.token[0] == 'A' ? 'B' : 'A';
    check_refused(&hall.ann, &request, 403, "permission_denied");
    check_refused(&member, &request, 403, "permission_denied");
    check_refused(&observer, &request, 403, "permission_denied");
    check_refused(&nobody, &request, 401, "unauthenticated");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", "Office", "volunteer", NULL});
    check_refused(&hall.coordinator, &request, 403, "permission_denied");
    hall_do(&hall, (const char *[]){"revoke", "COMMUNITY", "Office", NULL});
    check_refused(&hall.coordinator, &request, 401, "unauthenticated");
    peer_login(&hall.coordinator);
    check_refused(&hall.coordinator, &request, 403, "permission_denied");
    hall_close(&hall);
}

static void what_no_invitation_can_be_is_refused(void)
{
    struct hall hall;
    char label[LABEL_MAX + 2];
    struct invite_request request = {.role = ROLE_MEMBER};
    memset(label, 'x', sizeof label);
    hall_open(&hall, "");
    const struct peer *peer = &hall.coordinator;
    check_refused(peer, &(struct invite_request){.role = ROLE_NONE}, 400, "invalid_argument");
    check_refused(peer, &(struct invite_request){.role = ROLE_HUB}, 400, "invalid_argument");
    check_refused(peer, &(struct invite_request){.role = 99}, 400, "invalid_argument");
    request.label = bytes_of(label, LABEL_MAX + 1);
    check_refused(peer, &request, 429, "resource_exhausted");
    request.label = bytes_of_text("\xff");
    check_refused(peer, &request, 400, "invalid_argument");
    check_refused(peer, &(struct invite_request){.role = ROLE_MEMBER, .uses = 1001}, 429,
                  "resource_exhausted");
    check_refused(peer, &(struct invite_request){.role = ROLE_MEMBER, .valid = MINUTE_MS - 1}, 429,
                  "resource_exhausted");
    check_refused(peer, &(struct invite_request){.role = ROLE_MEMBER, .valid = -1}, 429,
                  "resource_exhausted");
    check_refused(peer, &(struct invite_request){.role = ROLE_MEMBER, .valid = INT64_MAX}, 429,
                  "resource_exhausted");
    hall_close(&hall);
}

// --- codes that admit nobody ---

static void let_it_expire(struct txn *txn, uint32_t community, void *arg)
{
    struct link link;
    struct fault fault = {0};
    struct invitation invitation;
    uint8_t hash[HASH_SIZE];
    CHECK(link_parse(arg, &link, &fault) == OK, "%s", fault.text);
    digest_invitation(link.code, hash);
    CHECK(invitation_get(txn, hash, &invitation) == OK && invitation.community == community,
          "it is kept by its code's hash");
    invitation.expires -= (int64_t)WEEK_MS + 1;
    invitation_put(txn, hash, &invitation);
}

static void an_expired_and_an_unknown_code_and_one_of_others_are_refused_alike(void)
{
    static const uint8_t guess[CODE_SIZE] = "0123456789abcde";
    struct hall hall;
    struct link link;
    struct fault fault = {0};
    char expired[HUB_LINK_BYTES], unknown[HUB_LINK_BYTES], foreign[HUB_LINK_BYTES];
    hall_open(&hall, "");
    invite(&hall, &(struct invite_request){.role = ROLE_MEMBER}, expired);
    hall_edit(&hall, let_it_expire, expired);
    make_link(&hall, BYTES(guess), unknown);
    hall_do(&hall, (const char *[]){"community", "create", "Elsewhere", NULL});
    cJSON *told = hall_ctl(&hall, (const char *[]){"invite", "Elsewhere", NULL});
    CHECK(link_parse(hall_text(told, "link"), &link, &fault) == OK, "%s", fault.text);
    make_link(&hall, BYTES(link.code), foreign);
    check_turned_away(&hall, expired);
    check_turned_away(&hall, unknown);
    check_turned_away(&hall, foreign);
    cJSON_Delete(told);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_coordinators_invitation_admits_one_device_with_its_role_and_label",
         a_coordinators_invitation_admits_one_device_with_its_role_and_label},
        {"an_invitation_for_several_admits_so_many", an_invitation_for_several_admits_so_many},
        {"it_is_good_for_a_week_or_as_long_as_it_says",
         it_is_good_for_a_week_or_as_long_as_it_says},
        {"whoever_is_no_coordinator_is_refused", whoever_is_no_coordinator_is_refused},
        {"what_no_invitation_can_be_is_refused", what_no_invitation_can_be_is_refused},
        {"an_expired_and_an_unknown_code_and_one_of_others_are_refused_alike",
         an_expired_and_an_unknown_code_and_one_of_others_are_refused_alike},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
