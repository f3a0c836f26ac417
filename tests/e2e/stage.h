#pragma once

// Where hostile tests play: a hub with short limits, a good device that must be served after each
// attack, and a peer whose token and key the attacks may use. The main thread.

#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"

enum {
    STAGE_CONNECTIONS = 16, // the hub's cap
    STAGE_SECONDS = 2,      // of the hub's limits for handshakes and for progress
};

struct stage {
    struct hub hub;
    struct device_host good;
    struct peer peer;
    char *before; // what the hub said of its communities
};

void stage_open(struct stage *stage);
// The same with other limits of the hub's: lines of its section [limits].
void stage_open_with(struct stage *stage, const char *limits);
void stage_close(struct stage *stage);
// The hub's communities are as they were, and a good device with a new connection is served. what:
// the attack, for people.
void stage_check_unharmed(struct stage *stage, const char *what);
// After something that changes the log on purpose.
void stage_remember(struct stage *stage);
