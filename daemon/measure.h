#pragma once

// Histograms with fixed bounds, as Prometheus reads them, and the clock for them. Without locks:
// each belongs to one thread.

#include <stdint.h>

enum { MEASURE_BOUNDS = 7 };

enum measure_scale {
    MEASURE_TIME, // microseconds, shown in seconds
    MEASURE_ITEMS,
};

struct measure {
    uint64_t counts[MEASURE_BOUNDS + 1]; // by the least bound that holds it; the last: above all
    uint64_t sum;
};

void measure_add(struct measure *measure, enum measure_scale scale, uint64_t value);
// A bound as Prometheus writes it; one that is MEASURE_BOUNDS: "+Inf".
const char *measure_bound_text(enum measure_scale scale, unsigned bound);
// Microseconds from an unspecified start. Any thread.
uint64_t measure_now_us(void);
