// Crowds: connections that want nothing, half-open ones, and so many that descriptors run out. Each
// costs little, none keeps others out for good.

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/strain.h"

enum {
    IDLE = 500,
    IDLE_KIB = 64, // of a connection over TLS that is greeted and asks for nothing
    HOSTS = 50,    // addresses that the crowd comes from, from 127.0.0.10 on
    FIRST_HOST = 10,
};

static void open_idle(struct raw *raw, const struct stage *stage, size_t i)
{
    struct buf hello = {0};
    raw_open_from(raw, stage->hub.port, (uint8_t)(FIRST_HOST + i % HOSTS), 0);
    CHECK(raw_tls(raw, "h2"), "the handshake of connection %zu failed", i);
    raw_put_hello(&hello, 0);
    CHECK(raw_send(raw, buf_bytes(&hello)), "connection %zu is not kept", i);
    buf_done(&hello);
}

struct crowd {
    const struct stage *stage;
    struct raw *wires;
    size_t n;
};

static void gather(void *arg)
{
    struct crowd *crowd = arg;
    for (size_t i = 0; i < crowd->n; i++)
        open_idle(&crowd->wires[i], crowd->stage, i);
}

// FOLKMOOT_IDLE=10000 for the crowd of the list.
static void idle_connections_cost_little_each_and_others_are_served(void)
{
    struct stage stage;
    struct strain strain;
    struct crowd crowd = {.stage = &stage, .n = strain_count("FOLKMOOT_IDLE", IDLE)};
    crowd.wires = calloc(crowd.n, sizeof *crowd.wires);
    CHECK(crowd.wires, "out of memory");
    strain_open(&stage, "connections = 20000\nconnections_per_address = 1000\n"
                        "idle_seconds = 3600\nhandshake_seconds = 60\n");
    CHECK(strain_may_open(&stage.hub, crowd.n + 200),
          "so many descriptors are not permitted here: choose a smaller FOLKMOOT_IDLE");
    strain_begin(&strain, &stage);
    strain_meanwhile(&stage, "a crowd that gathers", gather, &crowd);
    CHECK(strain_files(&stage.hub) > crowd.n, "the hub has only %zu descriptors",
          strain_files(&stage.hub));
    strain_check_memory(&strain, "idle connections", crowd.n * IDLE_KIB);
    for (int i = 0; i < 3; i++)
        strain_check_others(&stage, "an idle crowd");
    int64_t busy = strain_busy_ms(&stage.hub);
    check_sleep_ms(3000);
    busy = strain_busy_ms(&stage.hub) - busy;
    printf("    idle, the hub spends %lld ms of 3000\n", (long long)busy);
    CHECK(busy < 1500, "an idle crowd costs %lld ms of 3000", (long long)busy);
    for (size_t i = 0; i < crowd.n; i++)
        raw_close(&crowd.wires[i]);
    strain_check_others(&stage, "a crowd that has gone");
    free(crowd.wires);
    stage_close(&stage);
}

// --- descriptors ---

enum { SPARE_FILES = 12, EXHAUSTING = 60 };

static void connect_only(void *arg)
{
    struct crowd *crowd = arg;
    for (size_t i = 0; i < crowd->n; i++)
        raw_open_from(&crowd->wires[i], crowd->stage->hub.port, FIRST_HOST, 0);
    check_sleep_ms(1500);
}

static void wait_for_files(const struct hub *hub, size_t n)
{
    int64_t end = check_now_ms() + 10000;
    while (strain_files(hub) < n) {
        CHECK(check_now_ms() < end, "the hub has %zu descriptors, not %zu", strain_files(hub), n);
        check_sleep_ms(20);
    }
}

static void say_something(struct stage *stage)
{
    struct folkmoot_error error = {0};
    device_add(&stage->good, "need", "title", "said without a descriptor", NULL);
    CHECK(device_sync(&stage->good, NULL, &error) == FOLKMOOT_OK,
          "a connection that stands is not served: %s", error.text);
}

