// sim: runs simulated worlds, or makes a failing one small.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/sim.h"

enum { STEPS_DEFAULT = 400, COMPLAINT_MAX = 256 };

static const char usage[] =
    "usage: sim [--seed N] [--steps N] [--syncs N] [--skip A-B,C…] [--tell] [--twice] [--shrink]\n"
    "           [--keep DIR]\n"
    "\n"
    "  --seed N    the first world's seed (1); each world's is one more\n"
    "  --steps N   in each world (400)\n"
    "  --syncs N   worlds until so many syncs have ended (0: one world)\n"
    "  --skip …    leave these steps out\n"
    "  --tell      print each step, and of a world that fails all that was written\n"
    "  --twice     run each world twice, which must come out the same\n"
    "  --keep DIR  of one world: what hub and devices have on disk stays there\n"
    "  --shrink    of a world that fails: the fewest steps that still do\n";

struct asked {
    struct sim_options world;
    uint64_t syncs;
    bool shrinks;
    bool is_twice;
    uint8_t *skips;
    const char *skip_text;
};

static void print_digest(const uint8_t digest[HASH_SIZE])
{
    for (size_t i = 0; i < 8; i++)
        (void)printf("%02x", digest[i]);
}

static bool gives_again(const struct sim_options *options, struct sim *sim,
                        const uint8_t digest[HASH_SIZE])
{
    uint8_t again[HASH_SIZE];
    sim_run(options, sim, again);
    return memcmp(again, digest, HASH_SIZE) == 0;
}

static int run_worlds(const struct asked *asked)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct sim_options options = asked->world;
    uint8_t digest[HASH_SIZE];
    struct {
        uint64_t worlds, syncs, deaths, checks, records;
    } sum = {0};
    struct hash all;
    if (!sim)
        return 1;
    hash_begin(&all, "sim worlds");
    do {
        sim_run(&options, sim, digest);
        if (asked->is_twice && !gives_again(&options, sim, digest)) {
            (void)fprintf(stderr, "sim: seed %llu gave another trace the second time\n",
                          (unsigned long long)options.seed);
            free(sim);
            return 1;
        }
        hash_put(&all, bytes_of(digest, HASH_SIZE));
        options.seed++;
        sum.worlds++;
        sum.syncs += sim->syncs;
        sum.deaths += sim->deaths;
        sum.checks += sim->checks;
        sum.records += sim->records;
    } while (sum.syncs < asked->syncs);
    hash_end(&all, digest);
    (void)printf("sim: %llu worlds, %llu syncs, %llu deaths, %llu checks, %llu records compared, "
                 "no promise broken; trace ",
                 (unsigned long long)sum.worlds, (unsigned long long)sum.syncs,
                 (unsigned long long)sum.deaths, (unsigned long long)sum.checks,
                 (unsigned long long)sum.records);
    print_digest(digest);
    (void)putchar('\n');
    free(sim);
    return 0;
}

// --- making it small ---

// What it says when it fails, without the numbers: another failure is not the same.
static void read_complaint(int fd, char complaint[COMPLAINT_MAX])
{
    size_t n = 0;
    char c;
    while (read(fd, &c, 1) == 1 && c != '\n') {
        if ((c < '0' || c > '9') && n + 1 < COMPLAINT_MAX)
            complaint[n++] = c;
    }
    complaint[n] = 0;
}

static _Noreturn void run_apart(const struct sim_options *options, int out)
{
    uint8_t digest[HASH_SIZE];
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim && dup2(out, STDERR_FILENO) >= 0)
        sim_run(options, sim, digest);
    _exit(0);
}

