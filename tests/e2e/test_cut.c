// A sync cut after every single byte, up and down, by FIN and by RST, over real TLS: nothing is
// lost, nothing is doubled, and what was received whole is not sent again.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"
#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/proxy.h"

enum {
    COUNT_EVERY = 200, // a full count of all records
    BYTES_MOST = 20000,
    BULK_RECORDS = 150,
    BULK_WORDS = 1990,
    BULK_ROUNDS = 12,
};

struct scene {
    struct hub hub;
    struct proxy *proxy;
    struct device_host cut;   // whose line is cut
    struct device_host other; // who writes at the same time
    uint32_t from_cut;        // needs written so far
    uint32_t from_other;
    uint32_t seen_by_other; // of from_cut
    uint8_t newest_cut[16];
    uint8_t newest_other[16];
    unsigned sessions;
    unsigned spared; // the receipt was lost, and the change was not pushed again
};

static void open_scene(struct scene *s)
{
    char link[HUB_LINK_BYTES];
    *s = (struct scene){0};
    hub_open(&s->hub, "");
    s->proxy = proxy_new(s->hub.port);
    device_open(&s->cut, s->hub.dir, "cut");
    device_open(&s->other, s->hub.dir, "other");
    hub_invite(&s->hub, "volunteer", link);
    device_must_join(&s->cut, link);
    hub_invite(&s->hub, "volunteer", link);
    device_must_join(&s->other, link);
    device_add(&s->other, "need", "title", "water at the school", NULL);
    device_must_sync(&s->other);
    device_must_sync(&s->cut);
}

static void close_scene(struct scene *s)
{
    device_close(&s->cut);
    device_close(&s->other);
    proxy_free(&s->proxy);
    hub_close(&s->hub);
}

// --- one round ---

static bool has_record(struct device_host *device, const uint8_t *id)
{
    struct folkmoot_record record;
    if (folkmoot_record_get(device->fm, "need", id, FOLKMOOT_BRIEF, &record, NULL) != FOLKMOOT_OK)
        return false;
    bool once = record.fields_n == 1 && record.fields[0].values_n == 1;
    folkmoot_record_done(&record);
    CHECK(once, "a record that was doubled");
    return true;
}

// It also brings what the cut device wrote in the round before.
static void sync_other(struct scene *s)
{
    struct folkmoot_progress progress = device_must_sync(&s->other);
    uint32_t due = s->from_cut - s->seen_by_other;
    CHECK(progress.pulled == due, "the other device got %u changes, not %u", progress.pulled, due);
    CHECK(due == 0 || has_record(&s->other, s->newest_cut), "what the cut device wrote was lost");
    s->seen_by_other = s->from_cut;
}

static void write_both(struct scene *s)
{
    char title[40];
    (void)snprintf(title, sizeof title, "other %u", ++s->from_other);
    device_add(&s->other, "need", "title", title, s->newest_other);
    sync_other(s);
    (void)snprintf(title, sizeof title, "cut %u", ++s->from_cut);
    device_add(&s->cut, "need", "title", title, s->newest_cut);
}

// The session through the proxy, on a connection of its own that is closed before it is counted.
static struct folkmoot_progress sync_cut(struct scene *s, const struct proxy_plan *plan,
                                         enum folkmoot_code *code, struct proxy_count *count)
{
    struct folkmoot_error error = {0};
    struct folkmoot_progress progress = {0};
    proxy_set(s->proxy, plan);
    *code = device_sync_by(&s->cut, proxy_port(s->proxy), &progress, &error);
    *count = proxy_count(s->proxy);
    s->sessions++;
    CHECK(*code == FOLKMOOT_OK || *code == FOLKMOOT_NETWORK,
          "a cut line must be a network error, not code %d: %s", (int)*code, error.text);
    CHECK(*code == FOLKMOOT_OK || count->cut, "a whole line failed: %s", error.text);
    return progress;
}

// All that both wrote is on both, once.
static void check_counts(struct scene *s)
{
    size_t all = (size_t)s->from_cut + s->from_other + 1;
    CHECK(device_count(&s->cut, "need") == all, "not %zu needs on the cut device", all);
    CHECK(device_count(&s->other, "need") == all, "not %zu needs on the other", all);
    device_check_equal(&s->cut, &s->other);
    // Two enrolments, two devices' changes and the incarnation.
    uint64_t log = hub_log_size(&s->hub);
    CHECK(log == all + 3, "the hub's log has %llu changes, not %zu", (unsigned long long)log,
          all + 3);
}

