#pragma once

// A line that is bad on purpose: a TCP proxy on the loopback address, in a thread of its own, that
// passes so many bytes and then closes both ends abruptly. Carries a few connections at once.

#include <stdbool.h>
#include <stdint.h>

struct proxy;

enum proxy_end { PROXY_FIN, PROXY_RST };

// What one plan lets pass, over all its connections. The byte after the last one that may pass
// cuts its connection; from then on whoever connects is closed at once.
struct proxy_plan {
    int64_t up;          // bytes towards the hub; -1: all
    int64_t down;        // bytes from the hub; -1: all
    enum proxy_end end;  // how both ends are closed
    unsigned delay_ms;   // before each part that is passed on
    unsigned drip_bytes; // at most so many bytes a millisecond; 0: as they come
};

struct proxy_count {
    uint64_t up; // bytes that passed
    uint64_t down;
    unsigned connections; // that reached the hub
    bool cut;
};

static const struct proxy_plan proxy_open_line = {.up = -1, .down = -1};

// Starts one before the hub on this loopback port.
struct proxy *proxy_new(uint16_t hub_port);
uint16_t proxy_port(const struct proxy *proxy);
// Closes what is open, begins to count anew. Any thread.
void proxy_set(struct proxy *proxy, const struct proxy_plan *plan);
// Closes what is open and says what passed since proxy_set.
struct proxy_count proxy_count(struct proxy *proxy);
void proxy_free(struct proxy **proxy);
