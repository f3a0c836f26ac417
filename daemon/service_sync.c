// Sync: as itself, and by a letter that somebody carries.

#include "daemon/random.h"
#include "daemon/service_private.h"

// --- Sync ---

static enum err check_push(struct service_call *call, struct txn *txn, struct fault *fault)
{
    call->plan = NULL;
    return hub_check_push(txn, &call->caller, call->sync, &call->arena, &call->plan, fault);
}

enum err service_sync_check(struct service_call *call, struct txn *txn, struct fault *fault)
{
    call->sync = call->request;
    enum err err = check_push(call, txn, fault);
    call->writes = !err && (call->plan || call->caller.token_is_due || call->caller.token_is_next);
    return err;
}

enum err service_push(struct service_call *call, struct txn *txn, struct fault *fault)
{
    uint8_t random[32];
    random_fill(random, sizeof random);
    call->receipts = (struct list){NULL, 0};
    call->effects = (struct hub_effects){0};
    if (!call->plan)
        return txn_error(txn);
    return hub_push(txn, &call->caller, call->now, random, call->plan, &call->arena,
                    &call->receipts, &call->effects, fault);
}

enum err service_sync_write(struct service_call *call, struct txn *txn, struct fault *fault)
{
    random_fill(call->new_token, sizeof call->new_token);
    hub_turn_token(txn, &call->caller, call->new_token, &call->is_renewed);
    return service_push(call, txn, fault);
}

static enum err pull(struct service_call *call, struct txn *txn, struct sync_response *response,
                     struct fault *fault)
{
    call->pulled.kept = call->service->kept;
    return hub_pull(txn, &call->caller, call->now, call->sync, call->receipts, &call->arena,
                    &call->pulled, response, fault);
}

enum err service_sync_answer(struct service_call *call, struct txn *txn, struct fault *fault)
{
    struct sync_response *response = call->response;
    enum err err = pull(call, txn, response, fault);
    if (!err && call->is_renewed)
        response->token = BYTES(call->new_token);
    return err;
}

// --- Deliver ---

enum err service_take_author(struct service_call *call, struct txn *txn, struct fault *fault)
{
    const struct deliver *request = call->request;
    return hub_open_letter(txn, call->service->identity.seed, request->letter, &call->arena,
                           &call->caller, &call->letter, &call->sync, fault);
}

enum err service_deliver_check(struct service_call *call, struct txn *txn, struct fault *fault)
{
    enum err err = check_push(call, txn, fault);
    call->synced = arena_alloc(&call->arena, 1, sizeof *call->synced);
    call->writes = !err && call->plan;
    return err || call->synced ? err : ERR_NOMEM;
}

static enum err reply(struct service_call *call, struct fault *fault)
{
    struct deliver *response = call->response;
    struct buf encoded BUF_CLEANUP = {0};
    random_fill(call->random, HPKE_NONCE_SIZE);
    response->letter = arena_alloc(&call->arena, 1, sizeof *response->letter);
    message_encode(&sync_response_message, call->synced, &encoded);
    enum err err = encoded.err ? encoded.err : response->letter ? OK : ERR_NOMEM;
    if (!err)
        err = letter_reply(&call->letter, buf_bytes(&encoded), call->random, &call->arena,
                           response->letter);
    return err ? fault_set(fault, err, "the answer could not be sealed") : OK;
}

enum err service_deliver_answer(struct service_call *call, struct txn *txn, struct fault *fault)
{
    enum err err = pull(call, txn, call->synced, fault);
    return err || call->pulled.is_unfinished ? err : reply(call, fault);
}