static void check_round(struct scene *s, const struct folkmoot_progress *first,
                        const struct folkmoot_progress *second)
{
    CHECK(first->pushed + second->pushed == 1, "one change had %u receipts",
          first->pushed + second->pushed);
    CHECK(first->pulled + second->pulled == 1, "one change came %u times",
          first->pulled + second->pulled);
    CHECK(first->apart + second->apart == 0, "a change was set apart");
    CHECK(has_record(&s->cut, s->newest_other), "what the other wrote was lost");
    CHECK(has_record(&s->cut, s->newest_cut), "what the cut device wrote was lost");
    struct folkmoot_community mine = device_community(&s->cut);
    CHECK(mine.unsent == 0, "%u unsent", mine.unsent);
    CHECK(mine.written == s->from_cut, "a chain of %u, not %u", mine.written, s->from_cut);
}

// One cut session and an uncut one after it. False: the session was not cut.
static bool round_is_cut(struct scene *s, const struct proxy_plan *plan)
{
    enum folkmoot_code code;
    struct proxy_count count;
    write_both(s);
    struct folkmoot_progress first = sync_cut(s, plan, &code, &count);
    struct folkmoot_progress second = device_must_sync(&s->cut);
    check_round(s, &first, &second);
    CHECK(code == FOLKMOOT_NETWORK || first.unsent == 0, "a session ended with a change unsent");
    if (first.pushed == 1)
        CHECK(second.bytes_out < first.bytes_out,
              "a change with a receipt was pushed again: %llu bytes, then %llu",
              (unsigned long long)first.bytes_out, (unsigned long long)second.bytes_out);
    s->spared += first.pushed == 0 && second.pushed == 1 && second.bytes_out < first.bytes_out;
    return count.cut;
}

// --- every byte ---

// 1: every byte. FOLKMOOT_CUT_STEP=n: every n-th, where another build has tried them all.
static unsigned step(void)
{
    const char *text = getenv("FOLKMOOT_CUT_STEP");
    unsigned n = text ? (unsigned)strtoul(text, NULL, 10) : 1;
    return n ? n : 1;
}

// Cuts after 0, 1, 2 ... bytes until a session completes uncut; how many there were.
static unsigned sweep(struct scene *s, bool up, enum proxy_end end)
{
    struct proxy_plan plan = {.up = -1, .down = -1, .end = end};
    unsigned n = 0;
    for (bool cut = true; cut; n++) {
        CHECK(n < BYTES_MOST, "no session of %u bytes completes", n);
        *(up ? &plan.up : &plan.down) = (int64_t)n * step();
        cut = round_is_cut(s, &plan);
        if (n % COUNT_EVERY == 0 || !cut) {
            sync_other(s);
            check_counts(s);
        }
    }
    return n - 1;
}

static void every_byte(bool up, enum proxy_end end)
{
    struct scene s;
    int64_t begun = check_now_ms();
    open_scene(&s);
    unsigned cuts = sweep(&s, up, end);
    printf("    %u cuts %s by %s, %u sessions, %u times the receipt alone, %.1f s\n", cuts,
           up ? "up" : "down", end == PROXY_FIN ? "FIN" : "RST", s.sessions * 2 + s.from_other,
           s.spared, (double)(check_now_ms() - begun) / 1000);
    // A session has at least a handshake and a request: fewer cuts would not have tried it.
    CHECK(cuts > 500 / step(), "only %u cuts", cuts);
    CHECK(up || end == PROXY_RST || s.spared > 50 / step(),
          "where the receipt was lost, the change was pushed again (only %u times not)", s.spared);
    close_scene(&s);
}

static void a_sync_cut_after_every_byte_up_loses_nothing(void)
{
    every_byte(true, PROXY_FIN);
}

static void a_sync_reset_after_every_byte_up_loses_nothing(void)
{
    every_byte(true, PROXY_RST);
}

static void a_sync_cut_after_every_byte_down_loses_nothing(void)
{
    every_byte(false, PROXY_FIN);
}

static void a_sync_reset_after_every_byte_down_loses_nothing(void)
{
    every_byte(false, PROXY_RST);
}

// --- many pieces ---

