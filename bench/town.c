#include "bench/town.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/figure.h"
#include "bench/texts.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/mass.h"
#include "tests/e2e/monitor.h"

enum { FILL_CHANGES = 2000, PATH_BYTES = 512 };

static const char disk[] = "/var/tmp";
static const char no_quota[] = "device_changes_per_day = 0\ndevice_bytes_per_day = 0\n";
static char kept[PATH_BYTES];

void town_keep_in(const char *folder)
{
    (void)snprintf(kept, sizeof kept, "%s", folder);
}

static void open_hub(struct hub *hub, const char *root)
{
    char limits[PATH_BYTES];
    (void)snprintf(limits, sizeof limits, "%s%s" MONITOR_CONFIG, no_quota, TOWN_CROWD);
    hub_open_in(hub, root, limits);
}

// --- phones ---

static int64_t now_ms(void *arg)
{
    struct timespec t;
    (void)arg;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// A phone lets the hub prove a change of somebody's in one sync of eight, as a byte decides that it
// draws: never, so that all syncs are alike.
static void draw(void *arg, void *out, size_t n)
{
    (void)arg;
    CHECK(getrandom(out, n, 0) == (ssize_t)n, "getrandom");
    if (n == 1)
        *(uint8_t *)out = 1;
}

static const struct folkmoot_host host = {now_ms, draw, NULL};

// --- filling ---

static void say_texts(struct town *town, size_t n)
{
    static char texts[FILL_CHANGES][TEXT_BYTES];
    const char *each[FILL_CHANGES];
    struct buf request = {0};
    struct post_answer answer;
    struct peer after;
    CHECK(n <= FILL_CHANGES, "too many at once");
    for (size_t i = 0; i < n; i++) {
        texts_get(town->next++, texts[i]);
        each[i] = texts[i];
    }
    mass_texts(&town->peer, each, n, &request, &after);
    peer_send(&town->peer, buf_bytes(&request), &answer);
    CHECK(peer_receipt(&answer, NULL) == after.seq, "the hub did not take all: %ld %s",
          answer.status, answer.message);
    town->peer = after;
    post_done(&answer);
    buf_done(&request);
}

void town_peer_says(struct town *town, size_t n)
{
    for (size_t left = n; left > 0;) {
        size_t now = left < FILL_CHANGES ? left : FILL_CHANGES;
        say_texts(town, now);
        left -= now;
    }
}

void town_write(struct town *town, struct device_host *device, size_t n)
{
    struct folkmoot_error error = {0};
    char text[TEXT_BYTES];
    CHECK(folkmoot_begin(device->fm, &error) == FOLKMOOT_OK, "%s", error.text);
    for (size_t i = 0; i < n; i++) {
        texts_get(town->next++, text);
        device_add(device, "need", "words", text, NULL);
    }
    CHECK(folkmoot_end(device->fm, true, &error) == FOLKMOOT_OK, "%s", error.text);
}

// --- keeping ---

static void run(const char *const *argv)
{
    int code;
    free(child_output(argv, "/dev/null", &code));
    CHECK(code == 0, "%s ended with %d", argv[0], code);
}

static void copy(const char *from, const char *to)
{
    const char *const argv[] = {"/bin/cp", "-a", "--sparse=always", from, to, NULL};
    run(argv);
}

static void kept_path(size_t records, bool with_phone, const char *name, char path[PATH_BYTES])
{
    char here[PATH_BYTES / 2];
    (void)snprintf(here, sizeof here, "%zu%s", records, with_phone ? "-phone" : "");
    (void)snprintf(path, PATH_BYTES, "%.*s/%s/%s", PATH_BYTES / 3, kept, here, name);
}

static void state_path(const struct town *town, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", town->hub.dir, name);
}

// The community's name is written last: without it nothing was kept.
static void keep(struct town *town, size_t records, bool with_phone)
{
    char from[PATH_BYTES], to[PATH_BYTES], folder[PATH_BYTES];
    kept_path(records, with_phone, ".", folder);
    const char *const remove[] = {"/bin/rm", "-rf", folder, NULL};
    const char *const make[] = {"/bin/mkdir", "-p", folder, NULL};
    folder[strlen(folder) - 2] = '\0';
    run(remove);
    run(make);
    state_path(town, "state", from);
    kept_path(records, with_phone, "state", to);
    copy(from, to);
    if (with_phone) {
        (void)snprintf(from, sizeof from, "%s/phone", town->phones);
        kept_path(records, with_phone, "phone", to);
        copy(from, to);
    }
    kept_path(records, with_phone, "community", to);
    FILE *file = fopen(to, "we");
    CHECK(file, "%s: %s", to, strerror(errno));
    fprintf(file, "%s\n", town->hub.community);
    CHECK(fclose(file) == 0, "%s: %s", to, strerror(errno));
}

static bool kept_community(size_t records, bool with_phone, char community[33])
{
    char path[PATH_BYTES];
    kept_path(records, with_phone, "community", path);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool whole = fgets(community, 33, file) && strlen(community) == 32;
    fclose(file);
    return whole;
}

static void enrol_peer(struct town *town)
{
    town_add_peers(town, &town->peer, 1);
}

void town_add_peers(struct town *town, struct peer *peers, size_t n)
{
    char link[HUB_LINK_BYTES];
    for (size_t i = 0; i < n; i++) {
        hub_invite(&town->hub, "volunteer", link);
        peers[i] = (struct peer){0};
        peer_enrol(&peers[i], town->hub.port, link);
    }
}

void town_found(struct town *town, enum town_place place)
{
    *town = (struct town){0};
    open_hub(&town->hub, place == TOWN_DISK ? disk : NULL);
    enrol_peer(town);
}

static void make(size_t records, bool with_phone)
{
    struct town town = {0};
    figure_say("filling a hub with %zu records, once", records);
    open_hub(&town.hub, disk);
    enrol_peer(&town);
    town_peer_says(&town, records);
    if (with_phone) {
        town_add_phone(&town, "phone", &town.phone);
        device_must_sync(&town.phone);
        device_close(&town.phone);
    }
    hub_stop(&town.hub);
    keep(&town, records, with_phone);
    town_close(&town);
}

// --- life ---

static void make_phones(struct town *town)
{
    if (town->phones[0])
        return;
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(town->phones, sizeof town->phones, "%s/folkmoot-bench-XXXXXX", root);
    CHECK(mkdtemp(town->phones), "%s: %s", town->phones, strerror(errno));
}

void town_add_phone(struct town *town, const char *name, struct device_host *phone)
{
    char link[HUB_LINK_BYTES];
    make_phones(town);
    hub_invite(&town->hub, "volunteer", link);
    device_open_with(phone, town->phones, name, &host);
    device_route(phone, town->hub.port);
    device_must_join(phone, link);
}

static void wake_phone(struct town *town, size_t records)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    make_phones(town);
    kept_path(records, true, "phone", from);
    (void)snprintf(to, sizeof to, "%s/phone", town->phones);
    copy(from, to);
    device_open_with(&town->phone, town->phones, "phone", &host);
    device_route(&town->phone, town->hub.port);
}

