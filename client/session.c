#include "client/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "client/refusal.h"
#include "proto/messages_letter.h"

enum {
    ANSWER_OTHER_MAX = LETTER_MAX + (4 << 10),
    PROOFS_MAX = 3,
    LOGINS_MAX = 2,
    SIZE_LEAST = 16 << 10,
    PUSH_MOST = 512 << 10,
    ANSWER_MOST = 1 << 20,
};

struct step {
    const char *path;
    bool secret; // bears a secret: only over a connection whose key was proved
    bool token;
    void (*ask)(struct folkmoot_session *session);
    void (*end)(struct folkmoot_session *session);
};

static const struct step steps[] = {
    [STAGE_INFO] = {"/folkmoot.v1.InfoService/Info", false, false, session_ask_info,
                    session_end_info},
    [STAGE_ENROL] = {"/folkmoot.v1.EnrolService/Enrol", true, false, session_ask_enrol,
                     session_end_enrol},
    [STAGE_LOGIN] = {"/folkmoot.v1.EnrolService/Login", true, false, session_ask_login,
                     session_end_login},
    [STAGE_SYNC] = {"/folkmoot.v1.SyncService/Sync", true, true, session_ask_sync,
                    session_end_sync},
    [STAGE_SAMPLE] = {"/folkmoot.v1.ProofService/Prove", true, true, session_ask_sample,
                      session_end_sample},
    [STAGE_INVITE] = {"/folkmoot.v1.EnrolService/Invite", true, true, session_ask_invite,
                      session_end_invite},
    [STAGE_DELIVER] = {"/folkmoot.v1.CarryService/Deliver", true, true, session_ask_deliver,
                       session_end_deliver},
};

// --- beginning, failing, ending ---

struct folkmoot_session *session_new(struct folkmoot *fm, const char *address)
{
    struct folkmoot_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->fm = fm;
    session->body.max = REQUEST_MAX;
    session->answer.max = ANSWER_OTHER_MAX;
    snprintf(session->address, sizeof session->address, "%s", address);
    return session;
}

struct folkmoot_session *session_about(struct folkmoot *fm, const struct scope *scope,
                                       enum stage stage)
{
    struct folkmoot_session *session = session_new(fm, scope->secret.address);
    if (!session)
        return NULL;
    session->number = scope->community.number;
    session->stage = stage;
    memcpy(session->tls_key, scope->secret.tls_key, sizeof session->tls_key);
    return session;
}

void session_failed(struct folkmoot_session *session)
{
    session->stage = STAGE_FAILED;
}

void session_fail(struct folkmoot_session *session, enum folkmoot_code code, const char *format,
                  ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(session->error.text, sizeof session->error.text, format, args);
    va_end(args);
    session->error.code = code;
    session_failed(session);
}

void session_fail_answer(struct folkmoot_session *session, enum err err, const struct fault *fault)
{
    if (err == ERR_MALFORMED || err == ERR_LIMIT || err == ERR_CUT || err == ERR_VERSION) {
        session_fail(session, FOLKMOOT_INTERNAL, "the hub's answer makes no sense: %s",
                     fault && fault->text[0] ? fault->text : err_text(err));
        return;
    }
    (void)state_fail_err(&session->error, err, fault);
    session_failed(session);
}

void session_encode(struct folkmoot_session *session, const struct message *message,
                    const void *request)
{
    message_encode(message, request, &session->body);
    if (session->body.err)
        session_fail(session, FOLKMOOT_INTERNAL, "the request could not be made: %s",
                     err_text(session->body.err));
}

void folkmoot_session_done(struct folkmoot_session **session)
{
    if (!*session)
        return;
    stream_done(&(*session)->taking.stream);
    buf_done(&(*session)->taking.top);
    buf_done(&(*session)->body);
    buf_done(&(*session)->answer);
    bytes_wipe((*session)->inviting.link.p, (*session)->inviting.link.n);
    buf_done(&(*session)->inviting.link);
    buf_done(&(*session)->letter);
    bytes_wipe(*session, sizeof **session);
    free(*session);
    *session = NULL;
}

const struct folkmoot_error *folkmoot_session_error(const struct folkmoot_session *session)
{
    return &session->error;
}

void folkmoot_session_progress(const struct folkmoot_session *session,
                               struct folkmoot_progress *progress)
{
    *progress = session->progress;
}

// --- asking ---

static void ask(struct folkmoot_session *session)
{
    buf_reset(&session->body);
    buf_reset(&session->answer);
    session->status = 0;
    session->has_key = false;
    if (session->fm->batch) {
        session_fail(session, FOLKMOOT_INVALID, "a session cannot go on before folkmoot_end");
        return;
    }
    steps[session->stage].ask(session);
    if (session->stage == STAGE_FAILED || session->stage == STAGE_DONE)
        return;
    session->asked = true;
    session->progress.requests++;
    session->progress.bytes_out += session->body.n;
}

enum folkmoot_next folkmoot_session_next(struct folkmoot_session *session,
                                         struct folkmoot_request *request)
{
    if (!session->asked && session->stage != STAGE_DONE && session->stage != STAGE_FAILED)
        ask(session);
    if (session->stage == STAGE_DONE)
        return FOLKMOOT_DONE;
    if (session->stage == STAGE_FAILED)
        return FOLKMOOT_FAILED;
    const struct step *step = &steps[session->stage];
    *request = (struct folkmoot_request){.address = session->address,
                                         .path = step->path,
                                         .token = step->token ? session->token : NULL,
                                         .tls_key = step->secret ? session->tls_key : NULL,
                                         .body = session->body.p,
                                         .body_n = session->body.n};
    return FOLKMOOT_SEND;
}