// Words that hardly pack, so that the answer is as long as it looks.
static void write_bulk(struct scene *s, uint64_t *random)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char words[BULK_WORDS + 1];
    struct folkmoot_error error = {0};
    CHECK(folkmoot_begin(s->other.fm, &error) == FOLKMOOT_OK, "%s", error.text);
    for (int i = 0; i < BULK_RECORDS; i++) {
        for (int k = 0; k < BULK_WORDS; k++)
            words[k] = letters[check_random(random) % (sizeof letters - 1)];
        words[BULK_WORDS] = '\0';
        device_add(&s->other, "remark", "words", words, NULL);
    }
    CHECK(folkmoot_end(s->other.fm, true, &error) == FOLKMOOT_OK, "%s", error.text);
    device_must_sync(&s->other);
}

// Cuts the answers at `at` bytes again and again until all is there. Bytes paid in all.
static uint64_t pull_in_cuts(struct scene *s, int64_t at, unsigned *cuts, uint32_t *pulled)
{
    uint64_t bytes = 0;
    bool cut = true;
    *pulled = 0;
    for (*cuts = 0; cut; ++*cuts) {
        enum folkmoot_code code;
        struct proxy_count count;
        struct proxy_plan plan = {.up = -1, .down = at, .end = *cuts % 2 ? PROXY_RST : PROXY_FIN};
        CHECK(*cuts < 200, "cut after each %lld bytes, a sync never comes to its end",
              (long long)at);
        struct folkmoot_progress progress = sync_cut(s, &plan, &code, &count);
        *pulled += progress.pulled;
        bytes += progress.bytes_in;
        cut = count.cut;
    }
    --*cuts;
    return bytes;
}

static void an_answer_of_many_pieces_goes_on_after_its_last_whole_piece(void)
{
    struct scene s;
    uint64_t random = check_seed();
    open_scene(&s);
    write_bulk(&s, &random);
    uint64_t whole = device_must_sync(&s.cut).bytes_in;
    CHECK(whole > 150000, "only %llu bytes", (unsigned long long)whole);
    unsigned all_cuts = 0;
    for (int i = 0; i < BULK_ROUNDS; i++) {
        unsigned cuts;
        uint32_t pulled;
        int64_t at = 30000 + (int64_t)(check_random(&random) % 150000);
        write_bulk(&s, &random);
        uint64_t paid = pull_in_cuts(&s, at, &cuts, &pulled);
        all_cuts += cuts;
        CHECK(pulled == BULK_RECORDS, "%u changes came for %d", pulled, BULK_RECORDS);
        // What a cut costs is at most the piece that it hit.
        CHECK(paid < whole + 4096 + (uint64_t)cuts * 70000, "%llu bytes for %llu with %u cuts",
              (unsigned long long)paid, (unsigned long long)whole, cuts);
    }
    device_must_sync(&s.cut);
    device_check_equal(&s.cut, &s.other);
    CHECK(all_cuts >= BULK_ROUNDS, "only %u cuts", all_cuts);
    printf("    %u cuts in %d answers of %llu bytes\n", all_cuts, BULK_ROUNDS,
           (unsigned long long)whole);
    close_scene(&s);
}

// --- a slow line ---

static void a_line_that_drips_and_delays_is_slow_and_whole(void)
{
    struct scene s;
    enum folkmoot_code code;
    struct proxy_count count;
    struct proxy_plan plan = {.up = -1, .down = -1, .delay_ms = 20, .drip_bytes = 8};
    open_scene(&s);
    write_both(&s);
    int64_t begun = check_now_ms();
    struct folkmoot_progress progress = sync_cut(&s, &plan, &code, &count);
    CHECK(code == FOLKMOOT_OK, "the slow session failed");
    CHECK(progress.pushed == 1 && progress.pulled == 1, "it brought not what was there");
    printf("    %llu bytes up, %llu down, in %lld ms\n", (unsigned long long)count.up,
           (unsigned long long)count.down, (long long)(check_now_ms() - begun));
    sync_other(&s);
    check_counts(&s);
    close_scene(&s);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(a_sync_cut_after_every_byte_up_loses_nothing),
        CASE(a_sync_reset_after_every_byte_up_loses_nothing),
        CASE(a_sync_cut_after_every_byte_down_loses_nothing),
        CASE(a_sync_reset_after_every_byte_down_loses_nothing),
        CASE(an_answer_of_many_pieces_goes_on_after_its_last_whole_piece),
        CASE(a_line_that_drips_and_delays_is_slow_and_whole),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
