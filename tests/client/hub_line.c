// What lies between a session and the hub.

#include <stdlib.h>
#include <string.h>

#include "tests/client/hub_double.h"
#include "tests/sync/world.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return m <= n && strcmp(text + n - m, end) == 0;
}

static void deliver(struct folkmoot_session *session, const struct hub_line *line,
                    const struct folkmoot_request *request, const struct hub_answer *answer)
{
    bool cut = line->cuts && ends_with(request->path, "/Sync") && line->cut_at < answer->body.n;
    size_t n = cut ? line->cut_at : answer->body.n;
    size_t part = line->part ? line->part : n;
    for (size_t at = 0; at < n; at += part)
        folkmoot_session_receive(session, answer->body.p + at, n - at < part ? n - at : part);
    folkmoot_session_finish(session, !cut);
}

static void send_over(struct hub_double *hub, struct folkmoot_session *session,
                      struct hub_line *line, const struct folkmoot_request *request)
{
    const uint8_t *key = line->tls_key ? line->tls_key : hub_double_tls_key(hub);
    struct hub_answer answer = {.status = 0};
    line->requests++;
    if (line->is_down) {
        folkmoot_session_answer(session, FOLKMOOT_NOT_SENT, NULL);
        folkmoot_session_finish(session, false);
        return;
    }
    if (request->tls_key && memcmp(request->tls_key, key, 32) != 0) {
        folkmoot_session_answer(session, 0, key);
        folkmoot_session_finish(session, false);
        return;
    }
    line->told_a_secret |= line->tls_key && (request->token || request->tls_key);
    if (!line->loses_requests)
        hub_double_serve(hub, request, &answer);
    line->answer_n = answer.body.n;
    bool lost = line->loses_requests ||
                (line->loses_answer_to && ends_with(request->path, line->loses_answer_to));
    if (lost) {
        folkmoot_session_answer(session, 0, NULL);
        folkmoot_session_finish(session, false);
    } else {
        folkmoot_session_answer(session, answer.status, key);
        deliver(session, line, request, &answer);
    }
    buf_done(&answer.body);
}

enum folkmoot_next hub_double_run(struct hub_double *hub, struct folkmoot_session *session,
                                  struct hub_line *line)
{
    struct hub_line sound = {.part = 0};
    struct folkmoot_request request;
    enum folkmoot_next next = folkmoot_session_next(session, &request);
    while (next == FOLKMOOT_SEND) {
        send_over(hub, session, line ? line : &sound, &request);
        next = folkmoot_session_next(session, &request);
    }
    return next;
}
