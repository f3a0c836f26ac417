#pragma once

// Tells the service manager how the hub is (sd_notify's protocol: a datagram to the socket that
// NOTIFY_SOCKET names). Does nothing where there is none. Any thread.

void notify_ready(void);
void notify_stopping(void);
// To be followed by notify_ready. With the clock that systemd 253 asks for.
void notify_reloading(void);
