#pragma once

// Tells the service manager how the hub is (sd_notify's protocol: a datagram to the socket that
// NOTIFY_SOCKET names). Does nothing where there is none. Any thread.

#include <stdint.h>

void notify_ready(void);
void notify_stopping(void);
// What `systemctl status` shows: one line, without a name or an address.
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
// To be followed by notify_ready. With the clock that systemd 253 asks for.
void notify_reloading(void);
// How often, in milliseconds, a sign of life is expected of this process at the latest; 0: it is
// not.
int64_t notify_watchdog_ms(void);
void notify_alive(void);
