#pragma once

// Listening sockets that the service manager opened and passed on (sd_listen_fds(3)'s protocol), so
// that a restart refuses nobody and a port below 1024 needs no privilege. The main thread, at the
// start.

#include "base/bytes.h"
#include "base/err.h"

enum { PASSED_MAX = 8 };

struct passed {
    int fds[PASSED_MAX]; // -1: taken
    char names[PASSED_MAX][8];
    int n;
};

// Takes them from the environment, which then no longer names them; none if there are none. Each
// must be a listening stream socket by the name of tls, plain or control. They are closed on exec
// and do not block.
enum err passed_open(struct passed *passed, struct fault *fault) must_check;
// Whether there is one of that name that was not taken.
bool passed_has(const struct passed *passed, const char *name);
// The next of that name, which is then the caller's; -1: no more.
int passed_next(struct passed *passed, const char *name);
// Closes those that nobody took.
void passed_close(struct passed *passed);
