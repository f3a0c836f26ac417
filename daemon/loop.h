#pragma once

// The loop that turns the hub: sockets, timers, signals, and a bell for other threads. The only
// file that knows libevent. Everything here belongs to the loop's thread, but loop_bell_ring.

#include "base/bytes.h"
#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_bell;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

enum err loop_new(struct loop **out) must_check;
// Watches, timers and bells are freed before.
void loop_free(struct loop **loop);
// Turns until loop_stop; may be run again.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

// Both are read once a turn. Milliseconds, from an unspecified start and never backwards.
int64_t loop_now(struct loop *loop);
// Milliseconds since 1970 UTC.
int64_t loop_clock(struct loop *loop);

// What is to be freed when the turn ends, because callbacks up the stack may still hold it.
struct loop_release {
    struct loop_release *next;
    void (*release)(void *what);
    void *what;
};

void loop_release_later(struct loop *loop, struct loop_release *release);

// Calls `ready` with what a socket is ready for. Watches nothing until loop_watch_set. NULL:
// out of memory. The socket stays the caller's.
struct loop_watch *loop_watch_new(struct loop *loop, int fd,
                                  void (*ready)(void *arg, unsigned what), void *arg) must_check;
// what: LOOP_READ, LOOP_WRITE, both or 0.
void loop_watch_set(struct loop_watch *watch, unsigned what);
void loop_watch_free(struct loop_watch **watch);

// Calls `due` once after each loop_timer_set, which replaces one that is under way. NULL: out of
// memory.
struct loop_timer *loop_timer_new(struct loop *loop, void (*due)(void *arg), void *arg) must_check;
void loop_timer_set(struct loop_timer *timer, int64_t ms);
// From now on it waits for the end of a turn, as sockets do that are ready to be written to: each
// turn begins with all that has come, and ends with a millisecond of these, or one of them.
void loop_timer_yields(struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);

// Calls `came` at each signal of that number. The loop owns it; at most 8.
enum err loop_signal(struct loop *loop, int number, void (*came)(void *arg), void *arg) must_check;

// Lets another thread call `rung` on the loop's thread; several rings may become one call. NULL:
// out of memory or descriptors.
struct loop_bell *loop_bell_new(struct loop *loop, void (*rung)(void *arg), void *arg) must_check;
void loop_bell_ring(struct loop_bell *bell); // any thread
void loop_bell_free(struct loop_bell **bell);
