// Disks that are full, or may only be read: whoever asks hears what is the matter, nothing with a
// receipt is lost, reading goes on, and so does writing when there is room again, without a
// restart.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"

// Where hub_open puts its directory, and where the devices are.
#define HUB_DISK   "/dev/shm"
#define PHONE_DISK "/mnt"

enum { WORDS = 12000, AT_ONCE = 20, TRIES_MAX = 60, ROOM_LEFT = 700 << 10 };

// --- disks ---

static void mount_disk(const char *at, const char *size)
{
    char options[40];
    (void)snprintf(options, sizeof options, "size=%s,mode=0700", size);
    CHECK(mount("tmpfs", at, "tmpfs", 0, options) == 0, "%s: %s", at, strerror(errno));
}

static void remount(const char *at, bool only_to_read)
{
    unsigned long flags = MS_REMOUNT | (only_to_read ? MS_RDONLY : 0);
    CHECK(mount("tmpfs", at, "tmpfs", flags, NULL) == 0, "%s: %s", at, strerror(errno));
}

// Leaves so many bytes.
static void fill(const char *path, const char *disk, uint64_t left)
{
    struct statvfs about;
    CHECK(statvfs(disk, &about) == 0, "%s", strerror(errno));
    uint64_t room = (uint64_t)about.f_bavail * about.f_frsize;
    CHECK(room > left, "there are %llu bytes", (unsigned long long)room);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && posix_fallocate(fd, 0, (off_t)(room - left)) == 0, "no ballast");
    (void)close(fd);
}

// --- devices ---

// Words that do not pack.
static enum folkmoot_code write_needs(struct device_host *device, unsigned n,
                                      struct folkmoot_error *error)
{
    static uint64_t random = 11;
    static char words[WORDS + 1];
    struct folkmoot_put put = {"words", words};
    enum folkmoot_code code = FOLKMOOT_OK;
    for (unsigned i = 0; i < n && !code; i++) {
        uint8_t id[16];
        for (size_t k = 0; k < WORDS; k++)
            words[k] = (char)('!' + check_random(&random) % 90);
        code = folkmoot_add(device->fm, "need", &put, 1, 0, id, error);
    }
    return code;
}

static void open_joined(struct device_host *device, struct hub *hub, const char *dir,
                        const char *name)
{
    char link[HUB_LINK_BYTES];
    device_open(device, dir, name);
    hub_invite(hub, "volunteer", link);
    device_must_join(device, link);
}

static uint32_t receipts_of(struct device_host *device)
{
    struct folkmoot_community own = device_community(device);
    return own.written - own.unsent;
}

// Until the hub has no more room. Returns how many changes have a receipt.
static uint32_t push_until_refused(struct device_host *device, struct folkmoot_error *error)
{
    enum folkmoot_code code = FOLKMOOT_OK;
    for (int i = 0; i < TRIES_MAX && !code; i++) {
        CHECK(!write_needs(device, AT_ONCE, error), "%s", error->text);
        uint32_t before = receipts_of(device);
        code = device_sync(device, NULL, error);
        CHECK(receipts_of(device) >= before, "a receipt was taken back");
    }
    CHECK(code == FOLKMOOT_NETWORK, "code %d: %s", (int)code, error->text);
    return receipts_of(device);
}

// The hub rests a little longer after each failure.
static void sync_until_it_works(struct device_host *device)
{
    struct folkmoot_error error;
    for (int i = 0; device_sync(device, NULL, &error) != FOLKMOOT_OK; i++) {
        CHECK(i < TRIES_MAX, "%s", error.text);
        check_sleep_ms(500);
    }
}

// --- the tests ---

static void a_full_disk_of_the_hub_is_said_and_passes(void)
{
    struct hub hub;
    struct device_host writer, reader, late;
    struct folkmoot_error error = {0};
    mount_disk(HUB_DISK, "24m");
    mount_disk(PHONE_DISK, "80m");
    hub_open(&hub, "");
    open_joined(&writer, &hub, PHONE_DISK, "writer");
    open_joined(&reader, &hub, PHONE_DISK, "reader");
    open_joined(&late, &hub, PHONE_DISK, "late");
    fill(HUB_DISK "/ballast", HUB_DISK, ROOM_LEFT);
    uint32_t receipts = push_until_refused(&writer, &error);
    CHECK(strstr(error.text, "no room left"), "%s", error.text);
    CHECK(receipts > 0, "nothing fitted at all");
    device_must_sync(&reader);
    CHECK(device_count(&reader, "need") >= receipts, "what has a receipt can be read");
    CHECK(device_sync(&writer, NULL, &error) == FOLKMOOT_NETWORK, "there is room");
    CHECK(unlink(HUB_DISK "/ballast") == 0, "%s", strerror(errno));
    sync_until_it_works(&writer);
    CHECK(device_community(&writer).unsent == 0, "all is there");
    device_must_sync(&late);
    device_must_sync(&reader);
    device_check_equal(&writer, &late);
    device_check_equal(&writer, &reader);
    device_close(&writer);
    device_close(&reader);
    device_close(&late);
    hub_close(&hub);
    CHECK(umount(HUB_DISK) == 0 && umount(PHONE_DISK) == 0, "%s", strerror(errno));
}

