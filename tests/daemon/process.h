#pragma once

// A folkmootd as a child process, in a directory of its own, on loopback ports that the kernel
// chose.

#include <stdbool.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    char directory[64];
    char tls_port[8];
    char plain_port[8];
};

// Says what was expected and ends the test as failed.
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            process_fail(__FILE__, __LINE__, #condition);                                          \
    } while (0)

__attribute__((noreturn)) void process_fail(const char *file, int line, const char *condition);
// Starts the hub with these lines of configuration behind those that it needs, and waits until it
// listens.
void process_start(struct process *process, const char *more);
// Runs folkmootctl with the hub's socket and --json; the answer's text goes to `out`. The words end
// with NULL. Gives the exit status.
int process_ctl(const struct process *process, char *out, size_t size, const char *const *words);
// Whether the hub has said this on standard error by now.
bool process_has_said(const struct process *process, const char *text);
void process_signal(const struct process *process, int number);
// Waits for its end; gives the exit status, -1 when it was killed or does not end.
int process_end(struct process *process);
// Removes a directory and all in it; gives 0, or -1 and errno.
int process_remove(const char *directory);
long process_now_ms(void);
void process_sleep_ms(long ms);
