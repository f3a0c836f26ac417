// Letters: written, read and delivered.

#include "sync/letter.h"

#include <stdlib.h>

#include "client/session.h"
#include "sync/chain.h"

enum {
    LETTER_PUSH = 512 << 10, // bytes of changes, before they are packed
    LETTER_ANSWER_WANTED = 512 << 10,
    LETTER_ARENA_MAX = 16 << 20,
    ASKED_SIZE = 2 * HANDLE_SIZE + 8 + 8 + 4 + 4 + CUT_SIZE,
};

static struct letter_author author_of(const struct scope *scope)
{
    return (struct letter_author){.community = scope->community.id,
                                  .handle = scope->device.handle,
                                  .seed = scope->secret.seed,
                                  .hub_key = scope->secret.hub_key};
}

// --- what was asked, which comes back with the answer ---

struct asked {
    struct proof_asked proof;
    uint8_t log[HANDLE_SIZE]; // the cursor
    uint64_t position;
    uint32_t own; // the end of the own chain, and the head there
    uint8_t head[CUT_SIZE];
};

static void put_asked(const struct asked *asked, struct buf *memo)
{
    buf_put(memo, BYTES(asked->proof.log));
    buf_put_be64(memo, asked->proof.size);
    buf_put_be32(memo, asked->proof.receipt);
    buf_put(memo, BYTES(asked->log));
    buf_put_be64(memo, asked->position);
    buf_put_be32(memo, asked->own);
    buf_put(memo, BYTES(asked->head));
}

static bool take_asked(struct bytes memo, struct asked *asked)
{
    if (memo.n != ASKED_SIZE)
        return false;
    const uint8_t *p = memo.p;
    memcpy(asked->proof.log, p, HANDLE_SIZE);
    asked->proof.size = be64_get(p += HANDLE_SIZE);
    asked->proof.receipt = be32_get(p += 8);
    memcpy(asked->log, p += 4, HANDLE_SIZE);
    asked->position = be64_get(p += HANDLE_SIZE);
    asked->own = be32_get(p += 8);
    memcpy(asked->head, p + 4, CUT_SIZE);
    return true;
}

static enum err note_state(const struct scope *scope, struct asked *asked)
{
    struct progress progress;
    uint8_t head[HASH_SIZE];
    progress_get(scope->txn, scope->community.number, &progress);
    memcpy(asked->log, progress.log, HANDLE_SIZE);
    asked->position = progress.position;
    asked->own = scope->device.seq;
    enum err err = chain_head_at(scope->txn, &scope->community, &scope->device, asked->own, head);
    if (!err)
        memcpy(asked->head, head, CUT_SIZE);
    return err;
}

// The own chain begins anew where a device that has another key writes again what the old one
// wrote.
static bool has_own(const struct scope *scope, const struct asked *asked)
{
    uint8_t head[HASH_SIZE];
    return asked->own <= scope->device.seq &&
           !chain_head_at(scope->txn, &scope->community, &scope->device, asked->own, head) &&
           memcmp(head, asked->head, CUT_SIZE) == 0;
}

// Whether more, or something else, is known here than when the letter was written.
static bool was_overtaken(const struct scope *scope, const struct asked *asked)
{
    struct checked checked;
    struct progress progress;
    checked_get(scope->txn, scope->community.number, &checked);
    progress_get(scope->txn, scope->community.number, &progress);
    return memcmp(checked.log, asked->proof.log, HANDLE_SIZE) != 0 ||
           checked.frontier.size != asked->proof.size ||
           memcmp(progress.log, asked->log, HANDLE_SIZE) != 0 ||
           progress.position != asked->position || !has_own(scope, asked);
}

// --- writing ---