static void a_hub_without_descriptors_serves_who_is_in_rests_and_recovers(void)
{
    struct stage stage;
    struct raw wires[EXHAUSTING];
    struct crowd crowd = {.stage = &stage, .wires = wires, .n = EXHAUSTING};
    strain_open(&stage, "connections = 200\nconnections_per_address = 100\n"
                        "handshake_seconds = 2\nidle_seconds = 60\n");
    device_route(&stage.good, 0);
    device_must_sync(&stage.good);
    size_t most = strain_files(&stage.hub) + SPARE_FILES;
    strain_limit_files(&stage.hub, most);
    connect_only(&crowd);
    wait_for_files(&stage.hub, most);
    int64_t busy = strain_busy_ms(&stage.hub);
    say_something(&stage);
    check_sleep_ms(1500);
    busy = strain_busy_ms(&stage.hub) - busy;
    printf("    without descriptors the hub spends %lld ms of 1500\n", (long long)busy);
    CHECK(busy < 1000, "it turns in circles: %lld ms of 1500", (long long)busy);
    stage_remember(&stage); // also the control socket needs one: it answers when there is one
    for (size_t i = 0; i < EXHAUSTING; i++)
        raw_close(&wires[i]);
    strain_check_others(&stage, "descriptors that ran out");
    stage_close(&stage);
}

// The admin's socket needs a descriptor, too: a phone can be revoked in the middle of a flood.
static void connections_leave_descriptors_to_the_store_and_the_admin(void)
{
    enum { FILES = 96 };
    struct stage stage;
    struct raw wires[EXHAUSTING];
    struct crowd crowd = {.stage = &stage, .wires = wires, .n = EXHAUSTING};
    strain_open(&stage, "connections = 200\nconnections_per_address = 100\n"
                        "handshake_seconds = 60\nidle_seconds = 60\n");
    hub_stop(&stage.hub);
    stage.hub.files_max = FILES;
    hub_start(&stage.hub);
    device_route(&stage.good, 0);
    device_must_sync(&stage.good);
    connect_only(&crowd);
    size_t files = strain_files(&stage.hub);
    printf("    under the flood the hub has %zu descriptors of %d\n", files, FILES);
    CHECK(files < FILES - 16, "%zu descriptors of %d are taken", files, FILES);
    say_something(&stage);
    stage_remember(&stage);
    for (size_t i = 0; i < EXHAUSTING; i++)
        raw_close(&wires[i]);
    strain_check_others(&stage, "descriptors that were held");
    stage_close(&stage);
}

static void the_limit_of_descriptors_is_raised_to_what_the_connections_need(void)
{
    struct stage stage;
    struct rlimit before, of_hub;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0, "getrlimit: %s", strerror(errno));
    struct rlimit low = {.rlim_cur = 256, .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0, "setrlimit: %s", strerror(errno));
    strain_open(&stage, "connections = 500\n");
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0, "setrlimit: %s", strerror(errno));
    CHECK(prlimit(stage.hub.pid, RLIMIT_NOFILE, NULL, &of_hub) == 0, "prlimit");
    CHECK(of_hub.rlim_cur >= 564, "the hub may have %llu", (unsigned long long)of_hub.rlim_cur);
    stage_close(&stage);
}

// --- half-open ---

// A segment that asks for a connection, from an address that never answers.
struct syn {
    struct iphdr ip;
    struct tcphdr tcp;
};