// --- the answer ---

void folkmoot_session_answer(struct folkmoot_session *session, int http_status,
                             const uint8_t *tls_key)
{
    if (!session->asked)
        return;
    session->status = http_status == FOLKMOOT_NOT_SENT ? 0 : http_status;
    if (http_status == FOLKMOOT_NOT_SENT)
        session_not_sent(session);
    session->has_key = tls_key != NULL;
    if (tls_key)
        memcpy(session->key, tls_key, sizeof session->key);
    // The host promised to send nothing secret to another key; what came from one is not taken in.
    const struct step *step = &steps[session->stage];
    if (step->secret && tls_key && memcmp(session->key, session->tls_key, 32) != 0)
        session->status = 0;
}

void folkmoot_session_receive(struct folkmoot_session *session, const void *part, size_t n)
{
    if (!session->asked || session->status == 0 || session->stage == STAGE_FAILED)
        return;
    session->progress.bytes_in += n;
    if (session->status == 200 && session->stage == STAGE_SYNC) {
        session_take_sync(session, bytes_of(part, n));
        return;
    }
    size_t room = ANSWER_OTHER_MAX - session->answer.n;
    if (n > room && session->status == 200)
        session_fail(session, FOLKMOOT_INTERNAL, "the hub's answer is too long");
    else
        buf_put(&session->answer, bytes_of(part, n < room ? n : room));
    // What is left of an answer would be taken for what the hub said.
    if (session->answer.err)
        session_fail_answer(session, session->answer.err, NULL);
}

// A sample that nobody asked for and that did not come about is no failure of the sync.
static bool is_idle_sample(const struct folkmoot_session *session)
{
    return session->stage == STAGE_SAMPLE && !session->sample_wanted;
}

static uint32_t halved(uint32_t size)
{
    return size / 2 < SIZE_LEAST ? SIZE_LEAST : size / 2;
}

static void shrink(struct folkmoot *fm)
{
    fm->sizes = (struct sizes){halved(fm->sizes.push), halved(fm->sizes.answer)};
}

static void grow(struct folkmoot *fm)
{
    struct sizes *sizes = &fm->sizes;
    sizes->push = sizes->push > PUSH_MOST / 2 ? PUSH_MOST : sizes->push * 2;
    sizes->answer = sizes->answer > ANSWER_MOST / 2 ? ANSWER_MOST : sizes->answer * 2;
}

// The connection ended at another key than the one that was proved: the hub may have a new one.
static void prove_anew(struct folkmoot_session *session)
{
    if (++session->proofs > PROOFS_MAX) {
        session_fail(session, FOLKMOOT_UNTRUSTED,
                     "the connection changes its key from one request to the next");
        return;
    }
    session->after_info = session->stage;
    session->stage = STAGE_INFO;
}

static void no_answer(struct folkmoot_session *session)
{
    bool secret = steps[session->stage].secret;
    if (secret && session->has_key && memcmp(session->key, session->tls_key, 32) != 0) {
        prove_anew(session);
        return;
    }
    if (session->stage == STAGE_SYNC)
        shrink(session->fm);
    session_fail(session, FOLKMOOT_NETWORK, "no answer from %s", session->address);
}

static void cut_short(struct folkmoot_session *session)
{
    if (session->stage == STAGE_SYNC)
        shrink(session->fm);
    session_fail(session, FOLKMOOT_NETWORK, "the connection to %s broke: what had arrived is kept",
                 session->address);
}

static void refused(struct folkmoot_session *session)
{
    struct refusal_told told;
    refusal_read(session->status, buf_bytes(&session->answer), &told);
    bool asks = session->stage == STAGE_SYNC || session->stage == STAGE_INVITE ||
                session->stage == STAGE_DELIVER;
    // Whose role no longer allows it hears by Login what the role is now.
    bool role_may_be_new = told.forbidden && session->stage == STAGE_SYNC;
    if (((told.unauthenticated && asks) || role_may_be_new) && session->logins++ < LOGINS_MAX) {
        session->after_login = session->stage;
        session->after_info = STAGE_LOGIN;
        session->stage = STAGE_INFO;
        return;
    }
    if (told.key_is_spent && session->stage == STAGE_ENROL && !session->key_is_spent) {
        session->key_is_spent = true;
        return;
    }
    if (told.too_much && session->stage == STAGE_SYNC)
        shrink(session->fm);
    session_fail(session, told.code, "the hub said: %s", told.text);
}

void folkmoot_session_finish(struct folkmoot_session *session, bool whole)
{
    if (!session->asked)
        return;
    session->asked = false;
    bool syncing = session->stage == STAGE_SYNC;
    if (session->stage == STAGE_FAILED)
        return;
    if (is_idle_sample(session) && (session->status != 200 || !whole))
        session->stage = STAGE_DONE;
    else if (session->status == 0)
        no_answer(session);
    else if (!whole ||
             (syncing && session->status == 200 && !stream_is_whole(&session->taking.stream)))
        cut_short(session);
    else if (session->answer.err)
        session_fail_answer(session, session->answer.err, NULL);
    else if (session->status != 200)
        refused(session);
    else
        steps[session->stage].end(session);
    if (syncing && session->status == 200 && whole && session->stage != STAGE_FAILED)
        grow(session->fm);
}
