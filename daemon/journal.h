#pragma once

// A line of the daemon's log for whatever was decided: handles alone, never labels or words. The
// loop's thread.

#include "daemon/gate.h"
#include "sync/hub.h"

void journal_put(struct gate *gate, uint32_t community, const struct hub_effects *effects);
