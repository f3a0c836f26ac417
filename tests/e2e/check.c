#include "tests/e2e/check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char where_more_is[512];

void check_on_failure_say(const char *text)
{
    (void)snprintf(where_more_is, sizeof where_more_is, "%s", text);
}

void check_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s:%d: not so: %s\n    ", file, line, condition);
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n%s%s", where_more_is, where_more_is[0] ? "\n" : "");
    va_end(list);
    fflush(NULL);
    // Other threads may be at work: no destructors.
    _exit(1);
}

int64_t check_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void check_sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

unsigned check_slowness(void)
{
#if defined(__SANITIZE_THREAD__)
    return 8;
#elif defined(__SANITIZE_ADDRESS__)
    return 3;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    return 8;
#elif __has_feature(address_sanitizer)
    return 3;
#else
    return 1;
#endif
#else
    return 1;
#endif
}

// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators").
uint64_t check_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

uint64_t check_seed(void)
{
    const char *text = getenv("FOLKMOOT_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    if (seed == 0)
        seed = 1;
    printf("seed %llu (again with FOLKMOOT_SEED)\n", (unsigned long long)seed);
    return seed;
}

static bool is_asked_for(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc < 2;
}

int check_main(const struct check_case *cases, size_t n, int argc, char **argv)
{
    unsigned ran = 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n; i++) {
        if (!is_asked_for(cases[i].name, argc, argv))
            continue;
        int64_t begun = check_now_ms();
        printf("%s\n", cases[i].name);
        cases[i].run();
        printf("    ok, %.1f s\n", (double)(check_now_ms() - begun) / 1000);
        ran++;
    }
    CHECK(ran > 0, "no case has such a name");
    return 0;
}
