#pragma once

// One sync of a phone over the emulated line, and what it cost. The main thread.

#include "bench/link.h"
#include "tests/e2e/device.h"

// Syncs and says <prefix>_seconds, _bytes (on the line, with headers of segments), the same _up and
// _down, _messages (bytes of bodies), _requests, _turns and _segments.
struct folkmoot_progress over_link_sync(struct link *link, struct device_host *phone,
                                        const char *row, const char *prefix);
