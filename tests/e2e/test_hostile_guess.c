// Invitations: who guesses them gets a few answers a minute and keeps nobody from syncing; who
// spends one twice, at the same moment, gets one device.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"
#include "tests/e2e/strain.h"

enum {
    PER_ADDRESS = 10,
    IN_ALL = 40,
    SPENDERS = 8,
};

static const char limits[] = "connections = 200\nenrol_attempts_per_minute = 40\n"
                             "enrol_attempts_per_minute_per_address = 10\n";

// --- guessing ---

struct guessing {
    const struct stage *stage;
    char link[HUB_LINK_BYTES];
    const char *from;
    unsigned guesses;
    unsigned answered; // with "no such invitation", or what else is not "try again later"
};

// Another code in the link: its letters change, all of base64url.
static void guess_code(char link[HUB_LINK_BYTES], unsigned n)
{
    char *code = strstr(link, "code=");
    CHECK(code, "a link without a code");
    for (char *p = code + 5; p < code + 13; p++, n /= 26)
        *p = (char)('a' + n % 26);
}

static void guess(struct guessing *guessing, unsigned n)
{
    struct peer peer;
    struct post_answer answer;
    guess_code(guessing->link, n);
    peer_try_enrol(&peer, guessing->stage->hub.port, guessing->link, guessing->from, &answer);
    CHECK(answer.status >= 400 && answer.message[0], "a guess gets %ld", answer.status);
    if (answer.status == 429)
        CHECK(answer.retry_after[0], "not told when to try again");
    else
        guessing->answered++;
    post_done(&answer);
}

static void guess_all(void *arg)
{
    struct guessing *guessing = arg;
    for (unsigned i = 0; i < guessing->guesses; i++)
        guess(guessing, i);
}

// Buckets fill as time goes on: a few more than a minute's worth.
static unsigned most(unsigned a_minute, int64_t ms)
{
    return a_minute + 1 + (unsigned)(ms * a_minute / 60000);
}

static void a_guesser_gets_a_few_answers_and_others_enrol(void)
{
    struct stage stage;
    struct guessing guessing = {.stage = &stage, .from = "127.0.0.7", .guesses = 100};
    char link[HUB_LINK_BYTES];
    struct peer honest;
    struct post_answer answer;
    strain_open(&stage, limits);
    hub_invite(&stage.hub, "volunteer", link);
    memcpy(guessing.link, link, sizeof link);
    int64_t begun = check_now_ms();
    strain_meanwhile(&stage, "a guesser of invitations", guess_all, &guessing);
    int64_t took = check_now_ms() - begun;
    printf("    %u of %u guesses were looked at\n", guessing.answered, guessing.guesses);
    CHECK(guessing.answered <= most(PER_ADDRESS, took), "%u guesses were looked at",
          guessing.answered);
    peer_try_enrol(&honest, stage.hub.port, link, "127.0.0.8", &answer);
    CHECK(answer.status == 200, "whoever has the invitation: %ld %s", answer.status,
          answer.message);
    post_done(&answer);
    stage_remember(&stage);
    stage_check_unharmed(&stage, "a guesser");
    stage_close(&stage);
}

static void guessers_from_everywhere_get_a_few_answers_together(void)
{
    enum { ADDRESSES = 20 };
    struct stage stage;
    struct guessing guessing = {.stage = &stage, .guesses = PER_ADDRESS};
    strain_open(&stage, limits);
    hub_invite(&stage.hub, "volunteer", guessing.link);
    int64_t begun = check_now_ms();
    for (unsigned i = 0; i < ADDRESSES; i++) {
        char from[16];
        (void)snprintf(from, sizeof from, "127.0.0.%u", 20 + i);
        guessing.from = from;
        strain_meanwhile(&stage, "guessers from everywhere", guess_all, &guessing);
    }
    int64_t took = check_now_ms() - begun;
    printf("    %u of %d guesses were looked at\n", guessing.answered, ADDRESSES * PER_ADDRESS);
    CHECK(guessing.answered <= most(IN_ALL, took), "%u guesses were looked at", guessing.answered);
    stage_close(&stage);
}

// --- spending twice ---

struct spending {
    uint16_t port;
    char link[HUB_LINK_BYTES];
    pthread_barrier_t *barrier;
    struct peer peer;
    long status;
};

static void *spend(void *arg)
{
    struct spending *spending = arg;
    struct post_answer answer;
    (void)pthread_barrier_wait(spending->barrier);
    peer_try_enrol(&spending->peer, spending->port, spending->link, NULL, &answer);
    spending->status = answer.status;
    CHECK(answer.status == 200 || answer.message[0], "an error without a sentence");
    post_done(&answer);
    return NULL;
}

static void invite_for(struct hub *hub, unsigned uses, char link[HUB_LINK_BYTES])
{
    char number[12];
    (void)snprintf(number, sizeof number, "%u", uses);
    const char *const words[] = {"invite", hub->community, "--uses", number, NULL};
    cJSON *answer = hub_control(hub, words);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "link"));
    CHECK(text && strlen(text) < HUB_LINK_BYTES, "no link");
    (void)snprintf(link, HUB_LINK_BYTES, "%s", text);
    cJSON_Delete(answer);
}

// All at once, on connections of their own.
static void spend_at_once(struct stage *stage, unsigned uses)
{
    struct spending spendings[SPENDERS];
    pthread_t threads[SPENDERS];
    pthread_barrier_t barrier;
    char link[HUB_LINK_BYTES];
    unsigned in = 0;
    uint64_t log = hub_log_size(&stage->hub);
    invite_for(&stage->hub, uses, link);
    CHECK(pthread_barrier_init(&barrier, NULL, SPENDERS) == 0, "pthread_barrier_init");
    for (size_t i = 0; i < SPENDERS; i++) {
        spendings[i] = (struct spending){.port = stage->hub.port, .barrier = &barrier};
        memcpy(spendings[i].link, link, sizeof link);
        CHECK(pthread_create(&threads[i], NULL, spend, &spendings[i]) == 0, "pthread_create");
    }
    for (size_t i = 0; i < SPENDERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0, "pthread_join");
        in += spendings[i].status == 200;
    }
    CHECK(in == uses, "an invitation for %u let %u in", uses, in);
    CHECK(hub_log_size(&stage->hub) == log + uses, "the log has not %u enrolments more", uses);
    (void)pthread_barrier_destroy(&barrier);
    stage_remember(stage);
    stage_check_unharmed(stage, "a double-spender");
}

static void an_invitation_that_is_spent_by_many_at_once_lets_in_as_many_as_it_says(void)
{
    struct stage stage;
    stage_open_with(&stage, "connections = 200\n");
    for (int i = 0; i < 5; i++)
        spend_at_once(&stage, 1);
    spend_at_once(&stage, 3);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(a_guesser_gets_a_few_answers_and_others_enrol),
        CASE(guessers_from_everywhere_get_a_few_answers_together),
        CASE(an_invitation_that_is_spent_by_many_at_once_lets_in_as_many_as_it_says),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
