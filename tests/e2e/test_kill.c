// kill -9 of the hub at random instants while three devices push: whatever had a receipt is there
// after the restart, nothing is doubled, and in the end all hold the same bytes.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"

enum {
    PUSHERS = 3,
    KILLS = 200,
    KILL_WITHIN_MS = 40,
    CHANGES_MAX = 60000,
    CHANGES_AT_ONCE = 5,
    CHAINS_EVERY = 20, // kills after which the hub's own list of chains is read
};

// Sessions pass while it is open.
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    bool over;
    unsigned inside;
};

struct pusher {
    pthread_t thread;
    struct gate *gate;
    struct device_host device;
    uint8_t shared[16];
    uint8_t person[16];
    uint64_t random;
    uint8_t (*created)[16]; // by seq; zeros where that change created nothing
    uint32_t written;
    uint32_t receipts; // up to this seq the hub gave its word
    uint32_t needs;
    unsigned whole; // sessions
    unsigned broken;
};

// --- the gate ---

// False: it is over.
static bool gate_enter(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->closed && !gate->over)
        pthread_cond_wait(&gate->changed, &gate->lock);
    bool may = !gate->over;
    gate->inside += may;
    pthread_mutex_unlock(&gate->lock);
    return may;
}

static void gate_leave(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->inside--;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_shut(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->closed = true;
    pthread_mutex_unlock(&gate->lock);
}

static void gate_wait_until_empty(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside > 0)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_let(struct gate *gate, bool over)
{
    pthread_mutex_lock(&gate->lock);
    gate->closed = false;
    gate->over = over;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

// --- a pusher ---

static void write_voice(struct pusher *p)
{
    static const char *const stances[] = {"for", "against", "unsure"};
    struct folkmoot_error error = {0};
    CHECK(folkmoot_voice(p->device.fm, "need", p->shared, p->person,
                         stances[check_random(&p->random) % 3], NULL, NULL, 0,
                         &error) == FOLKMOOT_OK,
          "%s", error.text);
}

static void write_one(struct pusher *p)
{
    uint8_t id[16] = {0};
    char text[60];
    (void)snprintf(text, sizeof text, "%s %u", strrchr(p->device.path, '/'), p->written + 1);
    uint64_t what = check_random(&p->random) % 6;
    if (what == 0) {
        write_voice(p);
    } else if (what == 1) {
        device_edit(&p->device, "need", p->shared, "title", text);
    } else {
        device_add(&p->device, "need", "title", text, id);
        p->needs++;
    }
    uint32_t written = device_community(&p->device).written;
    CHECK(written <= p->written + 1, "one write made %u changes", written - p->written);
    CHECK(written < CHANGES_MAX, "more changes than the test keeps");
    if (written > p->written)
        memcpy(p->created[written], id, sizeof id);
    p->written = written;
}

static void sync_once(struct pusher *p)
{
    struct folkmoot_error error = {0};
    struct folkmoot_progress progress = {0};
    enum folkmoot_code code = device_sync(&p->device, &progress, &error);
    CHECK(code == FOLKMOOT_OK || code == FOLKMOOT_NETWORK, "code %d: %s", (int)code, error.text);
    *(code == FOLKMOOT_OK ? &p->whole : &p->broken) += 1;
    struct folkmoot_community community = device_community(&p->device);
    CHECK(community.written == p->written, "a chain of %u, not %u", community.written, p->written);
    uint32_t receipts = community.written - community.unsent;
    CHECK(receipts >= p->receipts, "the hub gave its word up to %u, now only up to %u", p->receipts,
          receipts);
    CHECK(code != FOLKMOOT_OK || community.unsent == 0, "a whole session left %u unsent",
          community.unsent);
    p->receipts = receipts;
}

static void *run_pusher(void *arg)
{
    struct pusher *p = arg;
    while (gate_enter(p->gate)) {
        uint64_t n = 1 + check_random(&p->random) % CHANGES_AT_ONCE;
        for (uint64_t i = 0; i < n; i++)
            write_one(p);
        sync_once(p);
        gate_leave(p->gate);
    }
    return NULL;
}

static void open_pusher(struct pusher *p, struct hub *hub, struct gate *gate, int i, uint64_t seed)
{
    char name[24], link[HUB_LINK_BYTES];
    (void)snprintf(name, sizeof name, "pusher%d", i);
    *p = (struct pusher){.gate = gate, .random = seed + (uint64_t)i + 1};
    p->created = calloc(CHANGES_MAX, sizeof *p->created);
    CHECK(p->created, "out of memory");
    memset(p->person, 0x50 + i, sizeof p->person);
    device_open(&p->device, hub->dir, name);
    hub_invite(hub, "volunteer", link);
    device_must_join(&p->device, link);
}

static void close_pusher(struct pusher *p)
{
    device_close(&p->device);
    free(p->created);
}

// --- after each kill ---

static void check_record(struct device_host *observer, const struct pusher *p, uint32_t seq)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    CHECK(folkmoot_record_get(observer->fm, "need", p->created[seq], FOLKMOOT_BRIEF, &record,
                              &error) == FOLKMOOT_OK,
          "change %u of %s had a receipt and is lost: %s", seq, p->device.path, error.text);
    CHECK(record.fields_n == 1 && record.fields[0].values_n == 1, "a record that was doubled");
    CHECK(record.fields[0].values[0].seq == seq, "another change stands under the same id");
    folkmoot_record_done(&record);
}

// The newest record whose change has a receipt. A hub's chains have no gaps, so the older ones are
// there with it; in the end all are compared.
static void check_receipts(struct device_host *observer, const struct pusher *p)
{
    static const uint8_t none[16];
    for (uint32_t seq = p->receipts; seq > 0; seq--) {
        if (memcmp(p->created[seq], none, sizeof none) != 0) {
            check_record(observer, p, seq);
            return;
        }
    }
}

// What the hub itself says of the chains.
static void check_chains(struct hub *hub, const struct pusher *pushers)
{
    const char *const words[] = {"devices", hub->community, NULL};
    cJSON *answer = hub_control(hub, words);
    for (int i = 0; i < PUSHERS; i++) {
        struct pusher p = pushers[i];
        struct folkmoot_community mine = device_community(&p.device);
        const cJSON *item;
        double changes = -1;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(answer, "devices"))
        {
            char hex[2 * sizeof mine.device + 1];
            for (size_t k = 0; k < sizeof mine.device; k++)
                (void)snprintf(hex + 2 * k, 3, "%02x", mine.device[k]);
            const char *handle = cJSON_GetStringValue(cJSON_GetObjectItem(item, "handle"));
            if (handle && strcmp(handle, hex) == 0)
                changes = cJSON_GetNumberValue(cJSON_GetObjectItem(item, "changes"));
        }
        CHECK(changes >= p.receipts && changes <= p.written,
              "the hub has %.0f changes of a device that wrote %u and has receipts for %u", changes,
              p.written, p.receipts);
    }
    cJSON_Delete(answer);
}