static uint16_t checksum(const void *data, size_t n, uint32_t sum)
{
    const uint8_t *p = data;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

// 192.0.2.0/24 is nobody's (RFC 5737).
static void make_syn(struct syn *syn, uint32_t n, uint16_t port)
{
    uint32_t from = htonl(0xc0000200u | (n % 250 + 1)), to = htonl(INADDR_LOOPBACK);
    uint8_t bytes[sizeof syn->tcp] = {0};
    memset(syn, 0, sizeof *syn);
    syn->ip.version = 4;
    syn->ip.ihl = 5;
    syn->ip.ttl = 64;
    syn->ip.protocol = IPPROTO_TCP;
    syn->ip.saddr = from;
    syn->ip.daddr = to;
    syn->ip.tot_len = htons(sizeof *syn);
    syn->tcp.source = htons((uint16_t)(1024 + n / 250));
    syn->tcp.dest = htons(port);
    syn->tcp.seq = htonl(n);
    syn->tcp.doff = 5;
    syn->tcp.syn = 1;
    syn->tcp.window = htons(1024);
    uint8_t pseudo[12] = {[9] = IPPROTO_TCP, [11] = sizeof syn->tcp};
    memcpy(pseudo, &from, sizeof from);
    memcpy(pseudo + 4, &to, sizeof to);
    uint32_t sum = checksum(pseudo, sizeof pseudo, 0);
    memcpy(bytes, &syn->tcp, sizeof bytes);
    syn->tcp.check = htons((uint16_t)~checksum(bytes, sizeof bytes, sum));
}

struct half_open {
    const struct stage *stage;
    int fd;
    uint32_t sent;
};

static void flood_half_open(void *arg)
{
    enum { SYNS = 20000 };
    struct half_open *flood = arg;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (uint32_t i = 0; i < SYNS; i++) {
        struct syn syn;
        make_syn(&syn, i, flood->stage->hub.port);
        flood->sent += sendto(flood->fd, &syn, sizeof syn, 0, (struct sockaddr *)&to, sizeof to) ==
                       (ssize_t)sizeof syn;
        if (i % 100 == 99)
            check_sleep_ms(5);
    }
}

// How many wait half open, as the kernel counts them (state 03 is SYN_RECV).
static size_t count_half_open(void)
{
    char line[512];
    size_t n = 0;
    FILE *file = fopen("/proc/self/net/tcp", "re");
    CHECK(file, "/proc/self/net/tcp: %s", strerror(errno));
    while (fgets(line, sizeof line, file)) {
        char *save;
        char *field = strtok_r(line, " ", &save); // number, addresses, state
        for (int i = 0; field && i < 3; i++)
            field = strtok_r(NULL, " ", &save);
        n += field && strtoul(field, NULL, 16) == 3;
    }
    fclose(file);
    return n;
}

static void watch_half_open(void *arg)
{
    flood_half_open(arg);
    printf("    %zu are half open at once\n", count_half_open());
    CHECK(count_half_open() > 100, "the flood does not arrive");
}

// Where there is nothing but the loopback interface, its routes are the test's own.
static bool has_own_namespace(void)
{
    struct if_nameindex *names = if_nameindex();
    CHECK(names, "if_nameindex: %s", strerror(errno));
    bool alone = names[0].if_index != 0 && names[1].if_index == 0;
    if_freenameindex(names);
    return alone;
}

static bool route(const char *what)
{
    int code;
    const char *const argv[] = {"/bin/sh", "-c", "ip route \"$1\" 192.0.2.0/24 dev lo 2>/dev/null",
                                "sh",      what, NULL};
    free(child_output(argv, "/dev/null", &code));
    return code == 0;
}

static void half_open_connections_keep_nobody_out(void)
{
    struct stage stage;
    struct strain strain;
    struct half_open flood = {.stage = &stage, .fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)};
    if (!has_own_namespace() || flood.fd < 0 || !route("add")) {
        printf("    LEFT OUT: half-open connections need a network namespace of one's own\n");
        return;
    }
    strain_open(&stage, "connections = 200\n");
    strain_begin(&strain, &stage);
    strain_meanwhile(&stage, "half-open connections", watch_half_open, &flood);
    CHECK(flood.sent > 0, "nothing was sent");
    strain_check_memory(&strain, "half-open connections", 1 << 10); // the daemon never sees them
    close(flood.fd);
    CHECK(route("del"), "ip route");
    stage_close(&stage);
}

// --- what says nothing ---

static void hold_all_places(void *arg)
{
    struct crowd *crowd = arg;
    connect_only(crowd);
    for (size_t i = 0; i < crowd->n; i++)
        raw_close(&crowd->wires[i]);
}

static void one_address_cannot_take_all_places(void)
{
    struct stage stage;
    struct raw wires[EXHAUSTING];
    struct crowd crowd = {.stage = &stage, .wires = wires, .n = EXHAUSTING};
    strain_open(&stage, "connections = 50\nconnections_per_address = 20\nhandshake_seconds = 30\n");
    device_must_sync(&stage.good);
    strain_meanwhile(&stage, "one address that wants all places", hold_all_places, &crowd);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(idle_connections_cost_little_each_and_others_are_served),
        CASE(a_hub_without_descriptors_serves_who_is_in_rests_and_recovers),
        CASE(connections_leave_descriptors_to_the_store_and_the_admin),
        CASE(the_limit_of_descriptors_is_raised_to_what_the_connections_need),
        CASE(half_open_connections_keep_nobody_out),
        CASE(one_address_cannot_take_all_places),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