static void a_disk_of_the_hub_that_may_only_be_read_is_read(void)
{
    struct hub hub;
    struct device_host writer, late;
    struct folkmoot_error error = {0};
    mount_disk(HUB_DISK, "24m");
    mount_disk(PHONE_DISK, "24m");
    hub_open(&hub, "");
    open_joined(&writer, &hub, PHONE_DISK, "writer");
    open_joined(&late, &hub, PHONE_DISK, "late");
    CHECK(!write_needs(&writer, 3, &error), "%s", error.text);
    device_must_sync(&writer);
    CHECK(!write_needs(&writer, 3, &error), "%s", error.text);
    // What holds a file open to be written would not let it be: the hub's own words.
    enum folkmoot_code code = FOLKMOOT_OK;
    for (int i = 0; mount("tmpfs", HUB_DISK, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) != 0; i++) {
        CHECK(errno == EBUSY && i == 0, "%s", strerror(errno));
        printf("    SKIPPED: a disk with open files cannot be made such\n");
        goto out;
    }
    code = device_sync(&writer, NULL, &error);
    CHECK(code == FOLKMOOT_NETWORK, "code %d: %s", (int)code, error.text);
    device_must_sync(&late);
    CHECK(device_count(&late, "need") == 3, "what is there can be read");
    remount(HUB_DISK, false);
    sync_until_it_works(&writer);
    device_must_sync(&late);
    CHECK(device_count(&late, "need") == 6, "the rest has come");
out:
    device_close(&writer);
    device_close(&late);
    hub_close(&hub);
    CHECK(umount(HUB_DISK) == 0 && umount(PHONE_DISK) == 0, "%s", strerror(errno));
}

static void a_database_at_its_bound_says_so_and_is_read(void)
{
    struct hub hub;
    struct device_host writer, late;
    struct folkmoot_error error = {0};
    mount_disk(PHONE_DISK, "80m");
    hub_open(&hub, "[hub]\ndatabase_bytes = 2M\n");
    open_joined(&writer, &hub, PHONE_DISK, "writer");
    open_joined(&late, &hub, PHONE_DISK, "late");
    uint32_t receipts = push_until_refused(&writer, &error);
    CHECK(strstr(error.text, "no room left"), "%s", error.text);
    device_must_sync(&late);
    CHECK(device_count(&late, "need") >= receipts, "what has a receipt can be read");
    device_close(&writer);
    device_close(&late);
    hub_close(&hub);
    CHECK(umount(PHONE_DISK) == 0, "%s", strerror(errno));
}

static void a_full_phone_says_so_and_goes_on_when_there_is_room(void)
{
    struct hub hub;
    struct device_host phone;
    struct folkmoot_error error = {0};
    hub_open(&hub, "");
    mount_disk(PHONE_DISK, "24m");
    open_joined(&phone, &hub, PHONE_DISK, "phone");
    CHECK(!write_needs(&phone, 3, &error), "%s", error.text);
    fill(PHONE_DISK "/ballast", PHONE_DISK, ROOM_LEFT);
    enum folkmoot_code code = FOLKMOOT_OK;
    for (int i = 0; i < TRIES_MAX && !code; i++)
        code = write_needs(&phone, AT_ONCE, &error);
    CHECK(code == FOLKMOOT_STORE, "code %d: %s", (int)code, error.text);
    printf("    what the phone says: %s\n", error.text);
    uint32_t written = device_community(&phone).written;
    CHECK(device_count(&phone, "need") == written, "what was written can be read");
    CHECK(unlink(PHONE_DISK "/ballast") == 0, "%s", strerror(errno));
    CHECK(!write_needs(&phone, 1, &error), "%s", error.text);
    device_must_sync(&phone);
    CHECK(device_community(&phone).written == written + 1, "each once");
    device_close(&phone);
    CHECK(umount(PHONE_DISK) == 0, "%s", strerror(errno));
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_full_disk_of_the_hub_is_said_and_passes", a_full_disk_of_the_hub_is_said_and_passes},
        {"a_disk_of_the_hub_that_may_only_be_read_is_read",
         a_disk_of_the_hub_that_may_only_be_read_is_read},
        {"a_database_at_its_bound_says_so_and_is_read",
         a_database_at_its_bound_says_so_and_is_read},
        {"a_full_phone_says_so_and_goes_on_when_there_is_room",
         a_full_phone_says_so_and_goes_on_when_there_is_room},
    };
    if (mount("tmpfs", PHONE_DISK, "tmpfs", 0, "size=1m") != 0) {
        printf("SKIPPED: disks cannot be mounted here (%s)\n", strerror(errno));
        return 0;
    }
    CHECK(umount(PHONE_DISK) == 0, "%s", strerror(errno));
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
