// Torture: of everything that a device or a hub does, each allocation and each call into storage
// fails in its turn. What was asked for is refused or done, nothing is half done, nothing leaks,
// and asked again it works.
//
//   torture [--most N] [--only NAME]       at most about N places of each task and kind (all)

#include <assert.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/fingerprint.h"
#include "tests/torture/scene.h"

enum { PLACES_MAX = 100000 };

// --- one failure ---

struct state {
    uint32_t written;
    uint8_t print[HASH];
};

static void look_at(struct scene *scene, struct state *state)
{
    struct folkmoot_community community;
    struct folkmoot_error error = {0};
    uint64_t records;
    if (!(&scene->phones[0])->fm)
        MUST(!scene_start((&scene->phones[0])), "a phone does not start again");
    MUST(!folkmoot_community_at((&scene->phones[0])->fm, 0, &community),
         "a community is forgotten");
    MUST(!community.alarm[0] && !community.forked && !community.revoked,
         "after place %llu of %d on %s a phone takes the hub for a liar, or itself for a copy: %s",
         (unsigned long long)scene->place, (int)scene->what,
         scene->on_hub ? "the hub" : "the phone", community.alarm);
    MUST(!folkmoot_fingerprint((&scene->phones[0])->fm, state->print, &records, &error),
         "no fingerprint: %s", error.text);
    state->written = community.written;
}

// A hub whose commit failed is opened anew.
static void mend_hub(struct scene *scene)
{
    hub_double_close(scene->hub);
    hub_double_open(scene->hub, scene->hub_path);
}

static void check_unchanged(struct scene *scene, const struct task *task, const struct state *was,
                            enum folkmoot_code code)
{
    struct state is;
    MUST(code == FOLKMOOT_OK || code == FOLKMOOT_STORE || code == FOLKMOOT_INTERNAL,
         "%s: what failed at place %llu of %d is called %d", task->name,
         (unsigned long long)scene->place, (int)scene->what, (int)code);
    look_at(scene, &is);
    bool is_same = memcmp(is.print, was->print, HASH) == 0;
    // Of a commit that failed nobody knows whether it took place; if it did, then all of it.
    bool may_be_done = code == FOLKMOOT_STORE && is.written > was->written;
    MUST(is_same || may_be_done || (!task->reads && code == FOLKMOOT_OK),
         "%s: failed with %d at place %llu of %d, and changed something: %u to %u changes",
         task->name, (int)code, (unsigned long long)scene->place, (int)scene->what, was->written,
         is.written);
    MUST(is.written >= was->written, "%s: a change is lost", task->name);
}

// What was taken in is folded, on both sides alike.
static void check_hub(struct scene *scene, const struct task *task, uint64_t place)
{
    struct state phone;
    struct community community;
    uint8_t print[HASH];
    uint64_t records;
    MUST(!scene_sync(scene, (&scene->phones[0])), "%s: no further sync", task->name);
    look_at(scene, &phone);
    struct txn *txn = txn_begin_read(hub_double_store(scene->hub));
    MUST(!community_get_number(txn, 1, &community) &&
             !fingerprint(txn, &community, print, &records),
         "the hub has no fingerprint");
    txn_abort(&txn);
    MUST(memcmp(print, phone.print, HASH) == 0,
         "%s: after place %llu of %d on %s, phone and hub do not hold the same", task->name,
         (unsigned long long)place, (int)scene->what, scene->on_hub ? "the hub" : "the phone");
}

// False: the task has fewer places.
static bool fail_once(struct scene *scene, const struct task *task, uint64_t place)
{
    struct state was;
    if (task->before)
        MUST(!task->before(scene), "%s: what comes before it fails", task->name);
    look_at(scene, &was);
    scene->place = place;
    if (!scene->on_hub)
        fail_arm(scene->what, place);
    enum folkmoot_code code = task->run(scene);
    bool has_failed = scene->on_hub ? scene->place == 0 : fail_disarm();
    scene->place = place;
    MUST(has_failed || code == FOLKMOOT_OK, "%s: code %d without a failure", task->name, (int)code);
    if (!task->is_session && !task->is_hubs)
        check_unchanged(scene, task, &was, code);
    scene->place = 0;
    bool concerns_hub = task->is_session || task->is_hubs;
    if (concerns_hub && has_failed)
        mend_hub(scene);
    struct state is;
    look_at(scene, &is);
    bool is_done = code == FOLKMOOT_OK || (!concerns_hub && is.written > was.written);
    MUST(is_done || !task->run(scene), "%s: does not work again after place %llu", task->name,
         (unsigned long long)place);
    if (concerns_hub && !task->reads)
        check_hub(scene, task, place);
    return has_failed;
}

#if defined(__SANITIZE_ADDRESS__)
void __lsan_do_leak_check(void);
#define CHECK_LEAKS() __lsan_do_leak_check()
#else
#define CHECK_LEAKS() (void)0
#endif

