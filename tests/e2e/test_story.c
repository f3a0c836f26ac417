// What people live through, over the real hub: disagreement that is kept in sight, words of a newer
// version that pass through older hands, join links that are wrong, used up or answered too late.

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/state.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"
#include "tests/e2e/proxy.h"

enum { DEVICES_MAX = 4, NEED_TITLE = 8, UNKNOWN_FIELD = 500, UNKNOWN_KIND = 99 };

static void join_new(struct hub *hub, struct device_host *device, const char *name)
{
    char link[HUB_LINK_BYTES];
    device_open(device, hub->dir, name);
    hub_invite(hub, "volunteer", link);
    device_must_join(device, link);
    device_must_sync(device);
}

// --- tension ---

// Checks that a need's title has just these live values (in any order).
static void check_titles(struct device_host *device, const uint8_t *id, const char *const *titles,
                         size_t n)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    CHECK(folkmoot_record_get(device->fm, "need", id, FOLKMOOT_BRIEF, &record, &error) ==
              FOLKMOOT_OK,
          "%s: %s", device->path, error.text);
    CHECK(record.fields_n == 1, "%s: %zu fields", device->path, record.fields_n);
    const struct folkmoot_field *field = &record.fields[0];
    CHECK(field->values_n == n, "%s: %zu values, not %zu", device->path, field->values_n, n);
    CHECK(field->tension == (n > 1), "%s: tension %d with %zu values", device->path, field->tension,
          n);
    for (size_t i = 0; i < n; i++) {
        size_t times = 0;
        for (size_t k = 0; k < field->values_n; k++)
            times += strcmp(field->values[k].text, titles[i]) == 0;
        CHECK(times == 1, "%s: \"%s\" stands %zu times", device->path, titles[i], times);
    }
    folkmoot_record_done(&record);
}

static void sync_all(struct device_host *devices, size_t n)
{
    // What the last one brings reaches the first in the second turn.
    for (size_t turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < n; i++)
            device_must_sync(&devices[i]);
    for (size_t i = 1; i < n; i++)
        device_check_equal(&devices[0], &devices[i]);
}

// first: which of the two writers syncs first.
static void tension_in_order(size_t first)
{
    static const char *const both[] = {"a well at the school", "a well at the clinic"};
    static const char *const resolved[] = {"a well between school and clinic"};
    static const char *const reopened[] = {"a well between school and clinic", "no well, a pipe"};
    static const char *const names[] = {"amina", "tomas", "third", "late"};
    struct hub hub;
    struct device_host devices[DEVICES_MAX];
    uint8_t need[16];
    hub_open(&hub, "");
    for (size_t i = 0; i < DEVICES_MAX; i++)
        join_new(&hub, &devices[i], names[i]);
    device_add(&devices[0], "need", "title", "water", need);
    sync_all(devices, DEVICES_MAX);

    device_edit(&devices[0], "need", need, "title", both[0]);
    device_edit(&devices[1], "need", need, "title", both[1]);
    device_edit(&devices[3], "need", need, "title", reopened[1]); // tells nobody for long
    device_must_sync(&devices[first]);
    device_must_sync(&devices[1 - first]);
    sync_all(devices, 3);
    for (size_t i = 0; i < 3; i++)
        check_titles(&devices[i], need, both, 2);

    device_edit(&devices[2], "need", need, "title", resolved[0]);
    sync_all(devices, 3);
    for (size_t i = 0; i < 3; i++)
        check_titles(&devices[i], need, resolved, 1);

    sync_all(devices, DEVICES_MAX);
    for (size_t i = 0; i < DEVICES_MAX; i++)
        check_titles(&devices[i], need, reopened, 2);
    for (size_t i = 0; i < DEVICES_MAX; i++)
        device_close(&devices[i]);
    hub_close(&hub);
}

static void two_who_did_not_see_each_other_are_both_kept_until_a_third_resolves(void)
{
    tension_in_order(0);
}

static void and_the_same_when_the_other_syncs_first(void)
{
    tension_in_order(1);
}

// --- what this version does not know ---

static void check_has_bytes(struct device_host *device, const char *kind, const uint8_t *id,
                            struct bytes due)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    CHECK(folkmoot_record_get(device->fm, kind, id, FOLKMOOT_BRIEF, &record, &error) == FOLKMOOT_OK,
          "%s %s: %s", device->path, kind, error.text);
    CHECK(bytes_equal(bytes_of(record.bytes, record.bytes_n), due), "%s: other bytes of %s",
          device->path, kind);
    folkmoot_record_done(&record);
}

struct found {
    const char *kind;
    uint8_t id[16];
    size_t n;
};

static bool find_kind(const struct folkmoot_record *record, void *arg)
{
    struct found *found = arg;
    if (strcmp(record->kind, found->kind) == 0) {
        memcpy(found->id, record->id, sizeof found->id);
        found->n++;
    }
    return true;
}

