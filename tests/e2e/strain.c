#include "tests/e2e/strain.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/e2e/check.h"

// OTHERS_KIB: pages of the database that good devices' syncs meanwhile bring into memory, too.
enum { LINE = 256, OTHERS_KIB = 8 << 10 };

// --- the process ---

static FILE *open_proc(const struct hub *hub, const char *name, const char *mode)
{
    char path[LINE];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)hub->pid, name);
    FILE *file = fopen(path, mode);
    CHECK(file, "%s: %s", path, strerror(errno));
    return file;
}

size_t strain_memory(const struct hub *hub, bool peak)
{
    const char *name = peak ? "VmHWM:" : "VmRSS:";
    char line[LINE];
    size_t kib = 0;
    FILE *file = open_proc(hub, "status", "re");
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    CHECK(kib > 0, "the kernel does not tell %s", name);
    return kib;
}

int64_t strain_busy_ms(const struct hub *hub)
{
    char line[1024];
    unsigned long user = 0, system = 0;
    FILE *file = open_proc(hub, "stat", "re");
    CHECK(fgets(line, sizeof line, file), "/proc/PID/stat");
    fclose(file);
    const char *rest = strrchr(line, ')'); // the name may hold anything
    CHECK(rest, "/proc/PID/stat");
    char *save;
    char *field = strtok_r(line + (rest - line), " ", &save);
    for (int i = 2; field && i < 14; i++) // proc(5): the name is the second, utime the 14th
        field = strtok_r(NULL, " ", &save);
    CHECK(field, "/proc/PID/stat");
    user = strtoul(field, NULL, 10);
    field = strtok_r(NULL, " ", &save);
    CHECK(field, "/proc/PID/stat");
    system = strtoul(field, NULL, 10);
    return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

size_t strain_files(const struct hub *hub)
{
    char path[LINE];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)hub->pid);
    DIR *dir = opendir(path);
    CHECK(dir, "%s: %s", path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

void strain_limit_files(const struct hub *hub, size_t most)
{
    struct rlimit limit;
    CHECK(prlimit(hub->pid, RLIMIT_NOFILE, NULL, &limit) == 0, "prlimit: %s", strerror(errno));
    limit.rlim_cur = most;
    CHECK(prlimit(hub->pid, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit: %s", strerror(errno));
}

static bool raise_files(pid_t pid, size_t n)
{
    struct rlimit limit;
    CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0, "prlimit: %s", strerror(errno));
    if (limit.rlim_cur >= n)
        return true;
    limit.rlim_cur = n;
    limit.rlim_max = limit.rlim_max < n ? n : limit.rlim_max;
    return prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0;
}

bool strain_may_open(const struct hub *hub, size_t n)
{
    return raise_files(0, n) && raise_files(hub->pid, n);
}

size_t strain_count(const char *variable, size_t otherwise)
{
    const char *text = getenv(variable);
    size_t n = text ? strtoul(text, NULL, 10) : otherwise;
    printf("    %s: %zu%s\n", variable, n, text ? "" : ", because it is not set");
    return n;
}

// --- what it costs ---

void strain_open(struct stage *stage, const char *limits)
{
    static const char frugal[] = ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
    char options[LINE];
    const char *given = getenv("ASAN_OPTIONS");
    if (!given || !strstr(given, frugal)) {
        (void)snprintf(options, sizeof options, "%s%s", given ? given : "", frugal);
        CHECK(setenv("ASAN_OPTIONS", options, 1) == 0, "setenv");
    }
    stage_open_with(stage, limits);
}

void strain_begin(struct strain *strain, struct stage *stage)
{
    *strain = (struct strain){.stage = stage, .before_kib = strain_memory(&stage->hub, false)};
    FILE *file = open_proc(&stage->hub, "clear_refs", "we");
    CHECK(fputs("5\n", file) >= 0 && fclose(file) == 0, "clear_refs: %s", strerror(errno));
}

// How much more memory everything takes in this build, shadows and red zones and all.
static size_t shadow(void)
{
    unsigned slowness = check_slowness();
    return slowness > 4 ? 10 : slowness > 1 ? 4 : 1;
}

void strain_check_memory(const struct strain *strain, const char *what, size_t max_kib)
{
    size_t peak = strain_memory(&strain->stage->hub, true);
    size_t grown = peak > strain->before_kib ? peak - strain->before_kib : 0;
    size_t most = (max_kib + OTHERS_KIB) * shadow();
    printf("    %s: %zu KiB more at most, of %zu\n", what, grown, most);
    CHECK(grown <= most, "\"%s\" made the hub's memory grow by %zu KiB", what, grown);
}

// --- what others notice ---

struct running {
    void (*attack)(void *arg);
    void *arg;
    bool ended;
};

static void *run_attack(void *arg)
{
    struct running *running = arg;
    running->attack(running->arg);
    __atomic_store_n(&running->ended, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void say_and_sync(struct stage *stage, const char *what)
{
    struct folkmoot_error error = {0};
    device_add(&stage->good, "need", "title", what, NULL);
    CHECK(device_sync(&stage->good, NULL, &error) == FOLKMOOT_OK,
          "during \"%s\" a good device is not served: %s", what, error.text);
    CHECK(device_community(&stage->good).unsent == 0, "during \"%s\" a change waits", what);
}

void strain_meanwhile(struct stage *stage, const char *what, void (*attack)(void *arg), void *arg)
{
    struct running running = {.attack = attack, .arg = arg};
    pthread_t thread;
    uint64_t log = hub_log_size(&stage->hub);
    unsigned said = 0;
    device_route(&stage->good, 0);
    CHECK(pthread_create(&thread, NULL, run_attack, &running) == 0, "pthread_create");
    do {
        say_and_sync(stage, what);
        said++;
        check_sleep_ms(20);
    } while (!__atomic_load_n(&running.ended, __ATOMIC_SEQ_CST));
    CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
    printf("    during \"%s\" a good device synced %u times\n", what, said);
    CHECK(hub_log_size(&stage->hub) == log + said, "\"%s\" left something in the log", what);
    stage_remember(stage);
    stage_check_unharmed(stage, what);
}

void strain_check_others(struct stage *stage, const char *what)
{
    device_route(&stage->good, 0);
    say_and_sync(stage, what);
    stage_remember(stage);
}