// How many places the task has where nothing fails.
static uint64_t count_places(struct scene *scene, const struct task *task)
{
    if (task->before)
        MUST(!task->before(scene), "%s: what comes before it fails", task->name);
    scene->counted = 0;
    scene->place = UINT64_MAX;
    if (!scene->on_hub)
        fail_arm(scene->what, UINT64_MAX);
    MUST(!task->run(scene), "%s: it does not work", task->name);
    scene->place = 0;
    return scene->on_hub ? scene->counted : fail_counted();
}

// Each place, or as many as are wanted, spread over all.
static uint64_t torture(struct scene *scene, const struct task *task, enum fail_what what,
                        bool on_hub, uint64_t most)
{
    uint64_t tried = 0;
    scene->what = what;
    scene->on_hub = on_hub;
    uint64_t places = count_places(scene, task);
    uint64_t stride = places / most + 1;
    uint64_t place = 1 + scene->said % stride;
    // What was done before may make it longer each time.
    for (; place <= places && fail_once(scene, task, place); place += stride)
        tried++;
    MUST(tried > 0 || places == 0, "%s: nothing has failed", task->name);
    return tried;
}

static uint64_t torture_all(struct scene *scene, const struct task *task, uint64_t most)
{
    uint64_t tried = 0;
    for (int on_hub = 0; on_hub <= task->is_session; on_hub++) {
        uint64_t memory = torture(scene, task, FAIL_MEMORY, on_hub, most);
        uint64_t storage = torture(scene, task, FAIL_STORAGE, on_hub, most);
        uint64_t late = torture(scene, task, FAIL_STORAGE_LATE, on_hub, most);
        printf("torture: %-18s %-5s %5llu of memory, %5llu and %5llu of storage\n", task->name,
               on_hub || task->is_hubs ? "hub" : "phone", (unsigned long long)memory,
               (unsigned long long)storage, (unsigned long long)late);
        tried += memory + storage + late;
    }
    return tried;
}

// --- all of it ---

static void begin(struct scene *scene)
{
    char link[LINK_MAX];
    struct folkmoot_session *session;
    struct folkmoot_put put = {"title", "a bench"};
    struct folkmoot_put open[] = {{"audience", "organisations"}, {"sensitivity", "ordinary"}};
    (void)snprintf(scene->folder, sizeof scene->folder, "/dev/shm/folkmoot-torture-XXXXXX");
    MUST(mkdtemp(scene->folder), "no folder");
    (void)snprintf(scene->hub_path, sizeof scene->hub_path, "%s/hub", scene->folder);
    scene->hub = hub_double_new(scene->hub_path, 5, 1790000000000);
    for (unsigned i = 0; i < PHONES; i++) {
        struct phone *phone = &scene->phones[i];
        phone->dice.state = i + 1;
        phone->now = 1790000000000;
        (void)snprintf(phone->path, sizeof phone->path, "%s/phone%u", scene->folder, i);
        MUST(!scene_start(phone), "a phone does not start");
        hub_double_invite(scene->hub, i ? ROLE_VOLUNTEER : ROLE_COORDINATOR, link);
        MUST(!folkmoot_join(phone->fm, link, &session, NULL) && !scene_turn(scene, session),
             "not in");
        MUST(!folkmoot_add(phone->fm, "need", &put, 1, 0, i ? scene->other : scene->need, NULL) &&
                 !scene_sync(scene, phone),
             "no need");
        MUST(!folkmoot_edit(phone->fm, "need", i ? scene->other : scene->need, open, 2, 0, NULL) &&
                 !scene_sync(scene, phone),
             "not for observers");
        put.value = "a crossing";
        struct folkmoot_community community;
        MUST(!folkmoot_community_at(phone->fm, 0, &community), "no community");
        memcpy(scene->second, community.device, sizeof scene->second);
    }
    MUST(!scene_sync(scene, (&scene->phones[0])), "not synced");
}

static void end(struct scene *scene)
{
    uint8_t prints[PHONES][HASH];
    uint64_t records;
    for (unsigned i = 0; i < 3 * PHONES; i++)
        MUST(!scene_sync(scene, &scene->phones[i % PHONES]), "a last sync fails");
    for (unsigned i = 0; i < PHONES; i++) {
        MUST(!folkmoot_fingerprint(scene->phones[i].fm, prints[i], &records, NULL),
             "no fingerprint");
        folkmoot_close(&scene->phones[i].fm);
    }
    MUST(memcmp(prints[0], prints[1], HASH) == 0, "the phones do not hold the same in the end");
    hub_double_free(&scene->hub);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"most", required_argument, NULL, 'm'},
                                            {"only", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    static struct scene scene;
    uint64_t most = PLACES_MAX;
    uint64_t tried = 0;
    const char *only = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'm')
            most = strtoull(optarg, NULL, 10);
        else if (option == 'o')
            only = optarg;
        else
            return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    begin(&scene);
    for (size_t i = 0; i < tasks_n; i++) {
        if (!only || strcmp(only, tasks[i].name) == 0)
            tried += torture_all(&scene, &tasks[i], most ? most : 1);
    }
    end(&scene);
    (void)nftw(scene.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    CHECK_LEAKS();
    printf("torture: %llu failures, one at a time: nothing half done, nothing leaked\n",
           (unsigned long long)tried);
    return 0;
}
