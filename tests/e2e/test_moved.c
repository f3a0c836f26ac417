// One community of a hub moves to another machine of the same identity: exported while devices
// write, taken in beside what is there, and gone on with by those who knew it before.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"

enum { NEEDS = 40 };

static cJSON *run(struct hub *hub, const char *first, const char *second, const char *third,
                  bool may_fail)
{
    const char *const words[] = {first, second, third, NULL};
    return hub_on_files(hub, words, may_fail);
}

static void must_run(struct hub *hub, const char *first, const char *second, const char *third)
{
    cJSON_Delete(run(hub, first, second, third, false));
}

static void must_refuse(struct hub *hub, const char *command, const char *file, const char *why)
{
    cJSON *answer = run(hub, command, file, NULL, true);
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "error"));
    CHECK(error && strstr(error, why), "%s: %s", command, error ? error : "it was done");
    cJSON_Delete(answer);
}

static double count_in(struct hub *hub, const char *file, const char *what)
{
    cJSON *answer = run(hub, "verify", file, NULL, false);
    double n = cJSON_GetNumberValue(cJSON_GetObjectItem(answer, what));
    cJSON_Delete(answer);
    return n;
}

static void write_needs(struct device_host *device, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char title[40];
        (void)snprintf(title, sizeof title, "need %u of this one", i);
        device_add(device, "need", "title", title, NULL);
    }
    device_must_sync(device);
}

static void join(struct device_host *device, struct hub *hub, const char *dir, const char *name)
{
    char link[HUB_LINK_BYTES];
    if (dir)
        device_open(device, dir, name);
    hub_invite(hub, "volunteer", link);
    device_must_join(device, link);
}

// From now on what is asked is about this community.
static void found(struct hub *hub, const char *name)
{
    cJSON *answer = run(hub, "community", "create", name, false);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "id"));
    CHECK(id && strlen(id) == 32, "no id of the new community");
    memcpy(hub->community, id, sizeof hub->community);
    cJSON_Delete(answer);
}

// Ann's community is the second on the hub, and Ben's the first; of Cal's phone all was erased.
struct scene {
    struct hub hub;
    struct hub other; // the same identity, with Ben's community alone
    char file[HUB_PATH_BYTES];
    struct device_host ann, ben, cal;
};

static void revoke_and_erase(struct scene *scene)
{
    uint8_t id[16];
    char change[64];
    device_add(&scene->cal, "need", "title", "words that Cal took back", id);
    device_must_sync(&scene->cal);
    cJSON *answer = run(&scene->hub, "devices", scene->hub.community, NULL, false);
    const cJSON *item;
    const char *handle = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(answer, "devices"))
    {
        const char *role = cJSON_GetStringValue(cJSON_GetObjectItem(item, "role"));
        const char *app = cJSON_GetStringValue(cJSON_GetObjectItem(item, "app"));
        CHECK(strcmp(role, "volunteer") != 0 || (app && strncmp(app, "folkmoot/", 9) == 0),
              "which app it is: %s", app ? app : "not said");
        double changes = cJSON_GetNumberValue(cJSON_GetObjectItem(item, "changes"));
        if (strcmp(role, "volunteer") == 0 && changes < NEEDS)
            handle = cJSON_GetStringValue(cJSON_GetObjectItem(item, "handle"));
    }
    CHECK(handle, "Cal's device is not in the list");
    (void)snprintf(change, sizeof change, "%s:%.0f", handle, 1.0);
    const char *const words[] = {"erase", scene->hub.community, "--change", change, NULL};
    cJSON_Delete(hub_control(&scene->hub, words));
    must_run(&scene->hub, "revoke", scene->hub.community, handle);
    cJSON_Delete(answer);
}

static void begin(struct scene *scene)
{
    hub_open(&scene->hub, "");
    hub_path_of(&scene->hub, "moved", scene->file);
    join(&scene->ben, &scene->hub, scene->hub.dir, "ben");
    write_needs(&scene->ben, NEEDS);
    hub_stop(&scene->hub);
    hub_keep_state(&scene->hub);
    hub_start(&scene->hub);
    hub_open_twin(&scene->other, &scene->hub);
    found(&scene->hub, "Moor End");
    join(&scene->ann, &scene->hub, scene->hub.dir, "ann");
    write_needs(&scene->ann, NEEDS);
    join(&scene->cal, &scene->hub, scene->hub.dir, "cal");
    revoke_and_erase(scene);
}

