#include "base/text.h"
#include "client/session.h"
#include "client/titles.h"

enum {
    STALLS_MAX = 3,
    ARENA_ASK_MAX = 16 << 20,
    ARENA_TAKE_MAX = 64 << 20,
    TOP_MAX = 512 << 10,
    // A piece is 1 MiB of entries and one change at the most.
    FIELD_BYTES_MAX = ANSWER_MAX + 4 * CHANGE_MAX,
    FIELD_RECEIPTS = 1,
    FIELD_PIECES = 15,
};

enum folkmoot_code folkmoot_sync(struct folkmoot *fm, struct folkmoot_session **session,
                                 struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    struct folkmoot_session *made = session_about(fm, &scope, STAGE_SYNC);
    if (made) {
        made->samples = 1;
        made->progress.unsent = exchange_unsent(scope.txn, &scope.community, &scope.device);
    }
    (void)state_end(fm, &scope, false, NULL);
    *session = made;
    return made ? FOLKMOOT_OK : state_fail_err(error, ERR_NOMEM, NULL);
}

// --- the request ---

void session_put_token(struct folkmoot_session *session, const struct secret *secret)
{
    struct buf text BUF_CLEANUP = {0};
    text_base64url(&text, BYTES(secret->token));
    if (!text.err && text.n < sizeof session->token) {
        memcpy(session->token, text.p, text.n);
        session->token[text.n] = 0;
    }
    bytes_wipe(text.p, text.n);
}

static enum err encode_request(struct folkmoot_session *session, const struct scope *scope,
                               bool *pushes)
{
    struct sync_request request;
    struct exchange_options options = {.push_max = session->fm->sizes.push,
                                       .answer_max = session->fm->sizes.answer};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_ASK_MAX);
    enum err err = session->probe ? exchange_probe(scope->txn, &scope->community, &scope->device,
                                                   session->probe, &arena, &request)
                                  : exchange_request(scope->txn, &scope->community, &scope->device,
                                                     scope->secret.seed, &options, &arena, &request,
                                                     &session->taking.asked);
    if (!err) {
        message_encode(&sync_request_message, &request, &session->body);
        err = session->body.err;
    }
    *pushes = !err && request.push.n > 0;
    return err;
}

