#pragma once

// Tells the service manager that the hub is alive, where it asks for that (sd_watchdog_enabled(3)).
// Each sign of life has gone once around: from the loop's timer to the writer's thread, back by its
// bell, and out. So a loop or a writer that hangs lets the manager start the hub anew. The loop's
// thread.

#include "daemon/writer.h"

struct watchdog;

// *out is NULL where nobody asks for signs of life. The loop outlives it.
enum err watchdog_start(struct loop *loop, struct writer *writer, struct watchdog **out,
                        struct fault *fault) must_check;
// After the writer has stopped.
void watchdog_stop(struct watchdog **watchdog);