static struct found find_only(struct device_host *device, const char *kind)
{
    struct folkmoot_error error = {0};
    struct found found = {.kind = kind};
    CHECK(folkmoot_list(device->fm, kind, find_kind, &found, &error) == FOLKMOOT_OK, "%s",
          error.text);
    CHECK(found.n == 1, "%zu records of %s", found.n, kind);
    return found;
}

static void put_need(struct buf *fields, const char *title, const char *unknown)
{
    wire_put_bytes(fields, NEED_TITLE, bytes_of_text(title));
    wire_put_bytes(fields, UNKNOWN_FIELD, bytes_of_text(unknown));
}

static void a_kind_and_a_field_of_a_newer_version_pass_through_unchanged(void)
{
    struct hub hub;
    struct device_host a, b;
    struct peer newer;
    char link[HUB_LINK_BYTES];
    struct buf strange = {0}, need = {0}, edited = {0};
    hub_open(&hub, "");
    hub_invite(&hub, "volunteer", link);
    peer_enrol(&newer, hub.port, link);
    wire_put_uint(&strange, 3, 77);
    wire_put_bytes(&strange, 900, bytes_of_text("what nobody here understands"));
    put_need(&need, "light", "of tomorrow");
    put_need(&edited, "light on the stairs", "of tomorrow");
    struct peer_change changes[] = {peer_create(UNKNOWN_KIND, buf_bytes(&strange)),
                                    peer_create(KIND_NEED, buf_bytes(&need))};
    peer_push(&newer, changes, 2);

    join_new(&hub, &a, "a");
    struct found kind = find_only(&a, "kind 99"), known = find_only(&a, "need");
    check_has_bytes(&a, "kind 99", kind.id, buf_bytes(&strange));
    check_has_bytes(&a, "need", known.id, buf_bytes(&need));
    device_edit(&a, "need", known.id, "title", "light on the stairs");
    device_must_sync(&a);
    join_new(&hub, &b, "b");
    check_has_bytes(&b, "kind 99", kind.id, buf_bytes(&strange));
    check_has_bytes(&b, "need", known.id, buf_bytes(&edited));
    device_must_sync(&a);
    device_check_equal(&a, &b);
    device_close(&a);
    device_close(&b);
    buf_done(&strange);
    buf_done(&need);
    buf_done(&edited);
    hub_close(&hub);
}

// --- joining ---

static double calls_so_far(struct hub *hub)
{
    static const char *const words[] = {"status", NULL};
    cJSON *answer = hub_control(hub, words);
    double calls = cJSON_GetNumberValue(cJSON_GetObjectItem(answer, "calls"));
    cJSON_Delete(answer);
    CHECK(calls >= 0, "the status tells no calls");
    return calls;
}

static void a_link_with_another_hubs_key_is_not_trusted_and_tells_the_hub_nothing(void)
{
    struct hub hub;
    struct device_host device;
    struct folkmoot_error error = {0};
    char link[HUB_LINK_BYTES];
    hub_open(&hub, "");
    device_open(&device, hub.dir, "device");
    hub_invite(&hub, "volunteer", link);
    uint64_t log = hub_log_size(&hub);
    double calls = calls_so_far(&hub);
    char *key = strstr(link, "hub=");
    CHECK(key, "no hub's key in the link");
    key[4] = key[4] == 'A' ? 'B' : 'A';
    enum folkmoot_code code = device_join(&device, link, &error);
    CHECK(code == FOLKMOOT_UNTRUSTED, "code %d: %s", (int)code, error.text);
    CHECK(calls_so_far(&hub) == calls + 1, "more calls than Info");
    CHECK(hub_log_size(&hub) == log, "the hub's log grew");
    CHECK(folkmoot_community_count(device.fm) == 0, "the community counts as joined");
    device_close(&device);
    hub_close(&hub);
}

static void an_invitation_admits_one_device_only(void)
{
    struct hub hub;
    struct device_host first, second;
    struct folkmoot_error error = {0};
    char link[HUB_LINK_BYTES];
    hub_open(&hub, "");
    device_open(&first, hub.dir, "first");
    device_open(&second, hub.dir, "second");
    hub_invite(&hub, "volunteer", link);
    device_must_join(&first, link);
    uint64_t log = hub_log_size(&hub);
    enum folkmoot_code code = device_join(&second, link, &error);
    CHECK(code == FOLKMOOT_REFUSED, "code %d: %s", (int)code, error.text);
    CHECK(strstr(error.text, "invitation"), "an unclear sentence: %s", error.text);
    printf("    said: %s\n", error.text);
    CHECK(hub_log_size(&hub) == log, "the hub's log grew");
    device_must_join(&first, link);
    CHECK(hub_log_size(&hub) == log, "the same device was enrolled twice");
    device_close(&first);
    device_close(&second);
    hub_close(&hub);
}

