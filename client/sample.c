// A sample: one change of somebody else, proved from its author's signature to the hub's log.

#include "client/session.h"
#include "sync/proof.h"

enum { SAMPLE_ARENA_MAX = 1 << 20 };

enum folkmoot_code folkmoot_sync_and_check(struct folkmoot *fm, struct folkmoot_session **session,
                                           struct folkmoot_error *error)
{
    enum folkmoot_code code = folkmoot_sync(fm, session, error);
    if (!code)
        (*session)->sample_wanted = true;
    return code;
}

static enum err draw(struct folkmoot_session *session, const struct scope *scope,
                     uint64_t *old_size)
{
    struct checked checked;
    uint64_t number;
    state_random(session->fm, &number, sizeof number);
    checked_get(scope->txn, scope->community.number, &checked);
    *old_size = checked.frontier.size;
    if (checked.frontier.size == 0)
        return ERR_NOT_FOUND;
    return proof_draw(scope->txn, &scope->community, &scope->device, number, session->sample_device,
                      &session->sample_seq);
}

void session_ask_sample(struct folkmoot_session *session)
{
    struct scope scope;
    uint64_t old_size;
    session->samples--;
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    enum err err = draw(session, &scope, &old_size);
    (void)state_end(session->fm, &scope, false, NULL);
    struct prove_request request = {BYTES(session->sample_device), session->sample_seq, old_size};
    if (err)
        session->stage = STAGE_DONE;
    else
        session_encode(session, &prove_request_message, &request);
}

static enum err check(struct folkmoot_session *session, const struct scope *scope, bool *proved)
{
    struct prove_response response = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, SAMPLE_ARENA_MAX);
    enum err err = message_decode(&prove_response_message, buf_bytes(&session->answer), &arena,
                                  &response, NULL);
    return err ? err
               : proof_check_change(scope->txn, &scope->community, session->sample_device,
                                    session->sample_seq, &response, state_now(session->fm), proved);
}

void session_end_sample(struct folkmoot_session *session)
{
    struct scope scope;
    struct checked checked;
    bool proved = false;
    if (state_begin(session->fm, session->number, true, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    enum err err = check(session, &scope, &proved);
    checked_get(scope.txn, scope.community.number, &checked);
    if (state_end(session->fm, &scope, !err, &session->error)) {
        session_failed(session);
    } else if (err) {
        session_fail_answer(session, err, NULL);
    } else {
        session->progress.sampled += proved;
        session->progress.alarm |= checked.alarm == ALARM_ALTERED;
        session->stage = STAGE_DONE;
    }
}
