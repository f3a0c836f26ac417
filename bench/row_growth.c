// A small sync with a hub that holds more and more: what it costs should stay the same.

#include <stdio.h>

#include "bench/counted.h"
#include "bench/figure.h"
#include "bench/rows.h"

enum { NEWS = 10 };

static void measure(size_t records)
{
    struct town town;
    struct counted counted;
    char name[48];
    town_open(&town, records, TOWN_DISK, false, "");
    if (counted_sync(&town, NEWS, &counted)) {
        (void)snprintf(name, sizeof name, "instructions_%zu", records);
        figure("growth", name, counted.instructions);
        (void)snprintf(name, sizeof name, "bytes_%zu", records);
        figure("growth", name, counted.bytes_up + counted.bytes_down);
    } else {
        figure_say("LEFT OUT: there is no valgrind to count instructions");
    }
    town_close(&town);
}

void row_growth(const struct plan *plan)
{
    static const size_t sizes[] = {1000, 10000, 100000, 1000000};
    if (plan->quick) {
        measure(200);
        return;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        measure(sizes[i]);
}
