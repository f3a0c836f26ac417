// What an administrator does about who may do what, with folkmootctl and a running hub.

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/role.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

static void check_device(struct hall *hall, const struct peer *peer, const char *role, int apart)
{
    cJSON *device = hall_device(hall, peer);
    CHECK(strcmp(hall_text(device, "role"), role) == 0, "the role is %s",
          hall_text(device, "role"));
    CHECK(hall_number(device, "apart") == apart, "%.0f are apart", hall_number(device, "apart"));
    cJSON_Delete(device);
}

// --- roles and revocation ---

static void another_role_holds_from_the_next_call_on(void)
{
    struct hall hall;
    struct post_answer answer;
    struct buf request = {0};
    hall_open(&hall, "");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", "Ann", "observer", NULL});
    check_device(&hall, &hall.ann, "observer", 0);
    check_device(&hall, &hall.ben, "volunteer", 0);
    peer_request(&hall.ann, NULL, 0, NULL, &request, NULL);
    peer_send(&hall.ann, buf_bytes(&request), &answer);
    CHECK(answer.status == 403 && strstr(answer.message, "observer"), "%ld %s", answer.status,
          answer.message);
    post_done(&answer);
    hall_check_me(&hall.ann, 200, "");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", hall_hex(&hall.ann), "volunteer", NULL});
    hall_push_need(&hall.ann, "heard again");
    buf_done(&request);
    hall_close(&hall);
}

// The seqs that a push's receipt names as set apart.
static size_t push_late(struct peer *peer, const char *title)
{
    struct arena arena ARENA_CLEANUP;
    struct buf fields = {0}, request = {0};
    struct post_answer answer;
    struct sync_response response = {0};
    struct fault fault = {0};
    struct peer after;
    arena_init(&arena, 4 << 20);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(peer, &change, 1, NULL, &request, &after);
    peer_send(peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 200, "%ld %s", answer.status, answer.message);
    CHECK(message_decode(&sync_response_message, buf_bytes(&answer.body), &arena, &response,
                         &fault) == OK,
          "%s", fault.text);
    CHECK(response.receipts.n == 1 && response.pieces.n == 0, "a receipt, and nothing of others");
    *peer = after;
    buf_done(&fields);
    buf_done(&request);
    post_done(&answer);
    return LIST_AT(struct receipt, response.receipts, 0)->set_apart.n;
}

static void check_apart(struct hall *hall, const struct peer *peer, uint32_t seq)
{
    cJSON *told = hall_ctl(hall, (const char *[]){"apart", "COMMUNITY", NULL});
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(told, "apart");
    const cJSON *item = cJSON_GetArrayItem(list, 0);
    CHECK(cJSON_GetArraySize(list) == (seq ? 1 : 0), "%d are apart", cJSON_GetArraySize(list));
    CHECK(!seq ||
              (strcmp(hall_text(item, "device"), hall_hex(peer)) == 0 &&
               hall_number(item, "seq") == seq && strcmp(hall_text(item, "kind"), "need") == 0 &&
               strcmp(hall_text(item, "reason"), "the device was revoked") == 0),
          "not this one");
    cJSON_Delete(told);
}

static void what_a_revoked_device_delivers_waits_until_it_is_released(void)
{
    struct hall hall;
    char digits[7] = "";
    hall_open(&hall, "");
    hall_push_need(&hall.ann, "before");
    (void)snprintf(digits, sizeof digits, "%s", hall_hex(&hall.ann));
    hall_do(&hall, (const char *[]){"revoke", "COMMUNITY", digits, NULL});
    check_device(&hall, &hall.ann, "revoked", 0);
    hall_check_me(&hall.ann, 401, "unauthenticated");
    peer_login(&hall.ann);
    hall_check_me(&hall.ann, 403, "permission_denied");
    CHECK(push_late(&hall.ann, "after") == 1, "it is set apart");
    check_apart(&hall, &hall.ann, 2);
    check_device(&hall, &hall.ann, "revoked", 1);
    hall_do(&hall, (const char *[]){"reinstate", "COMMUNITY", "Ann", NULL});
    check_device(&hall, &hall.ann, "volunteer", 1);
    hall_check_me(&hall.ann, 200, "");
    cJSON *told = hall_ctl(&hall, (const char *[]){"release", "COMMUNITY", "Ann", NULL});
    CHECK(hall_number(told, "count") == 1, "one is released");
    check_apart(&hall, &hall.ann, 0);
    check_device(&hall, &hall.ann, "volunteer", 0);
    cJSON_Delete(told);
    hall_close(&hall);
}

