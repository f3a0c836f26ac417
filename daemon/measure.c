#include "daemon/measure.h"

#include <time.h>

static const struct {
    uint64_t bounds[MEASURE_BOUNDS];
    const char *texts[MEASURE_BOUNDS + 1];
} scales[] = {
    [MEASURE_TIME] = {{1000, 5000, 25000, 100000, 500000, 2500000, 10000000},
                      {"0.001", "0.005", "0.025", "0.1", "0.5", "2.5", "10", "+Inf"}},
    [MEASURE_ITEMS] = {{1, 2, 4, 8, 16, 64, 256}, {"1", "2", "4", "8", "16", "64", "256", "+Inf"}},
};

void measure_add(struct measure *measure, enum measure_scale scale, uint64_t value)
{
    unsigned i = 0;
    while (i < MEASURE_BOUNDS && value > scales[scale].bounds[i])
        i++;
    measure->counts[i]++;
    measure->sum += value;
}

const char *measure_bound_text(enum measure_scale scale, unsigned bound)
{
    return scales[scale].texts[bound];
}

uint64_t measure_now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}