void town_open(struct town *town, size_t records, enum town_place place, bool with_phone,
               const char *more)
{
    char community[33], state[PATH_BYTES], limits[PATH_BYTES];
    *town = (struct town){.has_phone = with_phone, .next = records};
    if (!kept_community(records, with_phone, community)) {
        make(records, with_phone);
        CHECK(kept_community(records, with_phone, community), "nothing was kept");
    }
    kept_path(records, with_phone, "state", state);
    (void)snprintf(limits, sizeof limits, "%s%s" MONITOR_CONFIG, no_quota, more);
    hub_open_copy(&town->hub, place == TOWN_DISK ? disk : NULL, state, community, limits);
    enrol_peer(town);
    if (with_phone)
        wake_phone(town, records);
}

void town_close(struct town *town)
{
    if (town->has_phone)
        device_close(&town->phone);
    const char *const remove[] = {"/bin/rm", "-rf", town->phones, NULL};
    if (town->phones[0])
        run(remove);
    hub_close(&town->hub);
}

// --- disk ---

static double bytes_on_disk;

static int add_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)path;
    (void)at;
    if (kind == FTW_F)
        bytes_on_disk += (double)about->st_blocks * 512;
    return 0;
}

double town_disk_bytes(const struct town *town)
{
    char path[PATH_BYTES];
    state_path(town, "state", path);
    bytes_on_disk = 0;
    CHECK(nftw(path, add_one, 16, FTW_PHYS) == 0, "%s: %s", path, strerror(errno));
    return bytes_on_disk;
}
