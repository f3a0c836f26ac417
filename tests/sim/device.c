#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/state.h"
#include "storage/log.h"
#include "tests/sim/faults.h"
#include "tests/sim/sim.h"
#include "tests/sync/world.h"

// --- time and randomness ---

static int64_t device_now(void *arg)
{
    struct sim_device *device = arg;
    return device->sim->now++ + device->skew;
}

static void device_random(void *arg, void *out, size_t n)
{
    struct sim_device *device = arg;
    struct dice dice = {device->seed + 0x1000003 * device->drawn++};
    dice_bytes(&dice, out, n);
}

// --- its life ---

void device_start(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_error error;
    const struct folkmoot_host host = {device_now, device_random, device};
    device->sim = sim;
    enum folkmoot_code code = folkmoot_open(device->path, &host, &device->fm, &error);
    sim_must(sim, !code, "a device does not open its store any more: %s", error.text);
    device_note(sim, device);
}

void device_stop(struct sim_device *device)
{
    folkmoot_session_done(&device->session);
    folkmoot_close(&device->fm);
}

void device_restart(struct sim *sim, struct sim_device *device)
{
    device_stop(device);
    faults_clear();
    device_start(sim, device);
}

static void copy_file(const char *from, const char *to)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    world_must(in >= 0 && out >= 0 && fstat(in, &st) == 0, "a file cannot be copied");
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        world_must(n > 0, "a file cannot be copied");
        left -= n;
    }
    close(in);
    close(out);
}

static const char *copy_from;
static const char *copy_to;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    char to[2 * SIM_PATH_MAX];
    (void)snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
    if (type == FTW_D)
        world_must(mkdir(to, 0700) == 0, "a folder cannot be made");
    else
        copy_file(path, to);
    return 0;
}

void sim_copy_folder(const char *from, const char *to)
{
    copy_from = from;
    copy_to = to;
    world_must(nftw(from, copy_one, 8, FTW_PHYS) == 0, "a folder cannot be copied");
}

struct sim_device *device_copy(struct sim *sim, struct sim_device *device)
{
    if (sim->n == SIM_DEVICES_MAX)
        return NULL;
    struct sim_device *copy = &sim->devices[sim->n++];
    *copy = *device;
    copy->fm = NULL;
    copy->session = NULL;
    copy->saved[0] = 0;
    copy->seed += 7777777 * (sim->n + 1);
    for (size_t i = 0; i < sim->registry.n; i++) {
        struct written *written = &sim->registry.p[i];
        if (written->erasers >> (device - sim->devices) & 1)
            written->erasers |= 1U << (copy - sim->devices);
        if (written->authors >> (device - sim->devices) & 1)
            written->authors |= 1U << (copy - sim->devices);
    }
    copy->is_copy = true;
    copy->has_twin = device->has_twin = true;
    (void)snprintf(copy->path, sizeof copy->path, "%s/copy%u", sim->folder, sim->copies++);
    device_stop(device);
    sim_copy_folder(device->path, copy->path);
    device_start(sim, device);
    device_start(sim, copy);
    return copy;
}

void device_save(struct sim *sim, struct sim_device *device)
{
    (void)snprintf(device->saved, sizeof device->saved, "%s/saved%u", sim->folder, sim->copies++);
    device_stop(device);
    sim_copy_folder(device->path, device->saved);
    device_start(sim, device);
}

// What nobody else has by now went with the disk, unless the old copy has it.
static void lose_unsent(struct sim *sim, const struct sim_device *device)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        struct written *written = &sim->registry.p[i];
        if (written->authors >> (device - sim->devices) & 1 && !written->position)
            written->is_lost = true;
    }
}

static bool is_husk(const struct scope *scope, const struct written *written)
{
    uint64_t position;
    struct log_entry entry;
    return log_find(scope->txn, scope->community.number, written->device, written->seq,
                    &position) == OK &&
           log_get(scope->txn, scope->community.number, position, &entry) == OK &&
           log_tag(&entry) == written->tag && entry.form == LOG_HUSK;
}

// What it erased after the copy was made the copy has still.
static void forget_erased(struct sim *sim, const struct sim_device *device)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(device->fm, 0, false, &scope, NULL);
    sim_must(sim, !code, "a restored device cannot read its own row");
    for (size_t i = 0; i < sim->registry.n; i++) {
        if (!is_husk(&scope, &sim->registry.p[i]))
            sim->registry.p[i].erasers &= ~(1U << (device - sim->devices));
    }
    (void)state_end(device->fm, &scope, false, NULL);
}

void device_restore(struct sim *sim, struct sim_device *device)
{
    lose_unsent(sim, device);
    device_stop(device);
    (void)snprintf(device->path, sizeof device->path, "%s/back%u", sim->folder, sim->copies++);
    sim_copy_folder(device->saved, device->path);
    device->noted = 0;
    device_start(sim, device);
    if (folkmoot_community_count(device->fm) > 0)
        forget_erased(sim, device);
    device->is_copy = true;
    device->has_twin = true;
}

// --- what it has written ---

struct folkmoot_community device_community(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_community community;
    enum folkmoot_code code = folkmoot_community_at(device->fm, 0, &community);
    sim_must(sim, !code, "a device has forgotten its community");
    return community;
}

static void note_change(struct sim *sim, const struct sim_device *device, const struct scope *scope,
                        uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    enum err err =
        log_find(scope->txn, scope->community.number, scope->device.handle, seq, &position);
    if (!err)
        err = log_get(scope->txn, scope->community.number, position, &entry);
    sim_must(sim, !err, "a device has no change %u of its own chain", seq);
    if (entry.form != LOG_WHOLE) {
        sim_must(sim, registry_find(&sim->registry, entry.device, seq, log_tag(&entry)),
                 "a device has a change without words that it never wrote");
        return;
    }
    sim_must(sim, !log_get_body(scope->txn, scope->community.number, position, &body),
             "a device has lost the words of its change %u", seq);
    struct written *written = registry_add(&sim->registry, scope->device.key, &entry, &body);
    written->authors |= 1U << (device - sim->devices);
}

void device_note(struct sim *sim, struct sim_device *device)
{
    struct scope scope;
    if (folkmoot_community_count(device->fm) == 0)
        return;
    enum folkmoot_code code = state_begin(device->fm, 0, false, &scope, NULL);
    sim_must(sim, !code, "a device cannot read its own row");
    if (memcmp(device->handle, scope.device.handle, HANDLE_SIZE) != 0) {
        static const uint8_t none[HANDLE_SIZE];
        device->had_other |= memcmp(device->handle, none, HANDLE_SIZE) != 0;
        memcpy(device->handle, scope.device.handle, HANDLE_SIZE);
        device->noted = 0;
        device->has_twin = false;
    }
    // What was not sent yet may have been written anew, when the device joined anew.
    struct progress progress;
    progress_get(scope.txn, scope.community.number, &progress);
    uint32_t from = device->noted < progress.receipt_seq ? device->noted : progress.receipt_seq;
    for (uint32_t seq = from + 1; seq <= scope.device.seq; seq++)
        note_change(sim, device, &scope, seq);
    device->noted = scope.device.seq;
    (void)state_end(device->fm, &scope, false, NULL);
}
