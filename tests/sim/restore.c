// The hub's disk is lost, and an old copy of its store is all that there is; but what it was
// ordered to erase is noted apart.

#include <stdio.h>
#include <unistd.h>

#include "client/state.h"
#include "tests/sim/sim.h"
#include "tests/sync/world.h"

static void save_hub(struct sim *sim)
{
    (void)snprintf(sim->hub_saved, sizeof sim->hub_saved, "%s/hub%u", sim->folder, sim->copies++);
    hub_double_close(sim->hub);
    sim_copy_folder(sim->hub_path, sim->hub_saved);
    hub_double_open(sim->hub, sim->hub_path);
    check_log(sim);
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
    (void)snprintf(sim->hub_path, sizeof sim->hub_path, "%s/hub%u", sim->folder, sim->copies++);
    sim_copy_folder(sim->hub_saved, sim->hub_path);
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
