// What one device may add in a day: the fault and the time that the answer names, and that nobody
// else, and nothing but new changes, is refused.

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/schema.h"
#include "storage/device.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

enum { DAY = 24 * 60 * 60, WHILE = 200, LARGE = 15000, CHANGES_MAX = 3 };

// Of a later version, so that words have no limit of their own.
enum { KIND_NEWER = 900, FIELD_NEWER = 900 };

static long to_midnight(void)
{
    return DAY - (long)(time(NULL) % DAY);
}

// A test whose day ends in its middle says nothing.
static void open_hall(struct hall *hall, const char *more)
{
    while (to_midnight() <= WHILE)
        check_sleep_ms(1000);
    hall_open(hall, more);
}

// --- pushes ---

// n needs of so many bytes each, after the chain's end.
static void put_push(const struct peer *peer, size_t n, size_t size, struct buf *request,
                     struct peer *after)
{
    static const char words[LARGE] = "";
    struct peer_change changes[PEER_CHANGES_MAX];
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_NEWER, bytes_of(words, size));
    for (size_t i = 0; i < n; i++)
        changes[i] = peer_create(KIND_NEWER, buf_bytes(&fields));
    peer_request(peer, changes, n, NULL, request, after);
    buf_done(&fields);
}

static void check_taken(struct peer *peer, size_t n, size_t size)
{
    struct buf request = {0};
    struct post_answer answer;
    struct peer after;
    put_push(peer, n, size, &request, &after);
    peer_send(peer, buf_bytes(&request), &answer);
    CHECK(peer_receipt(&answer, NULL) == (n ? after.seq : 0), "it is taken");
    CHECK(!answer.retry_after[0], "retry-after: %s", answer.retry_after);
    *peer = after;
    buf_done(&request);
    post_done(&answer);
}

// before: of the answer, as to_midnight gave it.
static void check_fault(const struct post_answer *answer, const char *code, long before)
{
    char *end;
    long seconds = strtol(answer->retry_after, &end, 10);
    CHECK(strcmp(answer->code, code) == 0, "%ld %s", answer->status, answer->code);
    CHECK(answer->retry_after[0] && *end == '\0', "retry-after: %s", answer->retry_after);
    CHECK(seconds <= before && seconds >= to_midnight(), "%ld seconds", seconds);
    CHECK(strstr(answer->message, "tomorrow"), "%s", answer->message);
}

static void check_refused(const struct peer *peer, size_t n, size_t size)
{
    struct buf request = {0};
    struct post_answer answer;
    long before = to_midnight();
    put_push(peer, n, size, &request, NULL);
    peer_send(peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 429, "%ld %s", answer.status, answer.message);
    check_fault(&answer, "resource_exhausted", before);
    buf_done(&request);
    post_done(&answer);
}

static void check_refused_by_grpc(const struct peer *peer, size_t n, size_t size)
{
    struct buf request = {0}, framed = {0};
    struct post_answer answer;
    long before = to_midnight();
    put_push(peer, n, size, &request, NULL);
    buf_put_u8(&framed, 0);
    buf_put_be32(&framed, (uint32_t)request.n);
    buf_put(&framed, buf_bytes(&request));
    post_send(peer->port,
              &(struct post){.path = "/folkmoot.v1.SyncService/Sync",
                             .type = "application/grpc",
                             .token = peer->token,
                             .body = buf_bytes(&framed)},
              &answer);
    CHECK(answer.status == 200, "gRPC's errors have this status, not %ld", answer.status);
    check_fault(&answer, "8", before);
    buf_done(&request);
    buf_done(&framed);
    post_done(&answer);
}

// --- what is promised ---

static void changes_over_the_days_quota_wait_and_nobody_else_does(void)
{
    struct hall hall;
    struct buf again = {0};
    struct post_answer answer;
    open_hall(&hall, "device_changes_per_day = 3\n");
    put_push(&hall.ann, CHANGES_MAX, 1, &again, NULL);
    check_refused(&hall.ann, CHANGES_MAX + 1, 1);
    check_taken(&hall.ann, CHANGES_MAX, 1);
    check_refused(&hall.ann, 1, 1);
    check_refused_by_grpc(&hall.ann, 1, 1);
    check_taken(&hall.ben, 1, 1);
    check_taken(&hall.ann, 0, 0);
    hall_check_me(&hall.ann, 200, "");
    peer_send(&hall.ben, buf_bytes(&again), &answer);
    CHECK(answer.status == 400, "another's run is no way around it: %ld", answer.status);
    post_done(&answer);
    hall_close(&hall);
    buf_done(&again);
}

static void what_the_hub_holds_already_may_be_sent_again(void)
{
    struct hall hall;
    struct buf request = {0};
    struct post_answer answer;
    open_hall(&hall, "device_changes_per_day = 3\n");
    put_push(&hall.ann, CHANGES_MAX, 1, &request, NULL);
    for (int i = 0; i < 2; i++) {
        peer_send(&hall.ann, buf_bytes(&request), &answer);
        CHECK(peer_receipt(&answer, NULL) == CHANGES_MAX, "a receipt for all");
        post_done(&answer);
    }
    hall_close(&hall);
    buf_done(&request);
}

static void bytes_over_the_days_quota_wait_and_small_pushes_do_not(void)
{
    struct hall hall;
    open_hall(&hall, "device_bytes_per_day = 40K\n");
    check_taken(&hall.ann, 2, LARGE);
    check_refused(&hall.ann, 2, LARGE);
    check_taken(&hall.ann, 1, LARGE);
    check_taken(&hall.ann, 1, LARGE);
    check_refused(&hall.ann, 2, LARGE);
    check_refused_by_grpc(&hall.ann, 2, LARGE);
    check_taken(&hall.ben, 1, 1);
    check_taken(&hall.ben, 2, LARGE);
    hall_close(&hall);
}

static void let_a_day_go_by(struct txn *txn, uint32_t community, void *arg)
{
    const struct peer *peer = arg;
    struct quota quota;
    quota_get(txn, community, peer->handle, &quota);
    CHECK(quota.changes == CHANGES_MAX, "%u changes are noted", quota.changes);
    quota.day--;
    quota_put(txn, community, peer->handle, &quota);
}

static void the_quota_outlives_a_restart_and_ends_with_the_day(void)
{
    struct hall hall;
    open_hall(&hall, "device_changes_per_day = 3\n");
    check_taken(&hall.ann, CHANGES_MAX, 1);
    hub_stop(&hall.hub);
    hub_start(&hall.hub);
    check_refused(&hall.ann, 1, 1);
    hall_edit(&hall, let_a_day_go_by, &hall.ann);
    check_taken(&hall.ann, CHANGES_MAX, 1);
    check_refused(&hall.ann, 1, 1);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"changes_over_the_days_quota_wait_and_nobody_else_does",
         changes_over_the_days_quota_wait_and_nobody_else_does},
        {"what_the_hub_holds_already_may_be_sent_again",
         what_the_hub_holds_already_may_be_sent_again},
        {"bytes_over_the_days_quota_wait_and_small_pushes_do_not",
         bytes_over_the_days_quota_wait_and_small_pushes_do_not},
        {"the_quota_outlives_a_restart_and_ends_with_the_day",
         the_quota_outlives_a_restart_and_ends_with_the_day},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