static double released(struct hall *hall, const char *change)
{
    cJSON *told =
        hall_ctl(hall, (const char *[]){"release", "COMMUNITY", "--change", change, NULL});
    double n = hall_number(told, "count");
    cJSON_Delete(told);
    return n;
}

static void one_change_is_released_also_of_what_the_role_did_not_allow(void)
{
    struct hall hall;
    hall_open(&hall, "");
    hall_do(&hall, (const char *[]){"role", "COMMUNITY", "Ann", "member", NULL});
    hall_push_need(&hall.ann, "not a member's to say");
    hall_push_need(&hall.ann, "nor this");
    check_device(&hall, &hall.ann, "member", 2);
    CHECK(released(&hall, "Ann:2") == 1, "the second");
    check_device(&hall, &hall.ann, "member", 1);
    CHECK(released(&hall, "Ann:2") == 0, "it is in effect");
    cJSON *told = hall_ctl(&hall, (const char *[]){"release", "COMMUNITY", "Ann", NULL});
    CHECK(hall_number(told, "count") == 0, "no revocation set the other one apart");
    check_device(&hall, &hall.ann, "member", 1);
    CHECK(hall_has_said(&hall, "1 changes that were set apart take effect"), "a line of the log");
    cJSON_Delete(told);
    hall_close(&hall);
}

static void check_refused(struct hall *hall, int status, const char *why, const char *const *words)
{
    char *text = hall_refused(hall, status, words);
    CHECK(strstr(text, why), "folkmootctl %s says: %s", words[0], text);
    free(text);
}

static void what_is_not_clear_is_refused(void)
{
    struct hall hall;
    struct peer twin;
    hall_open(&hall, "");
    hall_enrol(&hall, &twin, "volunteer", "Ann");
    check_refused(&hall, 1, "several devices",
                  (const char *[]){"revoke", "COMMUNITY", "Ann", NULL});
    check_refused(&hall, 1, "no such device", (const char *[]){"revoke", "COMMUNITY", "Zoe", NULL});
    check_refused(&hall, 1, "no such device", (const char *[]){"revoke", "COMMUNITY", "", NULL});
    check_refused(&hall, 1, "no such community", (const char *[]){"apart", "Nowhere", NULL});
    check_refused(&hall, 1, "the role is",
                  (const char *[]){"role", "COMMUNITY", "Ben", "king", NULL});
    check_refused(&hall, 1, "the role is",
                  (const char *[]){"role", "COMMUNITY", "Ben", "hub", NULL});
    check_refused(&hall, 1, "not revoked", (const char *[]){"reinstate", "COMMUNITY", "Ben", NULL});
    check_refused(&hall, 1, "no such device", (const char *[]){"release", "COMMUNITY", NULL});
    check_refused(&hall, 1, "a seq is",
                  (const char *[]){"release", "COMMUNITY", "--change", "Ben:0", NULL});
    check_refused(&hall, 1, "KIND:ID",
                  (const char *[]){"erase", "COMMUNITY", "--record", "need:12", NULL});
    check_refused(&hall, 1, "no such change",
                  (const char *[]){"erase", "COMMUNITY", "--change", "Ben:7", NULL});
    check_refused(&hall, 1, "either a record", (const char *[]){"erase", "COMMUNITY", NULL});
    check_refused(&hall, 1, "1 to 1000 devices",
                  (const char *[]){"invite", "COMMUNITY", "--uses", "0", NULL});
    check_refused(&hall, 2, "", (const char *[]){"audit", "COMMUNITY", "--since", "tuesday", NULL});
    check_refused(&hall, 2, "", (const char *[]){"role", "COMMUNITY", "Ben", NULL});
    check_device(&hall, &hall.ben, "volunteer", 0);
    check_device(&hall, &twin, "volunteer", 0);
    hall_close(&hall);
}

// --- erasing ---

static double erased(struct hall *hall, const char *how, const char *what)
{
    cJSON *told = hall_ctl(hall, (const char *[]){"erase", "COMMUNITY", how, what, NULL});
    double n = hall_number(told, "count");
    cJSON_Delete(told);
    return n;
}