// On disk before the request goes out.
static void note_sent(struct folkmoot_session *session, bool sent)
{
    struct scope scope;
    if (state_begin(session->fm, session->number, true, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    exchange_note_sent(scope.txn, &scope.community, sent);
    session->noted = sent;
    if (state_end(session->fm, &scope, true, &session->error))
        session_failed(session);
}

void session_not_sent(struct folkmoot_session *session)
{
    if (session->stage == STAGE_SYNC && session->noted)
        note_sent(session, false);
}

static enum err take_field(const struct wire_field *field, void *arg);

void session_begin_taking(struct folkmoot_session *session)
{
    struct taking *taking = &session->taking;
    stream_done(&taking->stream);
    buf_reset(&taking->top);
    taking->top.max = TOP_MAX;
    taking->top_taken = taking->moved = false;
    taking->report = (struct exchange_report){0};
    session->noted = false;
    stream_init(&taking->stream, FIELD_BYTES_MAX, take_field, session);
}

void session_ask_sync(struct folkmoot_session *session)
{
    struct scope scope;
    session_begin_taking(session);
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    session_put_token(session, &scope.secret);
    bool pushes;
    enum err err = encode_request(session, &scope, &pushes);
    (void)state_end(session->fm, &scope, false, NULL);
    if (err) {
        (void)state_fail_err(&session->error, err, NULL);
        session_failed(session);
    } else if (pushes) {
        note_sent(session, true);
    }
}

// --- the answer, part by part ---

// Takes one part in by a transaction of its own. What is reported counts once it is committed.
struct take {
    struct folkmoot_session *session;
    struct scope scope;
    struct arena arena;
    struct exchange_report report;
    struct fault fault;
};

static enum err begin_take(struct folkmoot_session *session, struct take *take)
{
    *take = (struct take){.session = session, .report = session->taking.report};
    if (session->fm->batch) {
        session_fail(session, FOLKMOOT_INVALID, "a session cannot go on before folkmoot_end");
        return ERR_WRONG_STATE;
    }
    if (state_begin(session->fm, session->number, true, &take->scope, &session->error)) {
        session_failed(session);
        return ERR_IO;
    }
    arena_init(&take->arena, ARENA_TAKE_MAX);
    return OK;
}

static enum err end_take(struct take *take, enum err err)
{
    struct folkmoot_session *session = take->session;
    uint32_t unsent = exchange_unsent(take->scope.txn, &take->scope.community, &take->scope.device);
    enum folkmoot_code code = state_end(session->fm, &take->scope, !err, &session->error);
    arena_done(&take->arena);
    if (err) {
        session_fail_answer(session, err, &take->fault);
        return err;
    }
    if (code) {
        session_failed(session);
        return ERR_IO;
    }
    const struct exchange_report *before = &session->taking.report;
    session->progress.pushed += take->report.pushed - before->pushed;
    session->progress.pulled += take->report.pulled - before->pulled;
    session->progress.apart += take->report.apart - before->apart;
    session->progress.unsent = unsent;
    session->taking.moved |= take->report.pushed != before->pushed || take->report.advanced;
    session->taking.report = take->report;
    return OK;
}

// The one before holds until this one is used.
static void keep_token(struct take *take, struct bytes token)
{
    memcpy(take->scope.secret.token, token.p, TOKEN_SIZE);
    secret_put(take->scope.txn, take->scope.community.number, &take->scope.secret);
}

// It says no more than others that came since. (One that says less would mean that the hub has lost
// something, and a fork may be one from a chain that was written anew since.)
static bool is_old(const struct take *take, const struct receipt *receipt)
{
    const struct scope *scope = &take->scope;
    uint32_t unsent = exchange_unsent(scope->txn, &scope->community, &scope->device);
    return receipt->standing != STANDING_OK || receipt->seq <= scope->device.seq - unsent;
}

static enum err take_receipt(struct folkmoot_session *session, struct bytes bytes)
{
    struct take take;
    struct receipt receipt = {0};
    enum err err = begin_take(session, &take);
    if (err)
        return err;
    err = message_decode(&receipt_message, bytes, &take.arena, &receipt, &take.fault);
    if (!err && !(session->taking.overtaken && is_old(&take, &receipt)))
        err = exchange_take_receipt(take.scope.txn, &take.scope.community, &take.scope.device,
                                    &receipt, &take.report);
    return end_take(&take, err);
}

static enum err take_top(struct folkmoot_session *session)
{
    struct take take;
    struct taking *taking = &session->taking;
    struct sync_response response = {0};
    if (taking->top_taken || taking->overtaken)
        return OK;
    enum err err = begin_take(session, &take);
    if (err)
        return err;
    err = taking->top.err;
    if (!err)
        err = message_decode(&sync_response_message, buf_bytes(&taking->top), &take.arena,
                             &response, &take.fault);
    if (!err)
        err = exchange_take_top(take.scope.txn, &take.scope.community, &take.scope.device,
                                &response, &take.report);
    take.report.more |= response.cursor_lost;
    err = end_take(&take, err);
    taking->top_taken = !err;
    return err;
}

// The whole answer is in: is the log what it was before, and more?
static enum err check_answer(struct folkmoot_session *session)
{
    struct take take;
    struct proof_report report;
    struct sync_response response = {0};
    if (session->taking.overtaken)
        return OK;
    enum err err = begin_take(session, &take);
    if (err)
        return err;
    err = message_decode(&sync_response_message, buf_bytes(&session->taking.top), &take.arena,
                         &response, &take.fault);
    if (!err)
        err = proof_check_answer(take.scope.txn, &take.scope.community, &take.scope.device,
                                 &session->taking.asked, &response, session->taking.report.receipt,
                                 state_now(session->fm), &report);
    if (!err) {
        session->taking.revoked = response.view == 0;
        session->progress.alarm |= report.alarm != ALARM_NONE;
        session->progress.checked += report.own;
        session->progress.log_size = report.checked ? report.to : session->progress.log_size;
        if (response.token.n)
            keep_token(&take, response.token);
    }
    return end_take(&take, err);
}

static enum err take_piece(struct folkmoot_session *session, struct bytes bytes)
{
    struct take take;
    struct piece piece = {0};
    if (session->taking.overtaken)
        return OK;
    enum err err = take_top(session);
    if (!err)
        err = begin_take(session, &take);
    if (err)
        return err;
    err = message_decode(&piece_message, bytes, &take.arena, &piece, &take.fault);
    if (!err)
        err = exchange_take_piece(take.scope.txn, &take.scope.community, &take.scope.device, &piece,
                                  &take.arena, &take.report, &take.fault);
    err = end_take(&take, err);
    titles_free(&session->fm->titles);
    return err;
}

static enum err take_field(const struct wire_field *field, void *arg)
{
    struct folkmoot_session *session = arg;
    if (field->number == FIELD_PIECES && field->type == WIRE_SIZED)
        return take_piece(session, field->bytes);
    // Later versions may add what comes behind the pieces; what this one knows comes before.
    if (field->number > FIELD_PIECES)
        return OK;
    if (session->taking.top_taken)
        return ERR_MALFORMED;
    if (field->number == FIELD_RECEIPTS && field->type == WIRE_SIZED)
        return take_receipt(session, field->bytes);
    buf_put(&session->taking.top, field->whole);
    return session->taking.top.err;
}

void session_take_sync(struct folkmoot_session *session, struct bytes part)
{
    enum err err = stream_take(&session->taking.stream, part);
    if (err && session->stage != STAGE_FAILED)
        session_fail_answer(session, err, NULL);
}

// --- the whole answer ---

// Another's change now and then, and whenever it is asked for.
static bool sample_is_due(const struct folkmoot_session *session)
{
    enum { ONE_IN = 8 };
    uint8_t chance;
    if (session->samples == 0)
        return false;
    if (session->sample_wanted)
        return true;
    state_random(session->fm, &chance, 1);
    return session->progress.pulled > 0 && chance % ONE_IN == 0;
}

static void go_on(struct folkmoot_session *session)
{
    const struct exchange_report *report = &session->taking.report;
    if (session->taking.revoked && session->progress.unsent == 0) {
        session_fail(session, FOLKMOOT_REFUSED,
                     "this device was revoked; what it delivers (%u just now) is kept for a "
                     "coordinator: join anew, by a new link",
                     session->progress.pushed);
        return;
    }
    if (!session->taking.revoked && !report->more && !session_carry(session))
        return;
    bool due = report->more || report->gap || session->progress.unsent > 0;
    if (!due) {
        session->stage = sample_is_due(session) ? STAGE_SAMPLE : STAGE_DONE;
        return;
    }
    session->stalls = session->taking.moved ? 0 : session->stalls + 1;
    if (session->stalls >= STALLS_MAX)
        session_fail(session, FOLKMOOT_REFUSED,
                     "the hub neither takes what this device has nor says why");
}

void session_end_sync(struct folkmoot_session *session)
{
    if (take_top(session) || check_answer(session)) {
        if (session->stage != STAGE_FAILED)
            session_fail_answer(session, ERR_MALFORMED, NULL);
        return;
    }
    if (session->taking.report.forked || session->probe)
        session_probe(session);
    else
        go_on(session);
}
