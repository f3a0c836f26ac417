// A chain that parted from the hub's, and what is carried over to a new one.

#include "storage/carry.h"

#include "client/session.h"
#include "client/titles.h"
#include "sync/rejoin.h"

// --- how much of the own branch is on the hub ---

static void take_probe(struct folkmoot_session *session, struct scope *scope)
{
    const struct exchange_report *report = &session->taking.report;
    bool shorter = report->end > 0 && report->end < session->probe;
    if (report->parted)
        session->parted = session->probe;
    else if (!shorter) // it is there; without a receipt the hub has just that
        exchange_confirm(scope->txn, &scope->community, session->probe);
    else if (report->receipt == 0) // what the hub has under that seq is not from here
        session->parted = report->end;
}

// Halves what is not known, the whole chain first: of a restored one all is there, most often.
static void choose_probe(struct folkmoot_session *session, const struct scope *scope)
{
    enum { PROBES_MAX = 40 }; // more than halving a chain's seqs ever takes
    struct progress progress;
    bool first = session->parted == 0;
    progress_get(scope->txn, scope->community.number, &progress);
    uint32_t known = progress.receipt_seq;
    uint32_t end = scope->device.seq;
    session->parted = first ? end + 1 : session->parted;
    session->probe = first ? end : known + (session->parted - known) / 2;
    if (session->parted <= known + 1 || session->probes++ == PROBES_MAX)
        session->probe = 0;
}

void session_probe(struct folkmoot_session *session)
{
    struct scope scope;
    if (state_begin(session->fm, session->number, true, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    if (session->probe)
        take_probe(session, &scope);
    choose_probe(session, &scope);
    if (state_end(session->fm, &scope, true, &session->error))
        session_failed(session);
    else if (session->probe == 0)
        session_fail(
            session, FOLKMOOT_FORKED,
            "this store is a copy or was restored from one: join anew, by a new link; what "
            "was not sent yet is kept and goes along");
}

// --- carrying over ---

static enum err carry_over(struct folkmoot_session *session, struct scope *scope, uint32_t *carried,
                           struct fault *fault)
{
    uint8_t random[32];
    struct author author = {.community = &scope->community, .device = &scope->device};
    *carried = 0;
    if (!carry_any(scope->txn, scope->community.number))
        return OK;
    state_random(session->fm, random, sizeof random);
    enum err err = rejoin_finish(scope->txn, &author, random, carried, fault);
    bytes_wipe(random, sizeof random);
    return err;
}

bool session_carry(struct folkmoot_session *session)
{
    struct scope scope;
    struct fault fault = {0};
    uint32_t carried;
    if (state_begin(session->fm, session->number, true, &scope, &session->error)) {
        session_failed(session);
        return false;
    }
    enum err err = carry_over(session, &scope, &carried, &fault);
    session->progress.unsent = exchange_unsent(scope.txn, &scope.community, &scope.device);
    if (state_end(session->fm, &scope, !err, &session->error) ||
        (err && state_fail_err(&session->error, err, &fault))) {
        session_failed(session);
        return false;
    }
    session->progress.carried += carried;
    session->taking.moved |= carried > 0;
    if (carried)
        titles_free(&session->fm->titles);
    return true;
}
