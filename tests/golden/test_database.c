// The databases and backups of each format that was released are opened for ever, and hold what
// they held (tests/golden/keep_database.sh made them).

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/text.h"
#include "storage/counts.h"
#include "storage/dump.h"
#include "sync/counts.h"
#include "sync/fingerprint.h"
#include "sync/verify.h"
#include "tests/leaks.h"

enum { PATH_BYTES = 512, FILE_MAX = 4 << 20, MAP_SIZE = 256 << 20, PAGE = 4096 };

static const struct release {
    const char *folder;
    const char *hub;    // its records' fingerprint
    const char *device; // so
    uint64_t hub_records;
    uint64_t device_records;
    uint64_t changes; // in the hub's log
} releases[] = {
    {"format-3", "bc8ca2f84453fbddad46d74aac627c11c876dfd5e93d577a6f0d01f8dad3906e",
     "bc8ca2f84453fbddad46d74aac627c11c876dfd5e93d577a6f0d01f8dad3906e", 52, 52, 95},
};

enum { RELEASES = sizeof releases / sizeof *releases };

static char work[PATH_BYTES / 2];

static void set_up(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(work, sizeof work, "%s/folkmoot-XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(work), "%s", work);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    (void)nftw(work, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(database, .init = set_up, .fini = tear_down);

static void unpack(const struct release *release, const char *name, const char *to)
{
    static uint8_t packed[FILE_MAX], file[FILE_MAX];
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s/%s.zst", GOLDEN_FOLDER, release->folder, name);
    FILE *in = fopen(path, "re");
    FILE *out = fopen(to, "we");
    cr_assert(in && out, "%s", path);
    size_t n = ZSTD_decompress(file, sizeof file, packed, fread(packed, 1, sizeof packed, in));
    cr_assert(!ZSTD_isError(n) && fwrite(file, 1, n, out) == n, "%s", path);
    (void)fclose(in);
    cr_assert_eq(fclose(out), 0);
}

// False where pages have another size: LMDB's file is this machine's own.
static bool unpack_store(const struct release *release, const char *which, char path[PATH_BYTES])
{
    static const char *const files[][2] = {
        {"data", "data.mdb"}, {"keys", "keys/00000001-0000000000000000"}, {"orders", "orders"}};
    char name[64], to[PATH_BYTES + 64];
    if (sysconf(_SC_PAGESIZE) != PAGE || sizeof(size_t) != 8 || *(const uint8_t *)&(int){1} != 1)
        return false;
    (void)snprintf(path, PATH_BYTES, "%s/%s", work, which);
    (void)snprintf(to, sizeof to, "%s/keys", path);
    cr_assert(mkdir(path, 0700) == 0 && mkdir(to, 0700) == 0);
    for (size_t i = 0; i < (strcmp(which, "hub") == 0 ? 3 : 2); i++) {
        (void)snprintf(name, sizeof name, "%s.%s", which, files[i][0]);
        (void)snprintf(to, sizeof to, "%s/%s", path, files[i][1]);
        unpack(release, name, to);
    }
    return true;
}

static struct store *open_store(const char *path)
{
    struct store *store = NULL;
    struct fault fault = {0};
    const struct store_options options = {.map_size = MAP_SIZE};
    cr_assert_eq(store_open(path, &options, &store, &fault), OK, "%s", fault.text);
    return store;
}

static void tell(void *arg, const struct row *row, enum row_fault fault)
{
    (void)arg;
    cr_assert(false, "%s: fault %d at position %llu", row->table, (int)fault,
              (unsigned long long)row->position);
}

static void read_on(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static const struct scrub scrub = {tell, read_on, NULL};

static void expect_print(struct store *store, const char *wanted, uint64_t wanted_records)
{
    struct community community;
    uint8_t print[HASH_SIZE];
    char hex[2 * HASH_SIZE + 1];
    uint64_t records;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(community_get_number(txn, 1, &community), OK);
    cr_assert_eq(fingerprint(txn, &community, print, &records), OK);
    text_hex(BYTES(print), hex);
    cr_expect_str_eq(hex, wanted);
    cr_expect_eq(records, wanted_records, "%llu records", (unsigned long long)records);
}

// The counts that the format did not have are made, once, and are what the log makes them.
static void expect_sound(struct store *store)
{
    struct txn *txn = txn_begin_read(store);
    cr_expect_not(counts_are_kept(txn, 1));
    txn_abort(&txn);
    cr_assert_eq(counts_make(store), OK);
    txn = txn_begin_read(store);
    cr_expect(counts_are_kept(txn, 1));
    txn_abort(&txn);
    char path[PATH_BYTES];
    struct fault fault = {0};
    (void)snprintf(path, sizeof path, "%s/scratch", work);
    struct store *scratch = open_store(path);
    cr_assert_eq(verify_store(store, scratch, &scrub, &fault), OK, "%s", fault.text);
    store_close(&scratch);
}

Test(database, of_a_hub_of_each_release_is_sound_and_holds_what_it_held)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < RELEASES; i++) {
        if (!unpack_store(&releases[i], "hub", path))
            cr_skip_test("LMDB's file is of another machine");
        // Twice: what the first opening brings up to date stays so.
        for (int times = 0; times < 2; times++) {
            struct store *store = open_store(path);
            expect_print(store, releases[i].hub, releases[i].hub_records);
            store_close(&store);
        }
        struct store *store = open_store(path);
        expect_sound(store);
        store_close(&store);
        tear_down();
        set_up();
    }
    expect_no_leaks();
}

Test(database, of_a_device_of_each_release_holds_what_it_held)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < RELEASES; i++) {
        if (!unpack_store(&releases[i], "device", path))
            cr_skip_test("LMDB's file is of another machine");
        struct store *store = open_store(path);
        expect_print(store, releases[i].device, releases[i].device_records);
        store_close(&store);
        tear_down();
        set_up();
    }
}

Test(database, of_a_backup_of_each_release_is_restored)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < RELEASES; i++) {
        struct dump dump;
        struct fault fault = {0};
        (void)snprintf(path, sizeof path, "%s/%s/backup", GOLDEN_FOLDER, releases[i].folder);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        cr_assert_geq(fd, 0, "%s", path);
        (void)snprintf(path, sizeof path, "%s/restored", work);
        struct store *store = open_store(path);
        cr_assert_eq(dump_read(store, fd, DUMP_OLDER, &dump, &fault), OK, "%s", fault.text);
        cr_expect_eq(dump.changes, releases[i].changes, "%llu changes",
                     (unsigned long long)dump.changes);
        expect_print(store, releases[i].hub, releases[i].hub_records);
        expect_sound(store);
        store_close(&store);
        (void)close(fd);
        tear_down();
        set_up();
    }
}
