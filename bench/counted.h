#pragma once

// What one small sync costs a hub, counted: instructions by callgrind, bytes of request and answer.
// The main thread.

#include <stdbool.h>

#include "bench/town.h"

struct counted {
    double instructions; // all but the kernel's
    double bytes_up;
    double bytes_down;
};

// A device that is up to date says so many new needs and hears of as many from others; 0: nothing
// is new. The hub of the town is stopped behind it. False: there is no valgrind.
bool counted_sync(struct town *town, size_t news, struct counted *counted);