static void kill_once(struct hub *hub, struct gate *gate, struct device_host *observer,
                      const struct pusher *pushers, unsigned wait_ms, bool chains)
{
    check_sleep_ms(wait_ms);
    gate_shut(gate);
    hub_kill(hub);
    gate_wait_until_empty(gate);
    hub_start(hub);
    device_must_sync(observer);
    for (int i = 0; i < PUSHERS; i++)
        check_receipts(observer, &pushers[i]);
    if (chains)
        check_chains(hub, pushers);
    gate_let(gate, false);
}

// --- the end ---

static void check_end(struct hub *hub, struct device_host *observer, struct pusher *pushers)
{
    char link[HUB_LINK_BYTES];
    struct device_host late;
    uint64_t written = 1; // the shared need
    size_t needs = 1;
    for (int i = 0; i < PUSHERS; i++) {
        device_must_sync(&pushers[i].device);
        written += pushers[i].written;
        needs += pushers[i].needs;
    }
    device_open(&late, hub->dir, "late");
    hub_invite(hub, "volunteer", link);
    device_must_join(&late, link);
    device_must_sync(&late);
    device_must_sync(observer);
    CHECK(device_count(&late, "need") == needs, "not %zu needs", needs);
    for (int i = 0; i < PUSHERS; i++) {
        device_must_sync(&pushers[i].device);
        device_check_equal(&pushers[i].device, &late);
    }
    device_check_equal(observer, &late);
    // The incarnation, and the enrolments of the pushers, the observer and the late device.
    uint64_t log = hub_log_size(hub), due = written + 1 + PUSHERS + 2;
    CHECK(log == due, "the log has %llu changes, not %llu", (unsigned long long)log,
          (unsigned long long)due);
    device_close(&late);
}