static void last_record(const struct peer *peer, char text[64])
{
    char hex[2 * ID_SIZE + 1];
    uint8_t id[ID_SIZE];
    peer_last_id(peer, id);
    text_hex(BYTES(id), hex);
    (void)snprintf(text, 64, "need:%s", hex);
}

static void words_are_erased_by_record_and_by_change_and_once(void)
{
    struct hall hall;
    char record[64], change[64];
    hall_open(&hall, "");
    hall_push_need(&hall.ann, "the first");
    last_record(&hall.ann, record);
    hall_push_need(&hall.ann, "the second");
    (void)snprintf(change, sizeof change, "Ann:%u", hall.ann.seq);
    CHECK(erased(&hall, "--record", record) == 1, "a record");
    CHECK(erased(&hall, "--record", record) == 0, "again");
    CHECK(erased(&hall, "--change", change) == 1, "a change");
    CHECK(erased(&hall, "--change", change) == 0, "again");
    CHECK(hall_has_said(&hall, "the words of 1 changes were erased"), "a line of the log");
    hall_close(&hall);
}

static void all_that_a_person_said_is_erased(void)
{
    static const uint8_t person[ID_SIZE] = "somebody";
    struct hall hall;
    char hex[2 * ID_SIZE + 1];
    struct buf fields = {0};
    hall_open(&hall, "");
    wire_put_bytes(&fields, FIELD_SPEAKER, BYTES(person));
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("what somebody needs"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_push(&hall.ann, &change, 1);
    hall_push_need(&hall.ann, "somebody else's");
    text_hex(BYTES(person), hex);
    CHECK(erased(&hall, "--person", hex) == 1, "what they said, and nothing else");
    buf_done(&fields);
    hall_close(&hall);
}

// --- the table of roles ---

static const cJSON *cell_of(const cJSON *answer, const char *table, const char *row)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(answer, table), row);
}

static void who_may_shows_the_table_that_is_followed(void)
{
    struct hall hall;
    hall_open(&hall, "");
    cJSON *all = hall_ctl(&hall, (const char *[]){"who-may", NULL});
    for (int role = ROLE_NONE; role < ROLE_COUNT; role++) {
        const char *name = role_name((enum role)role);
        for (int call = 0; call < CALL_COUNT; call++)
            CHECK(
                strcmp(hall_text(cell_of(all, "call", role_call_name((enum role_call)call)), name),
                       role_reach_name(role_may_call((enum role)role, (enum role_call)call))) == 0,
                "%s", name);
        for (uint32_t kind = 1; schema_kind(kind); kind++)
            CHECK(strcmp(hall_text(cell_of(all, "write", schema_kind(kind)->name), name),
                         role_reach_name(role_may_write((enum role)role, kind))) == 0,
                  "%s %s", name, schema_kind(kind)->name);
    }
    CHECK(strcmp(hall_text(cell_of(all, "see", "contact"), "volunteer"), "own") == 0, "contacts");
    cJSON *one = hall_ctl(&hall, (const char *[]){"who-may", "member", NULL});
    CHECK(cJSON_GetArraySize(cell_of(one, "call", "Sync")) == 1, "one role");
    CHECK(strcmp(hall_text(cell_of(one, "write", "voice"), "member"), "own") == 0, "its own voice");
    check_refused(&hall, 1, "a role is", (const char *[]){"who-may", "king", NULL});
    char *text = hall_print(&hall, (const char *[]){"who-may", "observer", NULL});
    CHECK(strstr(text, "observer") && !strstr(text, "coordinator"), "%s", text);
    free(text);
    cJSON_Delete(one);
    cJSON_Delete(all);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"another_role_holds_from_the_next_call_on", another_role_holds_from_the_next_call_on},
        {"what_a_revoked_device_delivers_waits_until_it_is_released",
         what_a_revoked_device_delivers_waits_until_it_is_released},
        {"one_change_is_released_also_of_what_the_role_did_not_allow",
         one_change_is_released_also_of_what_the_role_did_not_allow},
        {"what_is_not_clear_is_refused", what_is_not_clear_is_refused},
        {"words_are_erased_by_record_and_by_change_and_once",
         words_are_erased_by_record_and_by_change_and_once},
        {"all_that_a_person_said_is_erased", all_that_a_person_said_is_erased},
        {"who_may_shows_the_table_that_is_followed", who_may_shows_the_table_that_is_followed},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
