// Copies: a phone that was cloned, a hub that was restored from yesterday, hubs that fork, drop
// and reorder behind one identity. Each is named by the device that it is shown to, nothing that
// anybody said is lost, and others go on.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/stage.h"

static void say(struct device_host *device, const char *title)
{
    device_add(device, "need", "title", title, NULL);
}

static bool is_title(const struct folkmoot_record *record, void *arg)
{
    const char **title = arg;
    if (strcmp(record->title, *title) == 0)
        *title = NULL;
    return *title;
}

static void expect_title(struct device_host *device, const char *title)
{
    struct folkmoot_error error = {0};
    const char *wanted = title;
    CHECK(folkmoot_list(device->fm, "need", is_title, &wanted, &error) == FOLKMOOT_OK, "%s",
          error.text);
    CHECK(!wanted, "\"%s\" is not on %s", title, device->path);
}

static void expect_alarm(struct device_host *device, const char *what)
{
    struct folkmoot_community community = device_community(device);
    CHECK(community.alarm[0], "\"%s\" is not noticed", what);
    printf("    %s: %s\n", what, community.alarm);
}

static void join(struct stage *stage, struct device_host *device, const char *name)
{
    char link[HUB_LINK_BYTES];
    device_open(device, stage->hub.dir, name);
    hub_invite(&stage->hub, "volunteer", link);
    device_must_join(device, link);
    stage_remember(stage);
}

// --- a cloned phone ---

static void copy_store(const struct stage *stage, const char *from, const char *to)
{
    char errors[128], a[128], b[128];
    int code;
    (void)snprintf(errors, sizeof errors, "%s/stderr", stage->hub.dir);
    (void)snprintf(a, sizeof a, "%s/%s", stage->hub.dir, from);
    (void)snprintf(b, sizeof b, "%s/%s", stage->hub.dir, to);
    const char *const argv[] = {"/bin/cp", "-a", a, b, NULL};
    free(child_output(argv, errors, &code));
    CHECK(code == 0, "cp ended with %d", code);
}

static void a_cloned_phone_is_named_and_both_said_what_they_said(void)
{
    struct stage stage;
    struct device_host phone, clone;
    struct folkmoot_error error = {0};
    char link[HUB_LINK_BYTES];
    stage_open(&stage);
    join(&stage, &phone, "phone");
    say(&phone, "said before");
    device_must_sync(&phone);
    device_close(&phone);
    copy_store(&stage, "phone", "clone");
    device_open(&phone, stage.hub.dir, "phone");
    device_open(&clone, stage.hub.dir, "clone");
    say(&phone, "said by the phone");
    say(&clone, "said by the clone");
    device_must_sync(&phone);
    enum folkmoot_code code = device_sync(&clone, NULL, &error);
    CHECK(code == FOLKMOOT_FORKED, "code %d: %s", (int)code, error.text);
    printf("    said: %s\n", error.text);
    hub_invite(&stage.hub, "volunteer", link);
    device_must_join(&clone, link);
    device_must_sync(&clone);
    device_must_sync(&phone);
    device_must_sync(&stage.good);
    expect_title(&stage.good, "said by the phone");
    expect_title(&stage.good, "said by the clone");
    CHECK(device_count(&stage.good, "need") == 3, "%zu needs", device_count(&stage.good, "need"));
    device_check_equal(&phone, &stage.good);
    stage_remember(&stage);
    stage_check_unharmed(&stage, "a cloned phone");
    device_close(&phone);
    device_close(&clone);
    stage_close(&stage);
}

// --- a hub from yesterday ---

static void keep_as_of_now(struct hub *hub)
{
    hub_stop(hub);
    hub_keep_state(hub);
    hub_start(hub);
}

static void back_to_what_was_kept(struct hub *hub)
{
    hub_stop(hub);
    hub_restore_state(hub);
    hub_start(hub);
}

static void a_hub_restored_from_yesterday_is_named_and_told_again(void)
{
    struct stage stage;
    struct device_host other;
    stage_open(&stage);
    join(&stage, &other, "other");
    say(&stage.good, "said yesterday");
    device_must_sync(&stage.good);
    device_must_sync(&other);
    keep_as_of_now(&stage.hub);
    uint64_t log = hub_log_size(&stage.hub);
    say(&stage.good, "said today");
    say(&other, "said today by another");
    device_must_sync(&stage.good);
    device_must_sync(&other);
    device_must_sync(&stage.good);
    back_to_what_was_kept(&stage.hub);
    CHECK(hub_log_size(&stage.hub) == log, "the hub is not as it was");
    for (int i = 0; i < 2; i++) {
        device_must_sync(&stage.good);
        device_must_sync(&other);
    }
    expect_alarm(&stage.good, "a hub restored from yesterday");
    CHECK(hub_log_size(&stage.hub) == log + 2, "the hub was not told again");
    device_check_equal(&stage.good, &other);
    CHECK(device_count(&other, "need") == 3, "%zu needs", device_count(&other, "need"));
    stage_remember(&stage);
    stage_check_unharmed(&stage, "a restored hub");
    device_close(&other);
    stage_close(&stage);
}

