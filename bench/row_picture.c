// The picture over very many votes, and over a tenth of them: how long the hub takes for its
// numbers and for a list.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/rows.h"
#include "bench/town.h"
#include "proto/messages_picture.h"
#include "proto/schema.h"
#include "tests/e2e/check.h"
#include "tests/e2e/mass.h"
#include "tests/e2e/monitor.h"

enum {
    NEEDS_MAX = 4096,
    VOTES_MAX = 450000,
    A_RUN = 2000,
    CALLS = 200,
    FEW = 2000,
    FEW_NEEDS = 20
};
enum { ARENA_BYTES = 16 << 20 };

struct vote {
    unsigned need;
    unsigned person;
    unsigned stance;
};

static struct vote votes[VOTES_MAX];
static uint8_t needs[NEEDS_MAX][ID_SIZE];

static size_t read_votes(const char *path)
{
    size_t n = 0;
    char line[64];
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s (bench/votes.py makes it)", path, strerror(errno));
    while (n < VOTES_MAX && fgets(line, sizeof line, file)) {
        char *rest = line;
        struct vote *vote = &votes[n++];
        vote->need = (unsigned)strtoul(rest, &rest, 10);
        vote->person = (unsigned)strtoul(rest, &rest, 10);
        vote->stance = (unsigned)strtoul(rest, &rest, 10);
        CHECK(vote->need < NEEDS_MAX && *rest == '\n', "%s: line %zu", path, n);
    }
    fclose(file);
    return n;
}

static void say_needs(struct town *town, size_t n)
{
    for (size_t i = 0; i < NEEDS_MAX; i++) {
        if (i < n)
            town_peer_says(town, 1);
        peer_last_id(&town->peer, needs[i]);
    }
}

static void say_votes(struct town *town, size_t from, size_t to)
{
    static struct mass_voice voices[A_RUN];
    struct buf request = {0};
    struct post_answer answer;
    struct peer after;
    size_t n = 0;
    for (size_t i = from; i < to; i++, n++) {
        voices[n] = (struct mass_voice){.stance = votes[i].stance};
        memcpy(voices[n].need, needs[votes[i].need], ID_SIZE);
        memset(voices[n].person, 'p', ID_SIZE);
        be32_put(voices[n].person, votes[i].person);
    }
    mass_voices(&town->peer, voices, n, &request, &after);
    peer_send(&town->peer, buf_bytes(&request), &answer);
    CHECK(peer_receipt(&answer, NULL) == after.seq && peer_set_apart(&answer) == 0,
          "the hub did not take all: %ld %s", answer.status, answer.message);
    town->peer = after;
    post_done(&answer);
    buf_done(&request);
}

// What the hub's own clock says, from the whole request to its answer: connections are not in it.
static double call_seconds(const struct town *town, const char *method)
{
    char sample[120];
    (void)snprintf(sample, sizeof sample, "folkmoot_call_duration_seconds_sum{method=\"%s\"}",
                   method);
    return monitor_value(monitor_port(&town->hub), sample);
}

static void call(const struct town *town, const char *path, const struct message *asked,
                 const void *request, const struct message *told, void *response)
{
    struct arena arena ARENA_CLEANUP;
    struct post_answer answer;
    const struct peer_call of = {town->hub.port, path, town->peer.token, NULL, asked,
                                 request,        told};
    arena_init(&arena, ARENA_BYTES);
    peer_call(&of, &arena, response, &answer);
    CHECK(answer.status == 200, "%s: %ld %s", path, answer.status, answer.message);
    post_done(&answer);
}

static void measure(const struct town *town, const char *numbers, const char *list)
{
    static const char picture_path[] = "/folkmoot.v1.PictureService/Picture";
    static const char show_path[] = "/folkmoot.v1.PictureService/Show";
    const struct picture_request all = {.kind = KIND_NEED};
    const struct show_request unanswered = {.list = 1};
    double of_numbers = call_seconds(town, "Picture"), of_list = call_seconds(town, "Show");
    for (int i = 0; i < CALLS; i++) {
        struct picture_response picture = {.more = false};
        struct show_response show = {.least = 0};
        call(town, picture_path, &picture_request_message, &all, &picture_response_message,
             &picture);
        call(town, show_path, &show_request_message, &unanswered, &show_response_message, &show);
        CHECK(picture.total && show.items.n > 0, "nothing is shown");
    }
    figure("picture", numbers, (call_seconds(town, "Picture") - of_numbers) / CALLS * 1000);
    figure("picture", list, (call_seconds(town, "Show") - of_list) / CALLS * 1000);
}

static void say_until(struct town *town, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += A_RUN)
        say_votes(town, at, at + A_RUN < to ? at + A_RUN : to);
}

void row_picture(const struct plan *plan)
{
    struct town town;
    if (!plan->votes) {
        figure_say("LEFT OUT: no votes were named");
        return;
    }
    size_t n = read_votes(plan->votes);
    n = plan->quick && n > FEW ? FEW : n;
    town_found(&town, TOWN_DISK);
    say_needs(&town, plan->quick ? FEW_NEEDS : NEEDS_MAX);
    size_t tenth = n / 10;
    say_until(&town, 0, tenth);
    measure(&town, "tenth_ms", "list_tenth_ms");
    double cpu = cost_cpu_seconds(town.hub.pid);
    say_until(&town, tenth, n);
    cpu = cost_cpu_seconds(town.hub.pid) - cpu;
    measure(&town, "ms", "list_ms");
    figure("picture", "votes", (double)n);
    figure("picture", "cpu_us_a_vote", cpu / (double)(n - tenth) * 1e6);
    town_close(&town);
}
