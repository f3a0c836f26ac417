#pragma once

// Other programs as children. The main thread, whose death ends them.

#include <sys/types.h>

// Runs argv[0] (a path) with its errors appended to a file. output (may be NULL): the reading end
// of its standard output.
pid_t child_start(const char *const *argv, const char *errors, int *output);
// Waits at most so long; fails the test when it does not end. Its exit code, or 128 + its signal.
int child_wait(pid_t pid, unsigned seconds);
// Runs it to its end; its standard output, the caller's (free).
char *child_output(const char *const *argv, const char *errors, int *code);