static void end(struct scene *scene)
{
    device_close(&scene->ann);
    device_close(&scene->ben);
    device_close(&scene->cal);
    hub_close(&scene->other);
    hub_close(&scene->hub);
}

static void export_it(struct scene *scene)
{
    must_run(&scene->hub, "export", scene->hub.community, scene->file);
    CHECK(count_in(&scene->hub, scene->file, "communities") == 1, "not the one community");
    CHECK(count_in(&scene->hub, scene->file, "changes") == (double)hub_log_size(&scene->hub),
          "not all of its changes");
}

static void expect_moved(struct scene *scene)
{
    struct device_host late;
    join(&late, &scene->other, scene->other.dir, "late");
    for (int i = 0; i < 2; i++) {
        device_must_sync(&scene->ann);
        device_must_sync(&late);
    }
    CHECK(device_count(&late, "need") == NEEDS + 5u, "%zu needs", device_count(&late, "need"));
    device_check_equal(&scene->ann, &late);
    size_t known = device_count(&scene->cal, "need");
    write_needs(&scene->ann, 1);
    device_route(&scene->cal, scene->other.port);
    (void)device_sync(&scene->cal, NULL, NULL);
    CHECK(device_count(&scene->cal, "need") == known, "who was revoked got something");
    device_close(&late);
}

static void a_community_moves_to_another_machine_and_its_devices_go_on(void)
{
    static struct scene scene;
    begin(&scene);
    export_it(&scene);
    // What the old one takes from then on, the devices bring along.
    for (int i = 0; i < 5; i++)
        device_add(&scene.ann, "need", "title", "said after the export", NULL);
    device_must_sync(&scene.ann);
    hub_stop(&scene.hub);
    must_refuse(&scene.other, "import", scene.file, "hub runs");
    hub_stop(&scene.other);
    must_run(&scene.other, "import", scene.file, NULL);
    must_run(&scene.other, "verify", NULL, NULL);
    must_refuse(&scene.other, "import", scene.file, "already");
    hub_start(&scene.other);
    device_route(&scene.ben, scene.other.port);
    device_must_sync(&scene.ben);
    CHECK(device_count(&scene.ben, "need") == NEEDS, "Ben's community was touched");
    memcpy(scene.other.community, scene.hub.community, sizeof scene.hub.community);
    join(&scene.ann, &scene.other, NULL, NULL);
    expect_moved(&scene);
    must_run(&scene.other, "verify", NULL, NULL);
    end(&scene);
}

static void what_is_not_one_community_of_this_hub_is_not_taken_in(void)
{
    static struct scene scene;
    static struct hub stranger;
    char whole[HUB_PATH_BYTES];
    begin(&scene);
    export_it(&scene);
    hub_path_of(&scene.hub, "whole", whole);
    must_run(&scene.hub, "backup", whole, NULL);
    cJSON *answer = run(&scene.hub, "export", "Nowhere", whole, true);
    CHECK(strstr(cJSON_GetStringValue(cJSON_GetObjectItem(answer, "error")), "no such community"),
          "a community that is not there was exported");
    cJSON_Delete(answer);
    hub_stop(&scene.hub);
    hub_stop(&scene.other);
    hub_open(&stranger, "");
    hub_stop(&stranger);
    must_refuse(&stranger, "import", whole, "not of one community");
    must_refuse(&stranger, "import", scene.file, "identity key");
    must_run(&stranger, "verify", NULL, NULL);
    hub_start(&stranger);
    CHECK(hub_log_size(&stranger) < NEEDS, "something of another hub is here");
    hub_close(&stranger);
    // Alone, it is a backup like any other.
    hub_lose_database(&scene.hub);
    must_refuse(&scene.hub, "import", scene.file, "no database yet");
    must_run(&scene.hub, "restore", scene.file, NULL);
    hub_start(&scene.hub);
    device_must_sync(&scene.ann);
    end(&scene);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_community_moves_to_another_machine_and_its_devices_go_on",
         a_community_moves_to_another_machine_and_its_devices_go_on},
        {"what_is_not_one_community_of_this_hub_is_not_taken_in",
         what_is_not_one_community_of_this_hub_is_not_taken_in},
    };
    return check_main(cases, 2, argc, argv);
}
