#pragma once

// What an attack costs the hub, and what others notice of it: memory and processor time of the
// running daemon as the kernel counts them, and a good device that syncs while the attack goes on.
// The main thread.

#include "tests/e2e/raw.h"
#include "tests/e2e/stage.h"

struct strain {
    struct stage *stage;
    size_t before_kib; // resident memory
};

// A stage whose hub has these limits (lines of [limits]) and hands freed memory back at once where
// a sanitizer would hoard it.
void strain_open(struct stage *stage, const char *limits);
// From here on counts.
void strain_begin(struct strain *strain, struct stage *stage);
// The hub's memory was at no moment since more than max_kib above what it was, beside 8 MiB for
// what others did meanwhile (a sanitizer's build is allowed a multiple). what: the attack, for
// people.
void strain_check_memory(const struct strain *strain, const char *what, size_t max_kib);
// Runs the attack in a thread; until it has ended a good device says something new and syncs, again
// and again: each sync succeeds, and the hub's log grows by that and nothing else.
void strain_meanwhile(struct stage *stage, const char *what, void (*attack)(void *arg), void *arg);
// A good device that has another address and no connection yet says something new and is served.
void strain_check_others(struct stage *stage, const char *what);

// Resident memory in KiB now, and at most since strain_begin.
size_t strain_memory(const struct hub *hub, bool peak);
// Milliseconds that the hub has spent on a processor.
int64_t strain_busy_ms(const struct hub *hub);
// The hub may have so many descriptors from now on. How many it has.
void strain_limit_files(const struct hub *hub, size_t most);
size_t strain_files(const struct hub *hub);
// Raises this program's and the hub's own limit of descriptors to n; false: not permitted.
bool strain_may_open(const struct hub *hub, size_t n);
// A number from the environment, or the one given; says which.
size_t strain_count(const char *variable, size_t otherwise);
