// The hub's disk fails at one operation after the other, once or for a while: whoever asked hears
// that nothing was taken, nothing with a receipt is lost, reading goes on, and when the disk is
// well again so is the hub, without a restart.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/faildisk.h"
#include "tests/e2e/hub.h"

enum { TRIES_MAX = 100, STEP = 3, OPERATIONS_MAX = 400 };

static struct faildisk *disk;
static char disk_path[64];

static void make_disk(void)
{
    (void)snprintf(disk_path, sizeof disk_path, "/tmp/folkmoot-faildisk-XXXXXX");
    int fd = mkstemp(disk_path);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *disk) == 0, "%s", strerror(errno));
    void *at = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED, "%s", strerror(errno));
    disk = at;
    (void)close(fd);
}

static void break_disk(uint64_t from_now, uint64_t n, int code)
{
    uint64_t next = atomic_load(&disk->operations) + from_now;
    atomic_store(&disk->code, code);
    atomic_store(&disk->failed, 0);
    atomic_store(&disk->fails_to, next + n - 1);
    atomic_store(&disk->fails_from, next);
}

static void mend_disk(void)
{
    atomic_store(&disk->fails_from, 0);
}

struct scene {
    struct hub hub;
    struct device_host writer;
    struct device_host reader;
    unsigned needs;
    unsigned refused;
};

static void open_joined(struct device_host *device, struct hub *hub, const char *name)
{
    char link[HUB_LINK_BYTES];
    device_open(device, hub->dir, name);
    hub_invite(hub, "coordinator", link);
    device_must_join(device, link);
}

static void sync_until_it_works(struct device_host *device)
{
    struct folkmoot_error error;
    for (int i = 0; device_sync(device, NULL, &error) != FOLKMOOT_OK; i++) {
        CHECK(i < TRIES_MAX, "%s", error.text);
        check_sleep_ms(100);
    }
}

// Each round writes two needs and erases one of an earlier round, so that keys are rewritten, too.
static void write_some(struct scene *scene)
{
    static uint8_t last[16];
    uint8_t id[16];
    char title[40];
    (void)snprintf(title, sizeof title, "need %u", scene->needs);
    device_add(&scene->writer, "need", "title", title, id);
    device_add(&scene->writer, "need", "title", title, NULL);
    if (scene->needs)
        CHECK(folkmoot_erase(scene->writer.fm, "need", last, true, NULL, NULL) == FOLKMOOT_OK,
              "not erased");
    memcpy(last, id, sizeof last);
    scene->needs += 2;
}

// False: the sync took fewer operations.
static bool fail_at(struct scene *scene, uint64_t at, uint64_t n, int code)
{
    struct folkmoot_error error = {0};
    struct folkmoot_community before = device_community(&scene->writer);
    write_some(scene);
    break_disk(at, n, code);
    enum folkmoot_code said = device_sync(&scene->writer, NULL, &error);
    CHECK(said == FOLKMOOT_OK || said == FOLKMOOT_NETWORK, "code %d: %s", (int)said, error.text);
    scene->refused += said != FOLKMOOT_OK;
    struct folkmoot_community after = device_community(&scene->writer);
    CHECK(after.written - after.unsent >= before.written - before.unsent, "a receipt taken back");
    bool was_met = atomic_load(&disk->failed) > 0;
    device_must_sync(&scene->reader); // what only reads goes on meanwhile
    mend_disk();
    sync_until_it_works(&scene->writer);
    return was_met;
}

static void check_all(struct scene *scene)
{
    struct device_host late;
    open_joined(&late, &scene->hub, "late");
    device_must_sync(&late);
    device_must_sync(&scene->writer);
    device_must_sync(&scene->reader);
    device_check_equal(&scene->writer, &late);
    device_check_equal(&scene->writer, &scene->reader);
    device_close(&late);
}

static void run(uint64_t n, int code, uint64_t step)
{
    struct scene scene = {.needs = 0};
    unsigned met = 0;
    hub_open(&scene.hub, "");
    open_joined(&scene.writer, &scene.hub, "writer");
    open_joined(&scene.reader, &scene.hub, "reader");
    for (uint64_t at = 1; at < OPERATIONS_MAX && fail_at(&scene, at, n, code); at += step)
        met++;
    check_all(&scene);
    printf("    %u places of failure, %u syncs refused\n", met, scene.refused);
    CHECK(met > 1 && scene.refused > 0, "the disk did not fail");
    device_close(&scene.writer);
    device_close(&scene.reader);
    hub_stop(&scene.hub);
    hub_start(&scene.hub);
    hub_close(&scene.hub);
}

static void one_operation_fails_with_an_error_of_input_or_output(void)
{
    run(1, EIO, 1);
}

static void the_disk_fails_for_a_while(void)
{
    run(1000000, EIO, STEP);
}

static void the_disk_is_full_for_a_while(void)
{
    run(1000000, ENOSPC, STEP);
}

static void the_disk_may_only_be_read_for_a_while(void)
{
    run(1000000, EROFS, STEP);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"one_operation_fails_with_an_error_of_input_or_output",
         one_operation_fails_with_an_error_of_input_or_output},
        {"the_disk_fails_for_a_while", the_disk_fails_for_a_while},
        {"the_disk_is_full_for_a_while", the_disk_is_full_for_a_while},
        {"the_disk_may_only_be_read_for_a_while", the_disk_may_only_be_read_for_a_while},
    };
    make_disk();
    CHECK(setenv(FAILDISK_FILE, disk_path, 1) == 0 && setenv("LD_PRELOAD", FAILDISK_PATH, 1) == 0,
          "the environment");
    // A sanitizer's library does not mind being the second.
    const char *options = getenv("ASAN_OPTIONS");
    char more[300];
    (void)snprintf(more, sizeof more, "%s:verify_asan_link_order=0", options ? options : "");
    CHECK(setenv("ASAN_OPTIONS", more, 1) == 0, "the environment");
    int failed = check_main(cases, sizeof cases / sizeof *cases, argc, argv);
    (void)unlink(disk_path);
    return failed;
}