static unsigned kills_wanted(void)
{
    const char *text = getenv("FOLKMOOT_KILLS");
    return text ? (unsigned)strtoul(text, NULL, 10) : check_slowness() > 4 ? KILLS / 5 : KILLS;
}

static void report(const struct pusher *pushers, unsigned kills, int64_t begun)
{
    unsigned whole = 0, broken = 0, written = 0;
    for (int i = 0; i < PUSHERS; i++) {
        whole += pushers[i].whole;
        broken += pushers[i].broken;
        written += pushers[i].written;
    }
    printf("    %u kills, %u sessions whole and %u broken, %u changes, %.1f s\n", kills, whole,
           broken, written, (double)(check_now_ms() - begun) / 1000);
    CHECK(broken > kills / 4, "only %u sessions of %u kills were broken", broken, kills);
}

static void begin(struct hub *hub, struct gate *gate, struct device_host *observer,
                  struct pusher *pushers, uint64_t seed)
{
    char link[HUB_LINK_BYTES];
    uint8_t shared[16];
    hub_open(hub, "");
    device_open(observer, hub->dir, "observer");
    hub_invite(hub, "volunteer", link);
    device_must_join(observer, link);
    device_add(observer, "need", "title", "what all speak of", shared);
    device_must_sync(observer);
    for (int i = 0; i < PUSHERS; i++) {
        open_pusher(&pushers[i], hub, gate, i, seed);
        memcpy(pushers[i].shared, shared, sizeof shared);
        device_must_sync(&pushers[i].device);
        CHECK(pthread_create(&pushers[i].thread, NULL, run_pusher, &pushers[i]) == 0, "a thread");
    }
}

static void what_has_a_receipt_survives_a_kill_at_any_instant(void)
{
    static struct pusher pushers[PUSHERS];
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct hub hub;
    struct device_host observer;
    uint64_t seed = check_seed(), random = seed;
    uint64_t within_ms = UINT64_C(1) * KILL_WITHIN_MS * check_slowness();
    unsigned kills = kills_wanted();
    begin(&hub, &gate, &observer, pushers, seed);
    int64_t begun = check_now_ms();
    for (unsigned i = 1; i <= kills; i++) {
        unsigned wait = (unsigned)(check_random(&random) % within_ms);
        kill_once(&hub, &gate, &observer, pushers, wait, i % CHAINS_EVERY == 0);
    }
    gate_let(&gate, true);
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i].thread, NULL);
    check_end(&hub, &observer, pushers);
    report(pushers, kills, begun);
    for (int i = 0; i < PUSHERS; i++)
        close_pusher(&pushers[i]);
    device_close(&observer);
    hub_close(&hub);
}

// --- at the very beginning ---

// Killed while it makes its keys, its certificate and its database; the next start finds it so.
static void a_kill_at_any_instant_of_the_first_start_is_in_nobodys_way(void)
{
    struct hub hub;
    struct device_host device;
    char link[HUB_LINK_BYTES];
    uint64_t random = check_seed();
    unsigned kills = kills_wanted() / 4, early = 0;
    hub_open(&hub, "");
    hub_stop(&hub);
    for (unsigned i = 0; i < kills; i++) {
        uint64_t within_us = UINT64_C(12000) * check_slowness();
        hub_lose_everything(&hub);
        for (uint64_t k = 0; k <= check_random(&random) % 2; k++)
            early += hub_start_and_kill(&hub, check_random(&random) % within_us);
        hub_start(&hub);
        hub_stop(&hub);
    }
    hub_start(&hub);
    hub_found(&hub);
    device_open(&device, hub.dir, "device");
    hub_invite(&hub, "volunteer", link);
    device_must_join(&device, link);
    device_must_sync(&device);
    printf("    %u first starts, %u killed before anybody could connect\n", kills, early);
    CHECK(early > kills / 8, "most starts had ended before");
    device_close(&device);
    hub_close(&hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_kill_at_any_instant_of_the_first_start_is_in_nobodys_way",
         a_kill_at_any_instant_of_the_first_start_is_in_nobodys_way},
        {"what_has_a_receipt_survives_a_kill_at_any_instant",
         what_has_a_receipt_survives_a_kill_at_any_instant},
    };
    return check_main(cases, 2, argc, argv);
}
