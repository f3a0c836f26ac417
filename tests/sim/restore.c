// The hub's disk is lost, and an old backup is all that there is; but what it was ordered to erase
// is noted apart.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "client/state.h"
#include "storage/dump.h"
#include "sync/fingerprint.h"
#include "sync/verify.h"
#include "tests/sim/sim.h"
#include "tests/sync/world.h"

// --- what a hub's store should be ---

static void complain(void *arg, const struct row *row, enum row_fault fault)
{
    sim_fail(arg,
             "the hub's table %s: fault %d of position %llu, device %08x change %u, record "
             "%u:%08x",
             row->table, (int)fault, (unsigned long long)row->position, be32_get(row->device),
             row->seq, row->record.kind, be32_get(row->record.id));
}

static void count_none(void *arg, uint64_t rows)
{
    (void)arg;
    (void)rows;
}

static void name_copy(struct sim *sim, const char *what, char path[SIM_PATH_MAX])
{
    (void)snprintf(path, SIM_PATH_MAX, "%s/%s%u", sim->folder, what, sim->copies++);
}

static struct store *open_store(const char *path)
{
    struct store *store = NULL;
    const struct store_options options = {.map_size = 256 << 20};
    world_must(!store_open(path, &options, &store, NULL), "no store");
    return store;
}

static void back_up(struct sim *sim, char path[SIM_PATH_MAX])
{
    struct dump dump;
    const struct scrub scrub = {complain, count_none, sim};
    name_copy(sim, "backup", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    world_must(fd >= 0 && !dump_write(hub_double_store(sim->hub), fd, 0, &scrub, &dump, NULL),
               "no backup");
    sim_must(sim, dump.changes == sim->log_n, "a backup has %llu changes of %zu",
             (unsigned long long)dump.changes, sim->log_n);
    (void)close(fd);
}

// Into a new folder.
static void load(struct sim *sim, const char *from, bool is_copy, char path[SIM_PATH_MAX])
{
    struct dump dump;
    struct fault fault = {0};
    name_copy(sim, "hub", path);
    struct store *store = open_store(path);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    world_must(fd >= 0, "no backup");
    sim_must(sim, !dump_read(store, fd, is_copy ? DUMP_OLDER : DUMP_ALL, &dump, &fault),
             "a backup: %s", fault.text);
    (void)close(fd);
    store_close(&store);
}

static void verify(struct sim *sim, struct store *store)
{
    char path[SIM_PATH_MAX];
    struct fault fault = {0};
    const struct scrub scrub = {complain, count_none, sim};
    name_copy(sim, "scratch", path);
    struct store *scratch = open_store(path);
    sim_must(sim, !verify_store(store, scratch, &scrub, &fault), "%s", fault.text);
    store_close(&scratch);
}

static void print_of(struct sim *sim, struct store *store, uint8_t print[HASH_SIZE])
{
    struct community community;
    uint64_t records;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    world_must(!community_get_number(txn, sim->community, &community) &&
                   !fingerprint(txn, &community, print, &records),
               "no fingerprint");
}

void check_store(struct sim *sim)
{
    char backup[SIM_PATH_MAX];
    char path[SIM_PATH_MAX];
    uint8_t prints[2][HASH_SIZE];
    verify(sim, hub_double_store(sim->hub));
    back_up(sim, backup);
    load(sim, backup, false, path);
    struct store *store = open_store(path);
    verify(sim, store);
    print_of(sim, hub_double_store(sim->hub), prints[0]);
    print_of(sim, store, prints[1]);
    sim_must(sim, memcmp(prints[0], prints[1], HASH_SIZE) == 0, "a backup holds something else");
    store_close(&store);
}

// --- an old copy ---

static void save_hub(struct sim *sim)
{
    check_log(sim);
    back_up(sim, sim->hub_saved);
    sim->saved_log_n = sim->log_n;
    sim_tell(sim, "the hub is copied, with %zu entries", sim->log_n);
}

// The hub has not heard of it, or not yet.
static void forget_positions(struct sim *sim)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        struct written *written = &sim->registry.p[i];
        if (written->position > sim->saved_log_n) {
            written->position = 0;
            written->was_never_sent = false;
        }
    }
    sim->log_n = sim->saved_log_n;
}

static bool knows(struct sim *sim, const struct sim_device *device)
{
    struct device row;
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(sim->hub));
    return device_get(txn, sim->community, device->handle, &row) == OK;
}

static void keep_orders(const char *from, const char *to)
{
    char old[SIM_PATH_MAX + 8];
    char kept[SIM_PATH_MAX + 8];
    (void)snprintf(old, sizeof old, "%s/orders", from);
    (void)snprintf(kept, sizeof kept, "%s/orders", to);
    (void)unlink(kept);
    world_must(access(old, F_OK) != 0 || link(old, kept) == 0, "the orders cannot be kept");
}

static void restore_hub(struct sim *sim)
{
    char lost[SIM_PATH_MAX];
    memcpy(lost, sim->hub_path, sizeof lost);
    hub_double_close(sim->hub);
    load(sim, sim->hub_saved, true, sim->hub_path);
    keep_orders(lost, sim->hub_path);
    hub_double_open(sim->hub, sim->hub_path);
    hub_double_set_now(sim->hub, ++sim->now);
    hub_double_begin_anew(sim->hub);
    forget_positions(sim);
    check_log(sim);
    sim->round++;
    sim->rounds_left = 1;
    for (size_t i = 0; i < sim->n; i++) {
        struct sim_device *device = &sim->devices[i];
        folkmoot_session_done(&device->session);
        device->is_joined = device->is_joined && knows(sim, device);
        device->is_settled = false;
    }
    sim_tell(sim, "the hub is restored, with %zu entries", sim->log_n);
}

void restore_something(struct sim *sim)
{
    if (!sim->hub_saved[0] || dice_percent(&sim->dice, 40))
        save_hub(sim);
    else
        restore_hub(sim);
}
