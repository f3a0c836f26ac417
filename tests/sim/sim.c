#include "tests/sim/sim.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/faults.h"
#include "tests/sync/world.h"

enum { DEVICES_FIRST = 5, ROUNDS_MAX = 3, TEXT_MAX = 512 };

// --- telling ---

void sim_fail(const struct sim *sim, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fflush(stdout);
    (void)fputs("sim: ", stderr);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\nsim: at step %zu; again: sim --seed %llu --steps %zu\n", sim->step,
                  (unsigned long long)sim->options.seed, sim->options.steps);
    if (sim->options.is_told)
        registry_tell(&sim->registry);
    (void)fflush(stderr);
    _exit(1);
}

void sim_tell(struct sim *sim, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hash_put_be64(&sim->trace, sim->step);
    hash_put(&sim->trace, bytes_of_text(text));
    if (sim->options.is_told)
        (void)printf("%zu: %s\n", sim->step, text);
}

// --- the world ---

static void open_world(struct sim *sim)
{
    (void)snprintf(sim->folder, sizeof sim->folder, "%s/folkmoot-sim-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (sim->options.kept)
        (void)snprintf(sim->folder, sizeof sim->folder, "%s", sim->options.kept);
    world_must(sim->options.kept ? mkdir(sim->folder, 0700) == 0 : mkdtemp(sim->folder) != NULL,
               "no folder can be made");
    (void)snprintf(sim->hub_path, sizeof sim->hub_path, "%s/hub", sim->folder);
    sim->now = 1795428000000;
    sim->hub = hub_double_new(sim->hub_path, sim->options.seed, sim->now);
    sim->community = 1;
    for (size_t i = 0; i < DEVICES_FIRST; i++) {
        struct sim_device *device = &sim->devices[sim->n++];
        (void)snprintf(device->path, sizeof device->path, "%s/device%zu", sim->folder, i);
        device->seed = sim->options.seed * 1000 + i;
        device->role = i < 2 ? ROLE_COORDINATOR : ROLE_VOLUNTEER;
        device_start(sim, device);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void close_world(struct sim *sim)
{
    for (size_t i = 0; i < sim->n; i++)
        device_stop(&sim->devices[i]);
    hub_double_free(&sim->hub);
    line_done(sim);
    post_done(sim);
    registry_done(&sim->registry);
    free(sim->log);
    if (sim->options.kept)
        (void)printf("sim: the hub's store is %s\n", sim->hub_path);
    else
        (void)nftw(sim->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// --- a step ---

static void set_clock(struct sim *sim, struct sim_device *device)
{
    static const int64_t year_ms = (int64_t)365 * 86400000;
    device->skew = ((int64_t)dice_below(&sim->dice, 7) - 3) * year_ms / 2;
    sim_tell(sim, "device %td: its clock is %lld off", device - sim->devices,
             (long long)device->skew);
}

static void copy_or_restore(struct sim *sim, struct sim_device *device)
{
    size_t what = dice_below(&sim->dice, 4);
    if (sim->restores) {
        restore_something(sim);
        return;
    }
    if (what < 2 || (what == 2 && device->saved[0])) {
        device_save(sim, device);
    } else if (what == 2 || !device->saved[0]) {
        (void)device_copy(sim, device);
    } else {
        device_restore(sim, device);
    }
    sim_tell(sim, "device %td: copied or restored (%zu)", device - sim->devices, what);
}

static void step(struct sim *sim)
{
    struct sim_device *device = &sim->devices[dice_below(&sim->dice, sim->n)];
    size_t what = dice_below(&sim->dice, 1000);
    if (!device->is_joined || (device_is_dubious(device) && what < 100))
        line_join(sim, device);
    else if (what < 440)
        line_turn(sim, device, dice_percent(&sim->dice, 70));
    else if (what < 900)
        work_something(sim, device);
    else if (what < 940)
        line_late(sim);
    else if (what < 960)
        device->cut_off_until = sim->step + dice_below(&sim->dice, 60);
    else if (what < 975)
        set_clock(sim, device);
    else if (what < 985)
        copy_or_restore(sim, device);
    else
        work_as_admin(sim);
    if (sim->has_letters && dice_percent(&sim->dice, 15))
        post_something(sim, &sim->devices[dice_below(&sim->dice, sim->n)]);
    sim->now += (int64_t)dice_below(&sim->dice, 5000);
    hub_double_set_now(sim->hub, sim->now);
    check_device(sim, device);
}

// --- peace ---

static bool is_ready(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_community community = device_community(sim, device);
    return device->is_joined && !community.forked && !community.revoked;
}

// Whoever has to join anew does.
static void mend(struct sim *sim, struct sim_device *device)
{
    folkmoot_session_done(&device->session);
    if (!device->is_joined)
        line_join(sim, device);
    line_turn(sim, device, true);
    if (!is_ready(sim, device)) {
        line_join(sim, device);
        line_turn(sim, device, true);
    }
}

static void settle(struct sim *sim)
{
    sim->is_calm = true;
    sim->step = sim->options.steps;
    sim->dice = (struct dice){sim->options.seed};
    // Twice: whose copy was first hears of it later.
    for (size_t i = 0; i < 2 * sim->n; i++)
        mend(sim, &sim->devices[i % sim->n]);
    for (size_t i = 0; i < ROUNDS_MAX * sim->n; i++)
        line_turn(sim, &sim->devices[i % sim->n], true);
    check_all(sim);
    check_store(sim);
}

void sim_run(const struct sim_options *options, struct sim *sim, uint8_t digest[HASH_SIZE])
{
    enum { RESTORES_ONE_IN = 4, LETTERS_IN = 7 };
    *sim = (struct sim){.options = *options, .restores = options->seed % RESTORES_ONE_IN == 3};
    sim->has_letters = options->seed % LETTERS_IN == 0 || options->seed % LETTERS_IN == 3;
    hash_begin(&sim->trace, "sim");
    registry_init(&sim->registry);
    open_world(sim);
    for (; sim->step < options->steps; sim->step++) {
        // Each has dice of its own, so that leaving one out changes no other.
        sim->dice = (struct dice){options->seed * 1000003 + sim->step};
        if (!options->skips || !options->skips[sim->step])
            step(sim);
    }
    settle(sim);
    hash_end(&sim->trace, digest);
    close_world(sim);
}
