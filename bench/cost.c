#include "bench/cost.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/check.h"

enum { LINE = 256 };

static double nanoseconds_of(pid_t pid, const char *thread)
{
    char path[LINE];
    unsigned long long ns = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%.32s/schedstat", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (!file) // the thread has ended meanwhile
        return 0;
    char line[LINE] = "";
    if (fgets(line, sizeof line, file))
        ns = strtoull(line, NULL, 10);
    fclose(file);
    return (double)ns;
}

double cost_cpu_seconds(pid_t pid)
{
    char path[LINE];
    double sum = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    CHECK(dir, "%s", path);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            sum += nanoseconds_of(pid, entry->d_name);
    closedir(dir);
    return sum / 1e9;
}

double cost_kib(pid_t pid, const char *name)
{
    char path[LINE], line[LINE];
    const char *file_name = strncmp(name, "Vm", 2) == 0 ? "status" : "smaps_rollup";
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file_name);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s", path);
    double kib = -1;
    size_t n = strlen(name);
    while (kib < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, n) == 0 && line[n] == ':')
            kib = strtod(line + n + 1, NULL);
    fclose(file);
    CHECK(kib >= 0, "%s does not tell %s", path, name);
    return kib;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double cost_own_cpu_seconds(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double cost_now_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double cost_percentile(double *values, size_t n, double share)
{
    CHECK(n > 0, "nothing was measured");
    qsort(values, n, sizeof *values, by_size);
    size_t at = (size_t)(share * (double)n);
    return values[at < n ? at : n - 1];
}
