// Fixed scenarios whose bytes, turns, commits and instructions do not hang on the machine's mood:
// bench/check.py compares them with bench/expected.json.

#include "bench/counted.h"
#include "bench/figure.h"
#include "bench/over_link.h"
#include "bench/rows.h"
#include "tests/e2e/check.h"
#include "tests/e2e/monitor.h"

enum { RECORDS = 300, NEW = 10, MANY = 100 };

// Long enough for who waits for whom to be the same each time.
static const struct link_line line = {.latency_ms = 20};

static double commits_of(const struct town *town)
{
    return monitor_value(monitor_port(&town->hub), "folkmoot_writer_commits_total");
}

static void sync(struct link *link, struct device_host *phone, const struct town *town,
                 const char *name, const char *commits_name)
{
    double before = commits_of(town);
    (void)over_link_sync(link, phone, "fixed", name);
    figure("fixed", commits_name, commits_of(town) - before);
}

static void over_the_line(struct town *town)
{
    struct device_host second;
    town_add_phone(town, "phone", &town->phone);
    town_add_phone(town, "second", &second);
    struct link *link = link_new(town->hub.port, &line);
    town_write(town, &town->phone, RECORDS);
    device_route(&town->phone, link_port(link));
    sync(link, &town->phone, town, "push", "push_commits");
    device_route(&second, link_port(link));
    sync(link, &second, town, "pull", "pull_commits");
    town_peer_says(town, NEW);
    town_write(town, &second, NEW);
    sync(link, &second, town, "ten_warm", "ten_warm_commits");
    town_peer_says(town, NEW);
    town_write(town, &second, NEW);
    device_route(&second, link_port(link));
    sync(link, &second, town, "ten_cold", "ten_cold_commits");
    sync(link, &second, town, "nothing", "nothing_commits");
    link_free(&link);
    device_close(&second);
    device_close(&town->phone);
}

static void count(struct town *town, size_t news, const char *name)
{
    struct counted counted;
    if (counted_sync(town, news, &counted))
        figure("fixed", name, counted.instructions);
    else
        figure_say("LEFT OUT: there is no valgrind to count instructions");
}

void row_fixed(const struct plan *plan)
{
    struct town town;
    (void)plan;
    town_found(&town, TOWN_MEMORY);
    over_the_line(&town);
    count(&town, NEW, "ten_instructions");
    hub_start(&town.hub);
    count(&town, MANY, "hundred_instructions");
    hub_start(&town.hub);
    count(&town, 0, "nothing_instructions");
    town_close(&town);
}
