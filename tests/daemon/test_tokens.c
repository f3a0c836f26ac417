// Tokens that grow old and are changed for others by a Sync, over the line and with answers that
// are lost. The clock stays: a token's age is written into the database of the stopped hub.

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "proto/schema.h"
#include "storage/device.h"
#include "sync/digest.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

enum { TOKEN_DAYS = 30, TOKEN_SPANS = 3 }; // as folkmootd.conf(5) and the protocol say
static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;

// --- ages ---

struct ageing {
    const struct peer *peer;
    int64_t made;
};

static void age_it(struct txn *txn, uint32_t community, void *arg)
{
    const struct ageing *ageing = arg;
    uint8_t token[TOKEN_SIZE], hash[HASH_SIZE];
    struct token found;
    CHECK(text_unbase64url(bytes_of_text(ageing->peer->token), token, sizeof token) == OK, "token");
    digest_token(token, hash);
    CHECK(token_get(txn, hash, &found) == OK && !found.is_next, "the token holds");
    token_put(txn, hash, community, found.handle, ageing->made);
}

// The device's token was made so many days ago.
static void age(struct hall *hall, const struct peer *peer, int days)
{
    int64_t now = (int64_t)time(NULL) * 1000;
    hall_edit(hall, age_it, &(struct ageing){peer, now - days * day_ms});
}

// --- syncs ---

// Pushes these changes with the device's token. The device as it is with the answer's token is
// `next`; gives whether there was one. pushed: out, the seq of the receipt.
static bool push_with(const struct peer *peer, const struct peer_change *changes, size_t n,
                      struct peer *next, uint32_t *pushed)
{
    struct arena arena ARENA_CLEANUP;
    struct sync_response response = {0};
    struct buf request = {0};
    struct fault fault = {0};
    struct post_answer answer;
    arena_init(&arena, 4 << 20);
    peer_request(peer, changes, n, NULL, &request, next);
    peer_send(peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 200, "Sync: %ld %s", answer.status, answer.message);
    CHECK(message_decode(&sync_response_message, buf_bytes(&answer.body), &arena, &response,
                         &fault) == OK,
          "%s", fault.text);
    *pushed = response.receipts.n ? LIST_AT(struct receipt, response.receipts, 0)->seq : 0;
    if (response.token.n)
        peer_keep_token(next, response.token);
    buf_done(&request);
    post_done(&answer);
    return response.token.n > 0;
}

static bool sync_with(const struct peer *peer, struct peer *next)
{
    uint32_t pushed;
    return push_with(peer, NULL, 0, next, &pushed);
}

static void check_sync_refused(const struct peer *peer)
{
    struct buf request = {0};
    struct post_answer answer;
    peer_request(peer, NULL, 0, NULL, &request, NULL);
    peer_send(peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 401 && strcmp(answer.code, "unauthenticated") == 0, "Sync: %ld %s",
          answer.status, answer.code);
    buf_done(&request);
    post_done(&answer);
}

static void holds(const struct peer *peer)
{
    hall_check_me(peer, 200, "");
}

static void is_void(const struct peer *peer)
{
    hall_check_me(peer, 401, "unauthenticated");
    check_sync_refused(peer);
}

// --- what is promised ---

static void an_old_token_holds_until_the_new_one_was_used_for_a_sync(void)
{
    struct hall hall;
    struct peer lost, next, after;
    hall_open(&hall, "");
    struct peer old = hall.ann;
    CHECK(!sync_with(&old, &next), "a token of today is kept");
    age(&hall, &old, TOKEN_DAYS + 1);
    CHECK(sync_with(&old, &lost), "an old one is changed for another");
    CHECK(strcmp(lost.token, old.token) != 0, "which is another");
    holds(&old);
    CHECK(sync_with(&old, &next), "the answer was lost: the device is given another");
    is_void(&lost);
    holds(&next);
    holds(&old);
    CHECK(!sync_with(&next, &after), "the new one is young");
    is_void(&old);
    holds(&next);
    hub_stop(&hall.hub);
    hub_start(&hall.hub);
    is_void(&old);
    holds(&next);
    holds(&hall.ben);
    hall_close(&hall);
}

