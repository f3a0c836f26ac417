// Power cuts: every instant of a run, and of each many states of the disk that a cut may leave.
//
//   power [--states N] [--seed S] [--target hub|phone|files] [--at INSTANT] [--plant FAULT]
//
// FAULT is a lie of the disk that must be noticed: syncs (of files) or entries (of directories) are
// forgotten. Exit status: 0 all promises are kept (or the planted fault was noticed).

#include <assert.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/power/disk.h"
#include "tests/power/work.h"

struct target {
    const char *name;
    unsigned share; // of a hundred states
    struct trace (*watch)(struct work *work);
    const char *(*check)(const struct work *work, const char *path, size_t taken, bool writes);
};

static const struct target targets[] = {
    {"hub", 50, work_hub, work_check_store},
    {"phone", 40, work_phone, work_check_store},
    {"files", 10, work_files, work_check_files},
};

struct settings {
    uint64_t states;
    uint64_t seed;
    const char *only;
    size_t at; // 0: every instant
    enum disk_fault fault;
};

// --- folders ---

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void clear(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(const char *folder, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/%s", folder, name);
    assert(n > 0 && (size_t)n < size);
    int failed = mkdir(out, 0700);
    assert(!failed);
}

// --- one target ---

struct run {
    const struct settings *settings;
    const struct target *target;
    const struct work *work;
    struct disk *disk;
    char crash[600];
    uint64_t states;
    uint64_t failures;
};

static void try_state(struct run *run, uint64_t number, uint64_t kept, bool torn)
{
    size_t taken = disk_taken(run->disk);
    struct dice dice = {run->settings->seed ^ taken << 24 ^ number};
    (void)dice_next(&dice);
    clear(run->crash);
    int failed = mkdir(run->crash, 0700);
    assert(!failed);
    disk_crash(run->disk, kept, torn, &dice, run->crash);
    const char *wrong = run->target->check(run->work, run->crash, taken, number % 8 == 0);
    run->states++;
    if (!wrong)
        return;
    if (run->failures++ == 0 && run->settings->fault == DISK_SOUND)
        printf("power: %s, instant %zu, state %llu (%llx%s): %s\n"
               "       again: --target %s --at %zu --seed %llu --states %llu\n",
               run->target->name, taken, (unsigned long long)number, (unsigned long long)kept,
               torn ? ", torn" : "", wrong, run->target->name, taken,
               (unsigned long long)run->settings->seed, (unsigned long long)run->settings->states);
}

// Every subset of what hangs where there are few; half of the rest torn.
static void try_instant(struct run *run, uint64_t states)
{
    size_t hanging = disk_hanging(run->disk);
    uint64_t subsets = hanging <= 8 ? UINT64_C(1) << hanging : UINT64_MAX;
    struct dice dice = {run->settings->seed + disk_taken(run->disk)};
    for (uint64_t i = 0; i < states; i++) {
        bool torn = i >= subsets || (subsets > states && i % 2 == 1);
        try_state(run, i, subsets <= states ? i : dice_next(&dice), torn);
    }
}

static uint64_t run_target(const struct settings *settings, const struct target *target,
                           const char *folder, uint64_t *states)
{
    struct work work = {.n = 0};
    struct run run = {.settings = settings, .target = target, .work = &work};
    char own[500];
    make_folder(folder, target->name, own, sizeof own);
    make_folder(own, "watched", work.root, sizeof work.root);
    make_folder(own, "aside", work.aside, sizeof work.aside);
    make_folder(own, "crash", run.crash, sizeof run.crash);
    struct trace trace = target->watch(&work);
    run.disk = disk_new(&trace, settings->fault);
    uint64_t each = settings->states * target->share / 100 / (trace.n + 1) + 1;
    do {
        if (settings->at == 0 || settings->at == disk_taken(run.disk))
            try_instant(&run, each);
    } while (disk_step(run.disk));
    printf("power: %-6s %5zu instants, %3zu promises, %7llu states, %llu broken\n", target->name,
           trace.n + 1, work.n, (unsigned long long)run.states, (unsigned long long)run.failures);
    *states += run.states;
    disk_free(&run.disk);
    trace_done(&trace);
    work_done(&work);
    return run.failures;
}

// --- all of it ---

static enum disk_fault fault_named(const char *name)
{
    if (strcmp(name, "syncs") == 0)
        return DISK_FORGETS_SYNCS;
    return strcmp(name, "entries") == 0 ? DISK_FORGETS_ENTRIES : DISK_SOUND;
}

static bool read_settings(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        {"states", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
        {"target", required_argument, NULL, 't'}, {"at", required_argument, NULL, 'a'},
        {"plant", required_argument, NULL, 'p'},  {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n')
            settings->states = strtoull(optarg, NULL, 10);
        else if (option == 's')
            settings->seed = strtoull(optarg, NULL, 10);
        else if (option == 't')
            settings->only = optarg;
        else if (option == 'a')
            settings->at = strtoul(optarg, NULL, 10);
        else if (option == 'p')
            settings->fault = fault_named(optarg);
        else
            return false;
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct settings settings = {.states = 5000, .seed = 1};
    char folder[] = "/dev/shm/folkmoot-power-XXXXXX";
    uint64_t states = 0;
    uint64_t failures = 0;
    if (!read_settings(argc, argv, &settings)) {
        fprintf(stderr, "usage: power [--states N] [--seed S] [--target hub|phone|files] "
                        "[--at INSTANT] [--plant syncs|entries]\n");
        return 2;
    }
    char *made = mkdtemp(folder);
    assert(made);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (!settings.only || strcmp(settings.only, targets[i].name) == 0)
            failures += run_target(&settings, &targets[i], folder, &states);
    }
    clear(folder);
    printf("power: %llu states after a cut, %llu broke a promise\n", (unsigned long long)states,
           (unsigned long long)failures);
    return settings.fault == DISK_SOUND ? failures > 0 : failures == 0;
}
