#pragma once

// What a plain test needs: a check that ends the program with a sentence, cases by name, a clock.
// Any thread.

#include <stdint.h>
#include <stdlib.h>

struct check_case {
    const char *name; // a sentence with underscores
    void (*run)(void);
};

// Runs the cases in order, or only those that argv names; prints each with its seconds. What
// main() returns.
int check_main(const struct check_case *cases, size_t n, int argc, char **argv);

// Ends the program as failed.
_Noreturn void check_fail(const char *file, int line, const char *condition, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));
// Before it ends: says where more is to be found ("" takes it back).
void check_on_failure_say(const char *text);

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                               \
    } while (0)

// Milliseconds from an unspecified start.
int64_t check_now_ms(void);
void check_sleep_ms(unsigned ms);

// How much longer everything takes in this build: 1, or more under a sanitizer.
unsigned check_slowness(void);

// A small generator, the same on every machine: the state is the seed (not 0).
uint64_t check_random(uint64_t *state);
// The seed: the environment's FOLKMOOT_SEED, or one of the clock's; printed.
uint64_t check_seed(void);