static enum err make_request(const struct scope *scope, struct arena *arena, struct buf *encoded,
                             struct asked *asked, uint32_t *left)
{
    uint32_t last = 0;
    const struct exchange_options options = {LETTER_PUSH, LETTER_ANSWER_WANTED};
    struct sync_request request;
    enum err err =
        exchange_letter(scope->txn, &scope->community, &scope->device, scope->secret.seed, &options,
                        arena, &request, &asked->proof, &last);
    if (!err)
        err = note_state(scope, asked);
    if (err)
        return err;
    message_encode(&sync_request_message, &request, encoded);
    *left = last ? scope->device.seq - last
                 : exchange_unsent(scope->txn, &scope->community, &scope->device);
    if (last)
        exchange_note_sent(scope->txn, &scope->community, true);
    return encoded->err;
}

static enum err write_letter(struct folkmoot *fm, const struct scope *scope, struct buf *letter,
                             uint32_t *left)
{
    struct asked asked = {.position = 0};
    struct buf request BUF_CLEANUP = {.max = REQUEST_MAX};
    struct buf memo BUF_CLEANUP = {0};
    uint8_t nonce[LETTER_NONCE_SIZE];
    const struct letter_author author = author_of(scope);
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, LETTER_ARENA_MAX);
    state_random(fm, nonce, sizeof nonce);
    enum err err = make_request(scope, &arena, &request, &asked, left);
    put_asked(&asked, &memo);
    err = err ? err : memo.err;
    return err ? err : letter_write(&author, nonce, buf_bytes(&request), buf_bytes(&memo), letter);
}

enum folkmoot_code folkmoot_letter_write(struct folkmoot *fm, uint8_t **letter, size_t *n,
                                         uint32_t *left, struct folkmoot_error *error)
{
    struct scope scope;
    struct buf written BUF_CLEANUP = {.max = LETTER_MAX};
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    enum err err = write_letter(fm, &scope, &written, left);
    code = state_end(fm, &scope, !err, error);
    if (err)
        return state_fail_err(error, err, NULL);
    if (code)
        return code;
    *letter = written.p;
    *n = written.n;
    written = (struct buf){.max = 0};
    return FOLKMOOT_OK;
}

// --- reading ---

enum folkmoot_letter folkmoot_letter_kind(struct folkmoot *fm, const void *letter, size_t n)
{
    struct scope scope;
    enum folkmoot_letter kind = FOLKMOOT_LETTER_NONE;
    if (state_begin(fm, 0, false, &scope, NULL))
        return kind;
    const struct letter_author author = author_of(&scope);
    switch (letter_kind(&author, bytes_of(letter, n))) {
    case LETTER_TO_HUB:
        kind = FOLKMOOT_LETTER_TO_HUB;
        break;
    case LETTER_ANSWER:
        kind = FOLKMOOT_LETTER_ANSWER;
        break;
    case LETTER_OTHERS:
        kind = FOLKMOOT_LETTER_OTHERS;
        break;
    case LETTER_ELSEWHERE:
        kind = FOLKMOOT_LETTER_ELSEWHERE;
        break;
    case LETTER_NONE:
        break;
    }
    (void)state_end(fm, &scope, false, NULL);
    return kind;
}

static enum err open_answer(struct folkmoot *fm, struct bytes letter, struct arena *arena,
                            struct bytes *response, struct proof_asked *proof, bool *overtaken,
                            struct fault *fault)
{
    struct asked asked = {.position = 0};
    struct scope scope;
    struct bytes memo = {0};
    if (state_begin(fm, 0, false, &scope, NULL))
        return fault_set(fault, ERR_IO, "the store cannot be read");
    const struct letter_author author = author_of(&scope);
    enum err err = letter_read(&author, letter, arena, response, &memo, fault);
    if (!err && !take_asked(memo, &asked))
        err = fault_set(fault, ERR_MALFORMED, "the letter was written by another version");
    if (!err) {
        *overtaken = was_overtaken(&scope, &asked);
        *proof = asked.proof;
    }
    (void)state_end(fm, &scope, false, NULL);
    return err;
}

