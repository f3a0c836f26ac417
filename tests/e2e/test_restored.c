// A hub whose disk is lost and whose administrator puts back an older copy.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"

static void open_joined(struct device_host *device, struct hub *hub, const char *name,
                        const char *role)
{
    char link[HUB_LINK_BYTES];
    device_open(device, hub->dir, name);
    hub_invite(hub, role, link);
    device_must_join(device, link);
}

static void set_role(struct hub *hub, struct device_host *device, const char *role)
{
    struct folkmoot_community own = device_community(device);
    char hex[2 * sizeof own.device + 1];
    for (size_t i = 0; i < sizeof own.device; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", own.device[i]);
    const char *const words[] = {"role", hub->community, hex, role, NULL};
    cJSON_Delete(hub_control(hub, words));
}

static void back_up(struct hub *hub, const char *command)
{
    char file[HUB_PATH_BYTES];
    hub_path_of(hub, "backup", file);
    const char *const words[] = {command, file, NULL};
    cJSON_Delete(hub_on_files(hub, words, false));
}

static void restore(struct hub *hub)
{
    hub_stop(hub);
    back_up(hub, "restore");
    hub_start(hub);
}

static void settle(struct device_host *devices, size_t n)
{
    for (size_t i = 0; i < 3 * n; i++)
        device_must_sync(&devices[i % n]);
}

static void check_same(struct device_host *a, struct device_host *b)
{
    uint8_t prints[2][HASH_SIZE];
    device_fingerprint(a, prints[0]);
    device_fingerprint(b, prints[1]);
    CHECK(memcmp(prints[0], prints[1], HASH_SIZE) == 0, "they do not hold the same");
}

static void what_is_lost_comes_back_and_what_is_decided_reaches_everybody(void)
{
    struct hub hub;
    struct device_host devices[3];
    hub_open(&hub, "");
    for (size_t i = 0; i < 3; i++)
        open_joined(&devices[i], &hub, (const char *[]){"ann", "ben", "late"}[i], "volunteer");
    device_add(&devices[0], "need", "title", "before", NULL);
    settle(devices, 3);
    back_up(&hub, "backup");
    device_add(&devices[0], "need", "title", "since then", NULL);
    device_add(&devices[1], "need", "title", "that, too", NULL);
    settle(devices, 2);
    set_role(&hub, &devices[1], "coordinator");
    settle(devices, 2);
    CHECK(strcmp(device_community(&devices[1]).role, "coordinator") == 0, "not told");
    restore(&hub);
    settle(devices, 3);
    CHECK(strcmp(device_community(&devices[1]).role, "coordinator") == 0,
          "what the hub still means is not decided anew");
    CHECK(device_community(&devices[0]).alarm[0], "who had seen more is not told");
    CHECK(!device_community(&devices[2]).alarm[0], "who had seen no more is alarmed: %s",
          device_community(&devices[2]).alarm);
    set_role(&hub, &devices[0], "coordinator");
    settle(devices, 3);
    CHECK(strcmp(device_community(&devices[0]).role, "coordinator") == 0, "not told");
    CHECK(device_count(&devices[2], "need") == 3, "a need is lost");
    // What counts is the same; who had heard of the lost time still knows of it.
    check_same(&devices[0], &devices[2]);
    check_same(&devices[1], &devices[2]);
    for (size_t i = 0; i < 3; i++)
        device_close(&devices[i]);
    hub_close(&hub);
}

static void name_of(struct device_host *device, char hex[32])
{
    struct folkmoot_community own = device_community(device);
    for (size_t i = 0; i < sizeof own.device; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", own.device[i]);
}

static void decide(struct hub *hub, const char *what, struct device_host *device)
{
    char hex[32];
    name_of(device, hex);
    const char *const words[] = {what, hub->community, hex, NULL};
    cJSON_Delete(hub_control(hub, words));
}

static bool is_revoked(struct hub *hub, struct device_host *device)
{
    char hex[32];
    name_of(device, hex);
    const char *const words[] = {"devices", hub->community, NULL};
    cJSON *answer = hub_control(hub, words);
    bool revoked = false;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(answer, "devices"))
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(item, "handle")), hex) == 0)
            revoked =
                strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(item, "role")), "revoked") == 0;
    }
    cJSON_Delete(answer);
    return revoked;
}

// The orders stand in a file beside the database; on another machine it may be missing.
static void who_was_revoked_since_stays_revoked(void)
{
    struct hub hub;
    struct device_host devices[3], thief, late;
    char orders[HUB_PATH_BYTES], link[HUB_LINK_BYTES];
    hub_open(&hub, "");
    for (size_t i = 0; i < 3; i++)
        open_joined(&devices[i], &hub, (const char *[]){"ann", "ben", "cat"}[i], "volunteer");
    device_add(&devices[0], "need", "title", "before", NULL);
    settle(devices, 3);
    decide(&hub, "revoke", &devices[2]);
    hub_invite(&hub, "coordinator", link);
    back_up(&hub, "backup");
    device_open(&thief, hub.dir, "dan");
    device_must_join(&thief, link);
    decide(&hub, "revoke", &thief);
    decide(&hub, "revoke", &devices[1]);
    decide(&hub, "reinstate", &devices[2]);
    restore(&hub);
    CHECK(is_revoked(&hub, &devices[1]), "a stolen phone is let in again");
    CHECK(!is_revoked(&hub, &devices[2]), "who was let in again is kept out");
    CHECK(device_join(&thief, link, NULL) != FOLKMOOT_OK, "let in again by the old link");
    device_open(&late, hub.dir, "late");
    CHECK(device_join(&late, link, NULL) != FOLKMOOT_OK, "a link that was used is good again");
    device_close(&late);
    device_close(&thief);
    // What was decided once is not decided again and again.
    decide(&hub, "reinstate", &devices[1]);
    uint64_t size = hub_log_size(&hub);
    hub_stop(&hub);
    hub_start(&hub);
    CHECK(!is_revoked(&hub, &devices[1]) && hub_log_size(&hub) == size, "decided again at a start");
    hub_stop(&hub);
    hub_path_of(&hub, "state/db/orders", orders);
    CHECK(unlink(orders) == 0, "there are no orders");
    back_up(&hub, "restore");
    const char *const words[] = {"verify", NULL};
    cJSON_Delete(hub_on_files(&hub, words, false));
    hub_start(&hub);
    CHECK(is_revoked(&hub, &devices[2]), "as the backup says");
    device_must_sync(&devices[0]);
    for (size_t i = 0; i < 3; i++)
        device_close(&devices[i]);
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"who_was_revoked_since_stays_revoked", who_was_revoked_since_stays_revoked},
        {"what_is_lost_comes_back_and_what_is_decided_reaches_everybody",
         what_is_lost_comes_back_and_what_is_decided_reaches_everybody},
    };
    return check_main(cases, 2, argc, argv);
}