// Empty: it does not fail.
static void try(const struct sim_options *options, char complaint[COMPLAINT_MAX])
{
    int ends[2];
    complaint[0] = 0;
    (void)fflush(stdout);
    if (pipe(ends) != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        run_apart(options, ends[1]);
    close(ends[1]);
    read_complaint(ends[0], complaint);
    close(ends[0]);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
}

static bool fails_alike(const struct sim_options *options, const char *complaint)
{
    char other[COMPLAINT_MAX];
    try(options, other);
    return strcmp(complaint, other) == 0;
}

static void print_skips(const uint8_t *skips, size_t n)
{
    const char *comma = "";
    for (size_t i = 0; i < n; i++) {
        size_t last = i;
        if (!skips[i])
            continue;
        while (last + 1 < n && skips[last + 1])
            last++;
        (void)printf(last > i ? "%s%zu-%zu" : "%s%zu", comma, i, last);
        comma = ",";
        i = last;
    }
}

static size_t count_left(const struct asked *asked)
{
    size_t left = 0;
    for (size_t i = 0; i < asked->world.steps; i++)
        left += !asked->skips[i];
    return left;
}

// Leaves out runs of steps of this width where the world still fails without them.
static void leave_out(struct asked *asked, size_t width, const char *complaint, uint8_t *before)
{
    size_t n = asked->world.steps;
    for (size_t at = 0; at < n; at += width) {
        memcpy(before, asked->skips, n);
        memset(asked->skips + at, 1, at + width > n ? n - at : width);
        if (memcmp(before, asked->skips, n) != 0 && !fails_alike(&asked->world, complaint))
            memcpy(asked->skips, before, n);
    }
}

// Shorter and shorter runs, and again from the beginning as long as that helps.
static int shrink(struct asked *asked)
{
    size_t n = asked->world.steps;
    asked->world.skips = asked->skips;
    char complaint[COMPLAINT_MAX];
    uint8_t *before = malloc(n);
    try(&asked->world, complaint);
    if (!before || !complaint[0]) {
        (void)fprintf(stderr, "sim: that world does not fail\n");
        free(before);
        return 2;
    }
    for (size_t last = n + 1; count_left(asked) < last;) {
        last = count_left(asked);
        for (size_t width = n / 2; width > 0; width /= 2)
            leave_out(asked, width, complaint, before);
    }
    free(before);
    (void)printf("%s\nsim: %zu steps are left: sim --tell --seed %llu --steps %zu --skip ",
                 complaint, count_left(asked), (unsigned long long)asked->world.seed, n);
    print_skips(asked->skips, n);
    (void)putchar('\n');
    return 0;
}

// --- the command line ---

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_skips(const char *text, uint8_t *skips, size_t n)
{
    while (*text) {
        char *end;
        size_t first = strtoull(text, &end, 10);
        size_t last = *end == '-' ? strtoull(end + 1, &end, 10) : first;
        if (last >= n || first > last || (*end && *end != ','))
            return false;
        memset(skips + first, 1, last - first + 1);
        text = *end ? end + 1 : end;
    }
    return true;
}

static bool read_options(int argc, char **argv, struct asked *asked)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"steps", required_argument, NULL, 'n'},
                                            {"syncs", required_argument, NULL, 'y'},
                                            {"skip", required_argument, NULL, 'k'},
                                            {"tell", no_argument, NULL, 't'},
                                            {"twice", no_argument, NULL, '2'},
                                            {"shrink", no_argument, NULL, 'x'},
                                            {"keep", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    uint64_t number;
    bool is_good = true;
    for (int c; is_good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's')
            is_good = read_number(optarg, &asked->world.seed);
        else if (c == 'n' && (is_good = read_number(optarg, &number) && number > 0))
            asked->world.steps = (size_t)number;
        else if (c == 'y')
            is_good = read_number(optarg, &asked->syncs);
        else if (c == 'k')
            asked->skip_text = optarg;
        else if (c == 'd')
            asked->world.kept = optarg;
        else if (c == 't')
            asked->world.is_told = true;
        else if (c == '2')
            asked->is_twice = true;
        else if (c == 'x')
            asked->shrinks = true;
        else
            is_good = c == 'n' && is_good;
    }
    asked->skips = calloc(1, asked->world.steps);
    return is_good && optind == argc && asked->skips &&
           read_skips(asked->skip_text, asked->skips, asked->world.steps);
}

int main(int argc, char **argv)
{
    struct asked asked = {.world = {.seed = 1, .steps = STEPS_DEFAULT}, .skip_text = ""};
    int code = 2;
    if (!read_options(argc, argv, &asked))
        (void)fputs(usage, stderr);
    else if (asked.shrinks)
        code = shrink(&asked);
    else {
        asked.world.skips = asked.skips;
        code = run_worlds(&asked);
    }
    free(asked.skips);
    return code;
}