// --- hubs that lie ---

// Syncs with the twin, which must not succeed in silence.
static void show_twin(struct stage *stage, const struct hub *twin, const char *what)
{
    struct folkmoot_error error = {0};
    enum folkmoot_code code = device_sync_by(&stage->good, twin->port, NULL, &error);
    CHECK(code == FOLKMOOT_OK, "\"%s\": code %d: %s", what, (int)code, error.text);
    expect_alarm(&stage->good, what);
}

// Requests of two peers, once signed: a's first, b's first, a's second, and other ones for b's.
enum { REQUESTS = 4 };

static void write_request(const struct peer *peer, const char *title, struct buf *request,
                          struct peer *after)
{
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(peer, &change, 1, NULL, request, after);
    buf_done(&fields);
}

static void write_requests(const struct peer *a, const struct peer *b, struct buf *requests)
{
    struct peer then;
    write_request(a, "first", &requests[0], &then);
    write_request(b, "second", &requests[1], NULL);
    write_request(&then, "third", &requests[2], NULL);
    write_request(b, "in its place", &requests[3], NULL);
}

// Tells a hub on this port what the digits of `which` name, in that order.
static void tell(uint16_t port, const struct peer *a, const struct peer *b,
                 const struct buf *requests, const char *which)
{
    for (; *which; which++) {
        size_t i = (size_t)(*which - '0');
        struct peer peer = i % 2 ? *b : *a;
        struct post_answer answer;
        uint32_t standing = STANDING_OK;
        peer.port = port;
        peer_send(&peer, buf_bytes(&requests[i]), &answer);
        CHECK(peer_receipt(&answer, &standing) > 0 && standing == STANDING_OK, "%c: not taken",
              *which);
        post_done(&answer);
    }
}

// The device has seen the hub that was told `here`; then it is shown the twin.
static void part_ways(const char *what, const char *here, const char *there)
{
    struct stage stage;
    struct hub twin;
    struct peer other;
    struct buf requests[REQUESTS] = {0};
    char link[HUB_LINK_BYTES];
    stage_open(&stage);
    hub_invite(&stage.hub, "volunteer", link);
    peer_enrol(&other, stage.hub.port, link);
    device_must_sync(&stage.good);
    CHECK(!device_community(&stage.good).alarm[0], "an alarm before all");
    keep_as_of_now(&stage.hub);
    hub_open_twin(&twin, &stage.hub);
    write_requests(&stage.peer, &other, requests);
    tell(stage.hub.port, &stage.peer, &other, requests, here);
    tell(twin.port, &stage.peer, &other, requests, there);
    device_must_sync(&stage.good);
    size_t needs = device_count(&stage.good, "need");
    CHECK(needs == strlen(here), "%zu needs", needs);
    show_twin(&stage, &twin, what);
    CHECK(device_count(&stage.good, "need") >= needs, "needs were lost");
    hub_close(&twin);
    stage_remember(&stage);
    stage_check_unharmed(&stage, what);
    for (size_t i = 0; i < REQUESTS; i++)
        buf_done(&requests[i]);
    stage_close(&stage);
}

static void a_hub_that_shows_two_histories_is_noticed(void)
{
    part_ways("a fork of the log", "01", "03");
}

static void a_hub_that_drops_the_last_changes_is_noticed(void)
{
    part_ways("changes that were dropped", "012", "0");
}

static void a_hub_that_drops_a_change_in_the_middle_is_noticed(void)
{
    part_ways("a change that was dropped", "012", "023");
}

static void a_hub_that_orders_changes_anew_is_noticed(void)
{
    part_ways("another order", "01", "10");
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(a_cloned_phone_is_named_and_both_said_what_they_said),
        CASE(a_hub_restored_from_yesterday_is_named_and_told_again),
        CASE(a_hub_that_shows_two_histories_is_noticed),
        CASE(a_hub_that_drops_the_last_changes_is_noticed),
        CASE(a_hub_that_drops_a_change_in_the_middle_is_noticed),
        CASE(a_hub_that_orders_changes_anew_is_noticed),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
