// A backup is taken while devices write, the hub is destroyed, and from the backup and what the
// devices have all comes back. Whoever kills folkmootctl halfway has harmed nothing.

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/store.h"
#include "storage/table.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"

enum { WRITERS = 2, BEFORE = 300, KILLS = 60 };

struct writer {
    pthread_t thread;
    struct device_host device;
    atomic_bool is_over;
    atomic_uint receipts;
    unsigned needs;
};

static void write_and_sync(struct writer *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char title[40];
        (void)snprintf(title, sizeof title, "need %u of this one", ++w->needs);
        device_add(&w->device, "need", "title", title, NULL);
    }
    device_must_sync(&w->device);
    atomic_store(&w->receipts, w->needs);
}

static void *write_on(void *arg)
{
    struct writer *w = arg;
    while (!atomic_load(&w->is_over))
        write_and_sync(w, 3);
    return NULL;
}

static void open_writer(struct writer *w, struct hub *hub, const char *name)
{
    char link[HUB_LINK_BYTES];
    *w = (struct writer){.needs = 0};
    device_open(&w->device, hub->dir, name);
    hub_invite(hub, "volunteer", link);
    device_must_join(&w->device, link);
    write_and_sync(w, BEFORE);
}

static void run(struct hub *hub, const char *command, const char *file)
{
    const char *const words[] = {command, file, NULL};
    cJSON_Delete(hub_on_files(hub, words, false));
}

// It ends with an error that has these words.
static void must_refuse(struct hub *hub, const char *const *words, const char *why)
{
    cJSON *answer = hub_on_files(hub, words, true);
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "error"));
    CHECK(error && strstr(error, why), "%s: %s", words[0], error ? error : "it was done");
    cJSON_Delete(answer);
}

static double changes_in(struct hub *hub, const char *file)
{
    const char *const words[] = {"verify", file, NULL};
    cJSON *answer = hub_on_files(hub, words, false);
    double changes = cJSON_GetNumberValue(cJSON_GetObjectItem(answer, "changes"));
    cJSON_Delete(answer);
    return changes;
}

static void destroy(struct hub *hub)
{
    hub_kill(hub);
    hub_lose_database(hub);
}

// Words that are lost to the hub only: the devices have them, and give them back.
static void check_all_back(struct hub *hub, struct writer *writers)
{
    struct device_host late;
    char link[HUB_LINK_BYTES];
    size_t needs = 0;
    for (int i = 0; i < 2 * WRITERS; i++)
        device_must_sync(&writers[i % WRITERS].device);
    for (int i = 0; i < WRITERS; i++)
        needs += writers[i].needs;
    device_open(&late, hub->dir, "late");
    hub_invite(hub, "volunteer", link);
    device_must_join(&late, link);
    device_must_sync(&late);
    CHECK(device_count(&late, "need") == needs, "not all %zu needs are back", needs);
    for (int i = 0; i < WRITERS; i++) {
        device_must_sync(&writers[i].device);
        device_check_equal(&writers[i].device, &late);
    }
    device_close(&late);
}

static void from_a_backup_that_was_taken_while_devices_wrote_all_comes_back(void)
{
    static struct writer writers[WRITERS];
    char file[HUB_PATH_BYTES];
    struct hub hub;
    hub_open(&hub, "");
    hub_path_of(&hub, "backup", file);
    for (int i = 0; i < WRITERS; i++)
        open_writer(&writers[i], &hub, (const char *[]){"ann", "ben"}[i]);
    for (int i = 0; i < WRITERS; i++)
        CHECK(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]) == 0, "a thread");
    for (int round = 0; round < 5; round++) {
        unsigned receipts = 0;
        for (int i = 0; i < WRITERS; i++)
            receipts += atomic_load(&writers[i].receipts);
        run(&hub, "backup", file);
        double changes = changes_in(&hub, file);
        CHECK(changes >= receipts, "%.0f changes of %u that had a receipt", changes, receipts);
        run(&hub, "verify", NULL);
    }
    for (int i = 0; i < WRITERS; i++) {
        atomic_store(&writers[i].is_over, true);
        pthread_join(writers[i].thread, NULL);
        write_and_sync(&writers[i], 3);
    }
    destroy(&hub);
    run(&hub, "restore", file);
    run(&hub, "verify", NULL);
    hub_start(&hub);
    check_all_back(&hub, writers);
    run(&hub, "verify", NULL);
    hub_stop(&hub);
    run(&hub, "compact", NULL);
    run(&hub, "verify", NULL);
    hub_start(&hub);
    check_all_back(&hub, writers);
    for (int i = 0; i < WRITERS; i++)
        device_close(&writers[i].device);
    hub_close(&hub);
}

