#include "client/command/online.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "client/command/http.h"
#include "client/command/json.h"
#include "client/command/page.h"

enum { TRIES = 3, PAUSE_SECONDS = 2, PAUSE_FACTOR = 3, REDRAW_MS_LEAST = 200 };

// One join, sync, invitation or delivery, over all its tries.
struct exchange {
    struct app *app;
    const char *link;                             // NULL: no join
    const struct folkmoot_invitation *invitation; // NULL: none is asked for
    struct bytes letter;                          // that is delivered; empty: none
    struct buf made; // the link of the invitation, or the answer to the letter
    int64_t expires;
    struct http *http;
    struct folkmoot_session *session;
    struct folkmoot_progress before; // of the tries that went before
    struct folkmoot_error error;
    int64_t drawn_ms;
    bool terminal;
};

// --- progress ---

static struct folkmoot_progress progress_of(const struct exchange *exchange)
{
    struct folkmoot_progress sum = exchange->before;
    struct folkmoot_progress now = {0};
    if (!exchange->session)
        return sum;
    folkmoot_session_progress(exchange->session, &now);
    sum.requests += now.requests;
    sum.bytes_out += now.bytes_out;
    sum.bytes_in += now.bytes_in;
    sum.pushed += now.pushed;
    sum.pulled += now.pulled;
    sum.apart += now.apart;
    sum.carried += now.carried;
    sum.unsent = now.unsent;
    sum.log_size = now.log_size ? now.log_size : sum.log_size;
    sum.checked += now.checked;
    sum.sampled += now.sampled;
    sum.alarm |= now.alarm;
    return sum;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void draw(void *arg)
{
    struct exchange *exchange = arg;
    int64_t now = now_ms();
    if (!exchange->terminal || now - exchange->drawn_ms < REDRAW_MS_LEAST)
        return;
    exchange->drawn_ms = now;
    struct folkmoot_progress progress = progress_of(exchange);
    fprintf(stderr, "\rsent %u, received %u, still to send %u, %" PRIu64 " bytes   ",
            progress.pushed, progress.pulled, progress.unsent,
            (progress.bytes_out + progress.bytes_in));
}

static void wipe_line(const struct exchange *exchange)
{
    if (exchange->terminal && exchange->drawn_ms)
        fprintf(stderr, "\r%70s\r", "");
}

// --- tries ---

static enum folkmoot_code open_session(struct exchange *exchange)
{
    struct folkmoot *fm = exchange->app->fm;
    if (exchange->link)
        return folkmoot_join(fm, exchange->link, &exchange->session, &exchange->error);
    if (exchange->invitation)
        return folkmoot_invite(fm, exchange->invitation, &exchange->session, &exchange->error);
    if (exchange->letter.n)
        return folkmoot_deliver(fm, exchange->letter.p, exchange->letter.n, &exchange->session,
                                &exchange->error);
    if (options_given(&exchange->app->call, "check"))
        return folkmoot_sync_and_check(fm, &exchange->session, &exchange->error);
    return folkmoot_sync(fm, &exchange->session, &exchange->error);
}

static enum folkmoot_code run_session(struct exchange *exchange)
{
    struct folkmoot_request request;
    enum folkmoot_next next;
    while ((next = folkmoot_session_next(exchange->session, &request)) == FOLKMOOT_SEND) {
        draw(exchange);
        http_carry(exchange->http, exchange->session, &request);
    }
    if (next == FOLKMOOT_DONE)
        return FOLKMOOT_OK;
    exchange->error = *folkmoot_session_error(exchange->session);
    return exchange->error.code;
}

static enum folkmoot_code try_once(struct exchange *exchange)
{
    enum folkmoot_code code = open_session(exchange);
    if (code != FOLKMOOT_OK)
        return code;
    code = run_session(exchange);
    exchange->before = progress_of(exchange);
    const char *made = folkmoot_session_link(exchange->session, &exchange->expires);
    size_t n = 0;
    const void *answer = folkmoot_session_letter(exchange->session, &n);
    if (made)
        buf_put(&exchange->made, bytes_of(made, strlen(made) + 1));
    if (answer)
        buf_put(&exchange->made, bytes_of(answer, n));
    folkmoot_session_done(&exchange->session);
    return code;
}

static void pause_before_try(const struct exchange *exchange, unsigned seconds)
{
    wipe_line(exchange);
    if (exchange->terminal)
        fprintf(stderr, "no answer from the hub; trying again in %u seconds\n", seconds);
    sleep(seconds);
}

static enum folkmoot_code try_often(struct exchange *exchange)
{
    unsigned seconds = PAUSE_SECONDS;
    for (int left = TRIES - 1;; left--) {
        enum folkmoot_code code = try_once(exchange);
        if (code != FOLKMOOT_NETWORK || left == 0)
            return code;
        pause_before_try(exchange, seconds);
        seconds *= PAUSE_FACTOR;
    }
}

// --- what came of it ---

static enum command_exit say_failure(const struct exchange *exchange)
{
    struct folkmoot_progress progress = progress_of(exchange);
    const char *trouble = http_trouble(exchange->http);
    if (exchange->error.code != FOLKMOOT_NETWORK)
        return app_fail(&exchange->error);
    app_say(COMMAND_NETWORK, "%s%s%s%s", exchange->error.text, trouble[0] ? " (" : "", trouble,
            trouble[0] ? ")" : "");
    if (exchange->link)
        return app_say(COMMAND_NETWORK, "nothing is lost: join again with the same link");
    if (exchange->letter.n)
        return app_say(COMMAND_NETWORK,
                       "the letter stays as it is: import it again when there is a "
                       "signal");
    return app_say(COMMAND_NETWORK,
                   "what was exchanged is kept: %u sent, %u received, %u still to send; "
                   "use folkmoot sync again when there is a signal",
                   progress.pushed, progress.pulled, progress.unsent);
}

static void put_progress(const struct exchange *exchange, struct buf *out)
{
    struct folkmoot_progress progress = progress_of(exchange);
    buf_put_format(out, "sent %u, received %u, still to send %u", progress.pushed, progress.pulled,
                   progress.unsent);
    if (progress.apart)
        buf_put_format(out, ", set apart by the hub %u", progress.apart);
    if (progress.carried)
        buf_put_format(out, ", written anew under the new key %u", progress.carried);
    buf_put_format(out, "; paid %" PRIu64 " bytes out and %" PRIu64 " in, in %u request%s",
                   progress.bytes_out, progress.bytes_in, progress.requests,
                   progress.requests == 1 ? "" : "s");
}

static enum command_exit say_json(const struct exchange *exchange,
                                  const struct folkmoot_community *community)
{
    struct folkmoot_progress progress = progress_of(exchange);
    cJSON *document = cJSON_CreateObject();
    json_add_hex(document, "community", community->id, sizeof(community->id));
    cJSON_AddStringToObject(document, "name", community->name);
    cJSON_AddNumberToObject(document, "requests", progress.requests);
    cJSON_AddNumberToObject(document, "bytes_out", (double)progress.bytes_out);
    cJSON_AddNumberToObject(document, "bytes_in", (double)progress.bytes_in);
    cJSON_AddNumberToObject(document, "sent", progress.pushed);
    cJSON_AddNumberToObject(document, "received", progress.pulled);
    cJSON_AddNumberToObject(document, "apart", progress.apart);
    cJSON_AddNumberToObject(document, "carried", progress.carried);
    cJSON_AddNumberToObject(document, "unsent", progress.unsent);
    cJSON_AddNumberToObject(document, "checked", progress.checked);
    cJSON_AddNumberToObject(document, "sampled", progress.sampled);
    cJSON_AddStringToObject(document, "alarm", community->alarm);
    enum command_exit done = json_print(document);
    return progress.alarm && done == COMMAND_OK ? COMMAND_REFUSED : done;
}

// What was checked of the hub's log, in words.
static void say_checked(const struct exchange *exchange)
{
    struct folkmoot_progress progress = progress_of(exchange);
    struct buf BUF_CLEANUP line = {0};
    if (progress.alarm || progress.log_size == 0)
        return;
    buf_put_format(&line, "checked: the hub's log goes on to entry %" PRIu64, progress.log_size);
    if (progress.checked)
        buf_put_format(&line, ", and the %u changes written here are in it", progress.checked);
    if (progress.sampled)
        buf_put_text(&line, "; a change of somebody else is as its author signed it");
    page_line(0, &line);
}

static enum command_exit say_alarm(const struct folkmoot_community *community)
{
    app_say(COMMAND_REFUSED, "WARNING: %s", community->alarm);
    return app_say(
        COMMAND_REFUSED,
        "everything here is kept. Ask the hub's admin whether a backup was restored, and "
        "tell others; folkmoot status --acknowledge takes this warning away");
}

// The community's id as the link of an invitation names it (docs/protocol.md, section 7).
static bool id_in_link(const char *link, uint8_t id[16])
{
    static const char name[] = "community=";
    const char *at = strstr(link, name);
    if (!at)
        return false;
    at += sizeof(name) - 1;
    return text_unbase64url(bytes_of(at, strcspn(at, "&#")), id, 16) == OK;
}

// The community that was synced or joined, as it is now.
static struct folkmoot_community community_of(const struct exchange *exchange)
{
    struct app *app = exchange->app;
    struct folkmoot_community community;
    uint8_t id[16];
    memcpy(id, app->community.id, sizeof(id));
    if (exchange->link && !id_in_link(exchange->link, id))
        return app->community;
    for (size_t i = 0; i < folkmoot_community_count(app->fm); i++) {
        if (folkmoot_community_at(app->fm, i, &community) == FOLKMOOT_OK &&
            memcmp(community.id, id, sizeof(id)) == 0)
            return community;
    }
    return app->community;
}

static enum command_exit say_success(const struct exchange *exchange)
{
    struct folkmoot_community community = community_of(exchange);
    struct buf BUF_CLEANUP line = {0};
    if (exchange->app->json)
        return say_json(exchange, &community);
    buf_put_text(&line, exchange->link ? "joined " : "synced ");
    page_put_value(&line, community.name);
    buf_put_text(&line, exchange->link ? "" : ": ");
    if (!exchange->link)
        put_progress(exchange, &line);
    page_line(0, &line);
    if (exchange->link && community.carried)
        printf("%u changes that were not sent go along: use folkmoot sync\n", community.carried);
    else if (exchange->link)
        printf("Use folkmoot sync to fetch what others said\n");
    else
        say_checked(exchange);
    return progress_of(exchange).alarm ? say_alarm(&community) : COMMAND_OK;
}

static enum command_exit run(struct exchange *exchange, enum folkmoot_code *code)
{
    exchange->terminal = isatty(STDERR_FILENO) == 1;
    exchange->http = http_new(draw, exchange);
    if (!exchange->http)
        return app_say(COMMAND_FAILED, "libcurl could not be started");
    *code = try_often(exchange);
    wipe_line(exchange);
    enum command_exit done = *code == FOLKMOOT_OK ? COMMAND_OK : say_failure(exchange);
    http_free(&exchange->http);
    return done;
}

static enum command_exit run_and_say(struct exchange *exchange)
{
    enum folkmoot_code code;
    enum command_exit done = run(exchange, &code);
    return done == COMMAND_OK ? say_success(exchange) : done;
}

enum command_exit online_join(struct app *app)
{
    struct exchange exchange = {.app = app, .link = app->call.args[0]};
    return run_and_say(&exchange);
}

enum command_exit online_sync(struct app *app)
{
    struct exchange exchange = {.app = app};
    return run_and_say(&exchange);
}

enum command_exit online_invite(struct app *app, const struct folkmoot_invitation *invitation,
                                struct buf *link, int64_t *expires)
{
    enum folkmoot_code code;
    struct exchange exchange = {.app = app, .invitation = invitation};
    enum command_exit done = run(&exchange, &code);
    buf_put(link, buf_bytes(&exchange.made));
    *expires = exchange.expires;
    bytes_wipe(exchange.made.p, exchange.made.n);
    buf_done(&exchange.made);
    return done;
}

enum command_exit online_deliver(struct app *app, struct bytes letter, struct buf *answer)
{
    enum folkmoot_code code;
    struct exchange exchange = {.app = app, .letter = letter};
    enum command_exit done = run(&exchange, &code);
    buf_put(answer, buf_bytes(&exchange.made));
    buf_done(&exchange.made);
    return done == COMMAND_OK && answer->n == 0
               ? app_say(COMMAND_FAILED, "there is no memory for the answer")
               : done;
}