static void a_push_and_a_new_token_share_an_answer_that_may_be_lost(void)
{
    struct hall hall;
    struct peer lost, next, after;
    struct buf fields = {0};
    uint32_t pushed;
    hall_open(&hall, "");
    age(&hall, &hall.ann, TOKEN_DAYS);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("said once"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    CHECK(push_with(&hall.ann, &change, 1, &lost, &pushed) && pushed == 1, "both came");
    CHECK(sync_with(&hall.ann, &next), "the old token asks again");
    memcpy(lost.token, next.token, sizeof lost.token);
    CHECK(!push_with(&lost, &change, 1, &after, &pushed) && pushed == 2, "the chain goes on");
    is_void(&hall.ann);
    cJSON *device = hall_device(&hall, &hall.ann);
    CHECK(hall_number(device, "changes") == 2, "both changes are there");
    cJSON_Delete(device);
    buf_done(&fields);
    hall_close(&hall);
}

static void a_token_is_kept_before_its_time_and_void_long_after(void)
{
    struct hall hall;
    struct peer next;
    hall_open(&hall, "");
    age(&hall, &hall.ann, TOKEN_DAYS - 1);
    CHECK(!sync_with(&hall.ann, &next), "a day before");
    age(&hall, &hall.ann, TOKEN_SPANS * TOKEN_DAYS - 1);
    CHECK(sync_with(&hall.ann, &next), "nobody used it for long, but it holds");
    age(&hall, &hall.ben, TOKEN_SPANS * TOKEN_DAYS);
    is_void(&hall.ben);
    peer_login(&hall.ben);
    holds(&hall.ben);
    hall_close(&hall);
}

static void the_span_is_what_the_configuration_says(void)
{
    struct hall hall;
    struct peer next;
    hall_open(&hall, "token_days = 2\n");
    age(&hall, &hall.ann, 1);
    CHECK(!sync_with(&hall.ann, &next), "young");
    age(&hall, &hall.ann, 2);
    CHECK(sync_with(&hall.ann, &next), "old");
    age(&hall, &hall.ben, 6);
    is_void(&hall.ben);
    hall_close(&hall);
}

// Void one device's tokens; the old and the next one have to go together.
static void check_both_go(const char *const *words)
{
    struct hall hall;
    struct peer next;
    hall_open(&hall, "");
    age(&hall, &hall.ann, TOKEN_DAYS);
    CHECK(sync_with(&hall.ann, &next), "a new one");
    holds(&hall.ann);
    holds(&next);
    hall_do(&hall, words);
    is_void(&hall.ann);
    is_void(&next);
    holds(&hall.ben);
    hall_close(&hall);
}

static void both_tokens_are_void_when_the_device_is_revoked(void)
{
    check_both_go((const char *[]){"revoke", "COMMUNITY", "Ann", NULL});
}

static void both_tokens_are_void_when_tokens_are_rotated(void)
{
    check_both_go((const char *[]){"rotate", "tokens", "COMMUNITY", "Ann", NULL});
}

static void a_login_voids_both_tokens(void)
{
    struct hall hall;
    struct peer next, anew;
    hall_open(&hall, "");
    age(&hall, &hall.ann, TOKEN_DAYS);
    CHECK(sync_with(&hall.ann, &next), "a new one");
    anew = hall.ann;
    peer_login(&anew);
    is_void(&hall.ann);
    is_void(&next);
    holds(&anew);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"an_old_token_holds_until_the_new_one_was_used_for_a_sync",
         an_old_token_holds_until_the_new_one_was_used_for_a_sync},
        {"a_push_and_a_new_token_share_an_answer_that_may_be_lost",
         a_push_and_a_new_token_share_an_answer_that_may_be_lost},
        {"a_token_is_kept_before_its_time_and_void_long_after",
         a_token_is_kept_before_its_time_and_void_long_after},
        {"the_span_is_what_the_configuration_says", the_span_is_what_the_configuration_says},
        {"both_tokens_are_void_when_the_device_is_revoked",
         both_tokens_are_void_when_the_device_is_revoked},
        {"both_tokens_are_void_when_tokens_are_rotated",
         both_tokens_are_void_when_tokens_are_rotated},
        {"a_login_voids_both_tokens", a_login_voids_both_tokens},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