// Either nothing has happened, or all of it.
static void a_kill_at_any_instant_of_a_backup_or_a_restore_harms_nothing(void)
{
    static struct writer writer;
    char file[HUB_PATH_BYTES], second[HUB_PATH_BYTES];
    uint64_t random = check_seed();
    struct hub hub;
    struct stat st;
    unsigned done = 0;
    int kills = check_slowness() > 1 ? KILLS / 5 : KILLS;
    hub_open(&hub, "");
    hub_path_of(&hub, "backup", file);
    hub_path_of(&hub, "second", second);
    open_writer(&writer, &hub, "ann");
    run(&hub, "backup", file);
    double changes = changes_in(&hub, file);
    uint64_t within_us = UINT64_C(15000) * check_slowness();
    for (int i = 0; i < kills; i++) {
        const char *const words[] = {"backup", second, NULL};
        (void)unlink(second);
        hub_kill_command(&hub, words, check_random(&random) % within_us);
        if (stat(second, &st) == 0) {
            CHECK(changes_in(&hub, second) == changes, "a backup that is not whole");
            done++;
        }
    }
    hub_stop(&hub);
    for (int i = 0; i < kills; i++) {
        const char *const words[] = {i % 2 ? "restore" : "compact", i % 2 ? file : NULL, NULL};
        hub_kill_command(&hub, words, check_random(&random) % (2 * within_us));
        run(&hub, "verify", NULL);
    }
    hub_start(&hub);
    device_must_sync(&writer.device);
    device_must_sync(&writer.device);
    CHECK(device_count(&writer.device, "need") == writer.needs, "a need is lost");
    write_and_sync(&writer, 5);
    run(&hub, "verify", NULL);
    CHECK(kills < KILLS || (done > 0 && done < KILLS), "%u of %d backups had ended", done, KILLS);
    printf("    %d backups killed, %u of them had ended; %d restores and compactions killed\n",
           kills, done, kills);
    device_close(&writer.device);
    hub_close(&hub);
}

