#pragma once

// One function a row of the benchmark: it measures and says each figure as often as it ran. runs:
// how often, at least; quick: on as little as shows that it works, for script/test.

#include <stdbool.h>

struct plan {
    unsigned runs;
    bool quick;
    const char *votes; // the file; NULL: none
};

struct row {
    const char *name;
    void (*measure)(const struct plan *plan);
};

void row_push(const struct plan *plan);      // 1,000 records up, and down to a second phone
void row_small(const struct plan *plan);     // 10 new each way, and nothing new
void row_take(const struct plan *plan);      // a hub takes in 10,000, and serves them
void row_commit(const struct plan *plan);    // one change, one commit; many devices at once
void row_noop(const struct plan *plan);      // syncs with nothing new, as many as go
void row_idle(const struct plan *plan);      // connections that stay
void row_start(const struct plan *plan);     // a hub with much in it starts
void row_disk(const struct plan *plan);      // bytes of a record on the disk
void row_handshake(const struct plan *plan); // TLS, full and resumed
void row_storm(const struct plan *plan);     // one small sync among 500 first ones
void row_picture(const struct plan *plan);   // the picture over many votes
void row_growth(const struct plan *plan);    // a small sync with ever larger hubs
void row_curves(const struct plan *plan);    // for bench/plot.py
void row_fixed(const struct plan *plan);     // for bench/check.py
