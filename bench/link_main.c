// The emulated line for programs in other languages: before a port of the loopback interface, told
// what to do line by line.
//
//   folkmoot-link PORT LATENCY_MS RATE_BITS    says the port that leads there
//
// "reset" begins to count anew (it says "ok"); "count" says what went over the line since, as JSON;
// the end of the input is the end.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/link.h"
#include "tests/e2e/check.h"

static void say(struct link *link)
{
    struct link_count count = link_count(link);
    printf("{\"bytes\":%llu,\"up\":%llu,\"down\":%llu,\"segments\":%llu,\"turns\":%u,"
           "\"connections\":%u}\n",
           (unsigned long long)count.wire_up + (unsigned long long)count.wire_down,
           (unsigned long long)count.wire_up, (unsigned long long)count.wire_down,
           (unsigned long long)count.segments, count.turns, count.connections);
}

int main(int argc, char **argv)
{
    char line[64];
    CHECK(argc == 4, "usage: folkmoot-link PORT LATENCY_MS RATE_BITS");
    const struct link_line how = {.latency_ms = (unsigned)strtoul(argv[2], NULL, 10),
                                  .rate_bits = (unsigned)strtoul(argv[3], NULL, 10)};
    struct link *link = link_new((uint16_t)strtoul(argv[1], NULL, 10), &how);
    printf("%u\n", link_port(link));
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "reset\n") == 0) {
            link_reset(link);
            puts("ok");
        } else if (strcmp(line, "count\n") == 0) {
            say(link);
        }
        (void)fflush(stdout);
    }
    link_free(&link);
    return 0;
}