static void a_backup_is_put_back_only_where_it_belongs(void)
{
    static struct writer writer;
    struct hub hub;
    char file[HUB_PATH_BYTES], key[HUB_PATH_BYTES], kept[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_path_of(&hub, "backup", file);
    hub_path_of(&hub, "state/identity.key", key);
    hub_path_of(&hub, "kept.key", kept);
    open_writer(&writer, &hub, "ann");
    run(&hub, "backup", file);
    const char *const words[] = {"restore", file, NULL};
    must_refuse(&hub, words, "hub runs");
    hub_stop(&hub);
    CHECK(rename(key, kept) == 0, "rename");
    must_refuse(&hub, words, "identity key");
    CHECK(rename(kept, key) == 0, "rename");
    hub_start(&hub);
    device_must_sync(&writer.device);
    device_close(&writer.device);
    hub_close(&hub);
}

static void what_is_damaged_does_not_take_the_databases_place(void)
{
    static struct writer writer;
    struct hub hub;
    char keys[HUB_PATH_BYTES], aside[HUB_PATH_BYTES], copy[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_path_of(&hub, "state/db/keys", keys);
    hub_path_of(&hub, "aside", aside);
    hub_path_of(&hub, "kept/db", copy);
    open_writer(&writer, &hub, "ann");
    hub_stop(&hub);
    CHECK(rename(keys, aside) == 0, "rename");
    hub_keep_state(&hub); // a copy without keys: all words are lost in it
    must_refuse(&hub, (const char *[]){"compact", NULL}, "faults were found");
    CHECK(rename(aside, keys) == 0, "rename");
    must_refuse(&hub, (const char *[]){"restore", copy, NULL}, "faults were found");
    // The hub's own words are lost, too.
    must_refuse(&hub, (const char *[]){"restore", copy, "--force", NULL}, "begin anew");
    run(&hub, "verify", NULL);
    hub_start(&hub);
    for (int i = 0; i < 3; i++)
        device_must_sync(&writer.device);
    device_close(&writer.device);
    hub_close(&hub);
}

// Each row is sound, but one is not what the log says.
static void alter(const char *path)
{
    struct store *store = NULL;
    struct fault fault = {0};
    const struct store_options options = {.read_only = false};
    CHECK(store_open(path, &options, &store, &fault) == OK, "%s", fault.text);
    struct txn *txn = txn_begin_write(store);
    struct walk walk;
    uint8_t key[256];
    size_t n = 0;
    walk_begin(&walk, txn, TABLE_LIVE, bytes_of(NULL, 0), bytes_of(NULL, 0));
    if (walk_next(&walk)) {
        n = walk.key.n;
        memcpy(key, walk.key.p, n);
    }
    walk_end(&walk);
    CHECK(n > 0, "no row");
    table_delete(txn, TABLE_LIVE, bytes_of(key, n));
    CHECK(txn_commit(&txn) == OK, "commit");
    store_close(&store);
}

static void what_the_log_does_not_say_is_restored_only_by_force(void)
{
    static struct writer writer;
    struct hub hub;
    char copy[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_path_of(&hub, "kept/db", copy);
    open_writer(&writer, &hub, "ann");
    hub_stop(&hub);
    hub_keep_state(&hub);
    alter(copy);
    must_refuse(&hub, (const char *[]){"restore", copy, NULL}, "1 faults were found");
    run(&hub, "verify", NULL);
    cJSON *answer = hub_on_files(&hub, (const char *[]){"restore", copy, "--force", NULL}, true);
    CHECK(!cJSON_HasObjectItem(answer, "error"), "it was not forced");
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(answer, "faults")) == 1, "the fault is not told");
    cJSON_Delete(answer);
    hub_start(&hub);
    for (int i = 0; i < 3; i++)
        device_must_sync(&writer.device);
    device_close(&writer.device);
    hub_close(&hub);
}

static int hold(struct hub *hub, const char *name)
{
    char path[HUB_PATH_BYTES];
    hub_path_of(hub, name, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0, "%s", path);
    return fd;
}

static void two_at_a_time_do_not_disturb_each_other(void)
{
    struct hub hub;
    char file[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_path_of(&hub, "backup", file);
    int fd = hold(&hub, "backup.new");
    must_refuse(&hub, (const char *[]){"backup", file, NULL}, "another process is writing");
    (void)close(fd);
    run(&hub, "backup", file);
    fd = hold(&hub, "state/verify.lock");
    must_refuse(&hub, (const char *[]){"verify", file, NULL}, "wait until it ends");
    (void)close(fd);
    run(&hub, "verify", file);
    // Its own directory by name is not read where the hub writes: only a copy counts changes.
    hub_path_of(&hub, "state/db", file);
    CHECK(changes_in(&hub, file) > 0, "the database of a hub that runs was read in its place");
    hub_close(&hub);
}

static void make_folder(struct hub *hub, const char *name)
{
    char path[HUB_PATH_BYTES], inner[HUB_PATH_BYTES + 8];
    hub_path_of(hub, name, path);
    (void)snprintf(inner, sizeof inner, "%s/inner", path);
    CHECK(mkdir(path, 0700) == 0 && mkdir(inner, 0700) == 0, "%s", path);
}

static unsigned count_names(struct hub *hub, const char *prefix)
{
    char path[HUB_PATH_BYTES];
    unsigned n = 0;
    hub_path_of(hub, "state", path);
    DIR *folder = opendir(path);
    CHECK(folder, "%s", path);
    for (const struct dirent *entry; (entry = readdir(folder));)
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    (void)closedir(folder);
    return n;
}

static void what_was_cut_off_is_cleared_away_and_an_old_database_is_kept(void)
{
    struct hub hub;
    hub_open(&hub, "");
    hub_stop(&hub);
    make_folder(&hub, "state/db.verifying");
    make_folder(&hub, "state/db.restoring");
    (void)close(hold(&hub, "state/db.unfinished"));
    hub_start(&hub);
    hub_stop(&hub);
    CHECK(count_names(&hub, "db") == 1, "something is left");
    make_folder(&hub, "state/db.restoring");
    hub_start(&hub);
    hub_stop(&hub);
    CHECK(count_names(&hub, "db.before-") == 1 && count_names(&hub, "db") == 2, "it is not kept");
    make_folder(&hub, "state/db.restoring");
    run(&hub, "compact", NULL);
    CHECK(count_names(&hub, "db.before-") == 2 && count_names(&hub, "db") == 3, "it is not kept");
    hub_close(&hub);
}

// As root, of a hub whose user has laid a link there.
static void root_is_not_led_elsewhere(void)
{
    struct hub hub;
    struct stat st;
    char orders[HUB_PATH_BYTES], lock[HUB_PATH_BYTES], secret[HUB_PATH_BYTES];
    char state[HUB_PATH_BYTES], errors[HUB_PATH_BYTES];
    hub_open(&hub, "");
    hub_stop(&hub);
    hub_path_of(&hub, "state", state);
    hub_path_of(&hub, "errors", errors);
    hub_path_of(&hub, "secret", secret);
    hub_path_of(&hub, "state/db/orders", orders);
    hub_path_of(&hub, "state/lock", lock);
    (void)close(hold(&hub, "secret"));
    (void)unlink(orders);
    CHECK(symlink(secret, orders) == 0 && chmod(hub.dir, 0711) == 0, "symlink");
    must_refuse(&hub, (const char *[]){"compact", NULL}, "orders");
    CHECK(unlink(orders) == 0 && unlink(lock) == 0 && symlink(secret, lock) == 0, "symlink");
    must_refuse(&hub, (const char *[]){"compact", NULL}, "lock");
    CHECK(unlink(lock) == 0, "unlink");
    const char *const argv[] = {"/bin/chown", "-R", "65534:65534", state, NULL};
    int code;
    free(child_output(argv, errors, &code));
    if (code == 0 && geteuid() == 0) {
        make_folder(&hub, "state/db.verifying");
        make_folder(&hub, "state/db.restoring");
        (void)close(hold(&hub, "state/db.unfinished"));
        run(&hub, "compact", NULL);
        run(&hub, "verify", NULL);
        CHECK(stat(lock, &st) == 0 && st.st_uid == 65534, "root has kept the lock");
        CHECK(count_names(&hub, "db") == 1, "root has left something");
        hub_path_of(&hub, "state/db/data.mdb", lock);
        CHECK(stat(lock, &st) == 0 && st.st_uid == 65534, "root has kept the database");
    }
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"from_a_backup_that_was_taken_while_devices_wrote_all_comes_back",
         from_a_backup_that_was_taken_while_devices_wrote_all_comes_back},
        {"a_kill_at_any_instant_of_a_backup_or_a_restore_harms_nothing",
         a_kill_at_any_instant_of_a_backup_or_a_restore_harms_nothing},
        {"a_backup_is_put_back_only_where_it_belongs", a_backup_is_put_back_only_where_it_belongs},
        {"what_is_damaged_does_not_take_the_databases_place",
         what_is_damaged_does_not_take_the_databases_place},
        {"what_the_log_does_not_say_is_restored_only_by_force",
         what_the_log_does_not_say_is_restored_only_by_force},
        {"two_at_a_time_do_not_disturb_each_other", two_at_a_time_do_not_disturb_each_other},
        {"what_was_cut_off_is_cleared_away_and_an_old_database_is_kept",
         what_was_cut_off_is_cleared_away_and_an_old_database_is_kept},
        {"root_is_not_led_elsewhere", root_is_not_led_elsewhere},
    };
    return check_main(cases, 8, argc, argv);
}