// Cuts the answers of Info and Enrol here and there until all of a join has passed.
static void a_join_whose_answer_was_lost_may_be_repeated(void)
{
    enum { STEP = 61, TRIES_MAX = 200 };
    struct hub hub;
    struct device_host device;
    char link[HUB_LINK_BYTES];
    unsigned tries = 0, enrolled_unheard = 0;
    enum folkmoot_code code = FOLKMOOT_NETWORK;
    hub_open(&hub, "");
    struct proxy *proxy = proxy_new(hub.port);
    device_open(&device, hub.dir, "device");
    hub_invite(&hub, "volunteer", link);
    uint64_t log = hub_log_size(&hub);
    for (; code != FOLKMOOT_OK; tries++) {
        struct folkmoot_error error = {0};
        struct proxy_plan plan = {.up = -1, .down = 700 + (int64_t)tries * STEP};
        CHECK(tries < TRIES_MAX, "the join never comes to its end");
        proxy_set(proxy, &plan);
        device_route(&device, proxy_port(proxy));
        code = device_join(&device, link, &error);
        CHECK(code == FOLKMOOT_OK || code == FOLKMOOT_NETWORK, "code %d: %s", (int)code,
              error.text);
        uint64_t now = hub_log_size(&hub);
        CHECK(now - log <= 1, "enrolled %llu times", (unsigned long long)(now - log));
        enrolled_unheard += code != FOLKMOOT_OK && now > log;
    }
    CHECK(hub_log_size(&hub) == log + 1, "not enrolled once");
    CHECK(enrolled_unheard > 0, "no answer of Enrol was cut");
    printf("    %u tries, %u of them enrolled and unheard\n", tries, enrolled_unheard);
    device_route(&device, 0);
    device_must_sync(&device);
    device_close(&device);
    proxy_free(&proxy);
    hub_close(&hub);
}

// --- tokens ---

static void spoil_token(struct device_host *device)
{
    struct scope scope;
    struct folkmoot_error error = {0};
    CHECK(state_begin(device->fm, device->fm->chosen, true, &scope, &error) == FOLKMOOT_OK, "%s",
          error.text);
    scope.secret.token[5] ^= 0x40;
    secret_put(scope.txn, device->fm->chosen, &scope.secret);
    CHECK(state_end(device->fm, &scope, true, &error) == FOLKMOOT_OK, "%s", error.text);
}

static void a_void_token_makes_the_device_log_in_by_itself(void)
{
    struct hub hub;
    struct device_host device, other;
    hub_open(&hub, "");
    join_new(&hub, &device, "device");
    join_new(&hub, &other, "other");
    device_add(&device, "need", "title", "said before", NULL);
    spoil_token(&device);
    struct folkmoot_progress progress = device_must_sync(&device);
    CHECK(progress.pushed == 1, "%u pushed", progress.pushed);
    CHECK(progress.requests >= 3, "%u requests for a login and a sync", progress.requests);
    device_must_sync(&other);
    device_must_sync(&device);
    device_check_equal(&device, &other);
    device_close(&device);
    device_close(&other);
    hub_close(&hub);
}

static void a_hub_that_lost_its_database_is_told_apart_and_nothing_is_lost_here(void)
{
    struct hub hub;
    struct device_host device;
    struct folkmoot_error error = {0};
    hub_open(&hub, "");
    join_new(&hub, &device, "device");
    device_add(&device, "need", "title", "kept here", NULL);
    device_must_sync(&device);
    device_add(&device, "need", "title", "not yet sent", NULL);
    hub_stop(&hub);
    hub_lose_database(&hub);
    hub_start(&hub);
    enum folkmoot_code code = device_sync(&device, NULL, &error);
    CHECK(code == FOLKMOOT_REFUSED || code == FOLKMOOT_NOT_FOUND, "code %d: %s", (int)code,
          error.text);
    printf("    said: %s\n", error.text);
    CHECK(device_count(&device, "need") == 2, "a need was lost");
    CHECK(device_community(&device).unsent == 1, "%u unsent", device_community(&device).unsent);
    device_close(&device);
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(two_who_did_not_see_each_other_are_both_kept_until_a_third_resolves),
        CASE(and_the_same_when_the_other_syncs_first),
        CASE(a_kind_and_a_field_of_a_newer_version_pass_through_unchanged),
        CASE(a_link_with_another_hubs_key_is_not_trusted_and_tells_the_hub_nothing),
        CASE(an_invitation_admits_one_device_only),
        CASE(a_join_whose_answer_was_lost_may_be_repeated),
        CASE(a_void_token_makes_the_device_log_in_by_itself),
        CASE(a_hub_that_lost_its_database_is_told_apart_and_nothing_is_lost_here),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
