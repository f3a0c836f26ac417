#pragma once

// One function a row of the benchmark: it measures and says each figure as often as it ran. runs:
// how often, at least; quick: on as little as shows that it works, for script/test.

#include <stdbool.h>

struct plan {
    unsigned runs;
    bool quick;
};

struct row {
    const char *name;
    void (*measure)(const struct plan *plan);
};

void row_push(const struct plan *plan);  // 1,000 records up, and down to a second phone
void row_small(const struct plan *plan); // 10 new each way, and nothing new
