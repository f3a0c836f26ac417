#pragma once

// A monitor of a hub: plain HTTP/1.1 to its listener, by hand. The main thread.

#include <stdbool.h>

#include "base/buf.h"
#include "tests/e2e/hub.h"

// Lines of [limits] and what follows, for hub_open: the listener is there, on a port of its own.
#define MONITOR_CONFIG "[listen]\nmetrics = 127.0.0.1:0\n"

// The port of the listener of the hub's last start.
uint16_t monitor_port(const struct hub *hub);
int monitor_connect(uint16_t port);
// False: the hub has closed.
bool monitor_send(int fd, const char *text);
// Reads until the hub closes (true) or so long has passed.
bool monitor_read(int fd, unsigned ms, struct buf *came);
// The status of an answer; 0: there is none.
unsigned monitor_status(const struct buf *came);
// One whole exchange with these bytes; gives the status. came is emptied first; the caller's.
unsigned monitor_ask(uint16_t port, const char *text, struct buf *came);
unsigned monitor_get(uint16_t port, const char *path, struct buf *came);
// The value of a sample as it is named in /metrics, labels and all; -1: it is not there.
double monitor_value(uint16_t port, const char *sample);
