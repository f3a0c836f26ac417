// 1,000 records of 450 bytes go up over the bad line, cold, and down to a second phone. Beside it
// what a compressor makes of the bare texts, with no ids, times, salts, signatures or framing.

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "bench/figure.h"
#include "bench/over_link.h"
#include "bench/rows.h"
#include "bench/texts.h"
#include "bench/town.h"
#include "tests/e2e/check.h"

enum { RECORDS = 1000, FEW = 50, LEVEL_MOST = 19 };

static void say_raw(size_t n)
{
    size_t size = 0, room = ZSTD_compressBound(n * TEXT_BYTES);
    char *all = malloc(n * TEXT_BYTES);
    char *packed = malloc(room);
    CHECK(all && packed, "out of memory");
    for (size_t i = 0; i < n; i++) {
        texts_get(i, all + size);
        size += strlen(all + size);
    }
    size_t got = ZSTD_compress(packed, room, all, size, LEVEL_MOST);
    CHECK(!ZSTD_isError(got), "%s", ZSTD_getErrorName(got));
    figure("push", "raw_text_bytes", (double)size);
    figure("push", "raw_zstd19_bytes", (double)got);
    free(all);
    free(packed);
}

static void push_and_pull(size_t n, bool quick)
{
    struct town town = {0};
    struct device_host second;
    town_found(&town, TOWN_MEMORY);
    town_add_phone(&town, "phone", &town.phone);
    town_add_phone(&town, "second", &second);
    struct link *link = link_new(town.hub.port, quick ? &link_quick : &link_bad);
    town_write(&town, &town.phone, n);
    device_route(&town.phone, link_port(link));
    CHECK(over_link_sync(link, &town.phone, "push", "cold").pushed == n, "not all were pushed");
    device_route(&second, link_port(link));
    CHECK(over_link_sync(link, &second, "pull", "cold").pulled >= n, "not all were pulled");
    link_free(&link);
    device_close(&second);
    device_close(&town.phone);
    town_close(&town);
}

void row_push(const struct plan *plan)
{
    size_t n = plan->quick ? FEW : RECORDS;
    say_raw(n);
    for (unsigned i = 0; i < plan->runs; i++)
        push_and_pull(n, plan->quick);
}