// As if the answer had come over the line.
static void take_in(struct folkmoot_session *session, const struct proof_asked *asked,
                    bool overtaken, struct bytes response)
{
    session_begin_taking(session);
    session->taking.asked = *asked;
    session->taking.overtaken = overtaken;
    session->samples = 0;
    session_take_sync(session, response);
    if (session->stage == STAGE_SYNC && !stream_is_whole(&session->taking.stream))
        session_fail(session, FOLKMOOT_INTERNAL, "the hub's answer makes no sense");
    if (session->stage == STAGE_SYNC)
        session_end_sync(session);
}

enum folkmoot_code folkmoot_letter_read(struct folkmoot *fm, const void *letter, size_t n,
                                        struct folkmoot_progress *progress,
                                        struct folkmoot_error *error)
{
    struct folkmoot_session *session = NULL;
    struct proof_asked asked = {.size = 0};
    struct bytes response = {0};
    bool overtaken = false;
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, LETTER_ARENA_MAX);
    enum err err =
        open_answer(fm, bytes_of(letter, n), &arena, &response, &asked, &overtaken, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    enum folkmoot_code code = folkmoot_sync(fm, &session, error);
    if (code)
        return code;
    take_in(session, &asked, overtaken, response);
    folkmoot_session_progress(session, progress);
    // That its chain has parted from the hub's is told by the next sync, which can ask how far.
    if (session->stage == STAGE_FAILED) {
        if (error)
            *error = session->error;
        code = session->error.code;
    }
    folkmoot_session_done(&session);
    return code;
}

// --- delivering ---

enum folkmoot_code folkmoot_deliver(struct folkmoot *fm, const void *letter, size_t n,
                                    struct folkmoot_session **session, struct folkmoot_error *error)
{
    struct scope scope;
    if (folkmoot_letter_kind(fm, letter, n) != FOLKMOOT_LETTER_TO_HUB)
        return state_fail(error, FOLKMOOT_INVALID,
                          "this is no letter to the hub of the chosen community");
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    struct folkmoot_session *made = session_about(fm, &scope, STAGE_DELIVER);
    if (made)
        buf_put(&made->letter, bytes_of(letter, n));
    (void)state_end(fm, &scope, false, NULL);
    if (made && made->letter.err)
        folkmoot_session_done(&made);
    *session = made;
    return made ? FOLKMOOT_OK : state_fail_err(error, ERR_NOMEM, NULL);
}

void session_ask_deliver(struct folkmoot_session *session)
{
    struct scope scope;
    struct letter letter = {.version = 0};
    struct deliver request = {&letter};
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    session_put_token(session, &scope.secret);
    (void)state_end(session->fm, &scope, false, NULL);
    if (message_decode(&letter_message, buf_bytes(&session->letter), NULL, &letter, NULL))
        session_fail(session, FOLKMOOT_INVALID, "this is no letter");
    else
        session_encode(session, &deliver_request_message, &request);
}

void session_end_deliver(struct folkmoot_session *session)
{
    struct deliver response = {NULL};
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, LETTER_ARENA_MAX);
    enum err err = message_decode(&deliver_response_message, buf_bytes(&session->answer), &arena,
                                  &response, &fault);
    if (!err && !response.letter)
        err = fault_set(&fault, ERR_MALFORMED, "it has no letter");
    if (err) {
        session_fail_answer(session, err, &fault);
        return;
    }
    buf_reset(&session->letter);
    message_encode(&letter_message, response.letter, &session->letter);
    session->stage = STAGE_DONE;
    if (session->letter.err)
        session_fail_answer(session, session->letter.err, NULL);
}

const void *folkmoot_session_letter(const struct folkmoot_session *session, size_t *n)
{
    if (session->stage != STAGE_DONE || session->letter.n == 0)
        return NULL;
    *n = session->letter.n;
    return session->letter.p;
}
