#include "tests/client/hub_double.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/text.h"
#include "sync/counts.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "tests/sync/anew.h"

enum { SERVE_ARENA_MAX = 64 << 20, DAY_MS = 86400000 };

struct hub_double {
    struct store *store;
    uint64_t seed;
    uint64_t drawn;
    int64_t now;
    uint8_t identity_seed[SIGN_SEED_SIZE];
    uint8_t identity_key[KEY_SIZE];
    uint8_t challenge_secret[32];
    uint8_t tls_key[32];
    uint32_t generation; // of tokens: those of another one are void
    struct community community;
};

static void draw(struct hub_double *hub, void *out, size_t n)
{
    uint8_t *p = out;
    for (size_t i = 0; i < n; i += HASH_SIZE) {
        uint8_t block[HASH_SIZE];
        struct hash hash;
        hash_begin(&hash, "hub double");
        hash_put_be64(&hash, hub->seed);
        hash_put_be64(&hash, hub->drawn++);
        hash_end(&hash, block);
        memcpy(p + i, block, n - i < HASH_SIZE ? n - i : HASH_SIZE);
    }
}

// --- the hub's life ---

void hub_double_open(struct hub_double *hub, const char *path)
{
    struct store_options options = {.map_size = 256 << 20, .keeps_orders = true};
    struct fault fault = {0};
    enum err err = store_open(path, &options, &hub->store, &fault);
    assert(!err);
    // As the daemon: what cannot be made does no harm.
    err = counts_make(hub->store);
    (void)err;
}

void hub_double_begin_anew(struct hub_double *hub)
{
    struct hub_found_random found;
    uint8_t salts[32];
    draw(hub, &found, sizeof found);
    draw(hub, salts, sizeof salts);
    enum err err = anew_begin(hub->store, hub->community.number, hub->identity_seed, hub->now,
                              &found, salts, &hub->community);
    assert(!err);
}

void hub_double_close(struct hub_double *hub)
{
    store_close(&hub->store);
}

struct hub_double *hub_double_new(const char *path, uint64_t seed, int64_t now)
{
    struct hub_double *hub = calloc(1, sizeof *hub);
    assert(hub);
    hub->seed = seed;
    hub->now = now;
    draw(hub, hub->identity_seed, sizeof hub->identity_seed);
    draw(hub, hub->challenge_secret, sizeof hub->challenge_secret);
    draw(hub, hub->tls_key, sizeof hub->tls_key);
    enum err err = sign_public_key(hub->identity_seed, hub->identity_key);
    assert(!err);
    hub_double_open(hub, path);
    struct hub_found_random random;
    struct fault fault = {0};
    draw(hub, &random, sizeof random);
    struct txn *txn = txn_begin_write(hub->store);
    err = hub_found(txn, hub->identity_seed, bytes_of_text("Marshgate"), now, &random,
                    &hub->community, &fault);
    assert(!err);
    err = txn_commit(&txn);
    assert(!err);
    return hub;
}

void hub_double_free(struct hub_double **hub)
{
    if (!*hub)
        return;
    store_close(&(*hub)->store);
    free(*hub);
    *hub = NULL;
}

void hub_double_set_now(struct hub_double *hub, int64_t now)
{
    hub->now = now;
}

void hub_double_renew_tls(struct hub_double *hub)
{
    draw(hub, hub->tls_key, sizeof hub->tls_key);
}

void hub_double_forget_tokens(struct hub_double *hub)
{
    hub->generation++;
}

struct store *hub_double_store(struct hub_double *hub)
{
    return hub->store;
}

const uint8_t *hub_double_tls_key(const struct hub_double *hub)
{
    return hub->tls_key;
}

void hub_double_invite(struct hub_double *hub, enum role role, char *link)
{
    struct link parts = {.address = "hub.test:7443", .name = "Marshgate"};
    struct fault fault = {0};
    draw(hub, parts.code, sizeof parts.code);
    memcpy(parts.community, hub->community.id, COMMUNITY_SIZE);
    memcpy(parts.hub_key, hub->identity_key, KEY_SIZE);
    struct txn *txn = txn_begin_write(hub->store);
    enum err err = hub_invite(txn, &hub->community,
                              &(struct hub_invitation){role, bytes_of_text("a device"),
                                                       hub->now + 7 * (int64_t)DAY_MS, 1},
                              parts.code, &fault);
    assert(!err);
    err = txn_commit(&txn);
    assert(!err);
    struct buf out BUF_CLEANUP = {0};
    link_format(&parts, &out);
    buf_put_u8(&out, 0);
    assert(!out.err && out.n <= LINK_MAX);
    memcpy(link, out.p, out.n);
}

enum err hub_double_decide(struct hub_double *hub, hub_double_decision *decide, void *arg)
{
    uint8_t random[32];
    struct fault fault = {0};
    draw(hub, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(hub->store);
    enum err err = community_get_number(txn, hub->community.number, &hub->community);
    struct hub_decider decider = {.txn = txn,
                                  .community = &hub->community,
                                  .now = hub->now,
                                  .random = random,
                                  .fault = &fault};
    if (!err)
        err = decide(&decider, arg);
    return err ? err : txn_commit(&txn);
}

static enum err revoke(struct hub_decider *decider, void *device)
{
    return hub_revoke(decider, NULL, device);
}

void hub_double_revoke(struct hub_double *hub, const uint8_t *device)
{
    uint8_t handle[HANDLE_SIZE];
    memcpy(handle, device, sizeof handle);
    enum err err = hub_double_decide(hub, revoke, handle);
    assert(!err);
}

// --- errors as Connect says them ---

static const char *connect_code(enum err err, int *status)
{
    static const struct {
        enum err err;
        int status;
        const char *code;
    } rows[] = {
        {ERR_MALFORMED, 400, "invalid_argument"},
        {ERR_CUT, 400, "invalid_argument"},
        {ERR_LIMIT, 429, "resource_exhausted"},
        {ERR_VERSION, 400, "failed_precondition"},
        {ERR_WRONG_STATE, 400, "failed_precondition"},
        {ERR_UNAUTHENTICATED, 401, "unauthenticated"},
        {ERR_FORBIDDEN, 403, "permission_denied"},
        {ERR_NOT_FOUND, 404, "not_found"},
        {ERR_EXISTS, 409, "already_exists"},
        {ERR_BUSY, 503, "unavailable"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].err == err) {
            *status = rows[i].status;
            return rows[i].code;
        }
    }
    *status = 500;
    return "internal";
}

static void answer_error(enum err err, const struct fault *fault, struct hub_answer *answer)
{
    const char *code = connect_code(err, &answer->status);
    buf_reset(&answer->body);
    buf_put_format(&answer->body, "{\"code\":\"%s\",\"message\":\"", code);
    for (const char *p = fault->text; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_put_u8(&answer->body, '\\');
        buf_put_u8(&answer->body, (uint8_t)*p);
    }
    buf_put_text(&answer->body, "\"}");
}

// --- the calls ---

struct call {
    struct hub_double *hub;
    const struct folkmoot_request *request;
    struct arena arena;
    struct buf *body;
    struct fault fault;
    const struct deliver *deliver; // by whose letter Sync is asked; NULL: by none
    struct letter_opened letter;
    const struct sync_request *sync; // that is asked
};

static struct bytes request_body(const struct call *call)
{
    return bytes_of(call->request->body, call->request->body_n);
}

static enum err serve_info(struct call *call)
{
    struct hub_double *hub = call->hub;
    struct info_request request = {{0}};
    struct buf transcript BUF_CLEANUP = {0};
    uint8_t signature[SIGN_SIZE];
    uint8_t challenge[16];
    int64_t expires = hub->now + 600000;
    enum err err = message_decode(&info_request_message, request_body(call), &call->arena, &request,
                                  &call->fault);
    if (err)
        return err;
    hub_challenge(hub->challenge_secret, expires, challenge);
    digest_tls_transcript(request.nonce, hub->tls_key, &transcript);
    err = transcript.err;
    if (!err)
        err = sign_make(hub->identity_seed, buf_bytes(&transcript), signature);
    struct info_response response = {
        .version_min = 1,
        .version_max = 1,
        .software = bytes_of_text("hub double"),
        .hub_key = BYTES(hub->identity_key),
        .tls_key = BYTES(hub->tls_key),
        .tls_signature = BYTES(signature),
        .challenge = BYTES(challenge),
        .challenge_expires = expires,
        .clock = hub->now,
        .request_max = REQUEST_MAX,
        .packings = PACKINGS_KNOWN,
    };
    message_encode(&info_response_message, &response, call->body);
    return err;
}

// Tokens bear the generation in their first bytes, so that a test can void them all.
static void draw_token(struct hub_double *hub, uint8_t token[TOKEN_SIZE])
{
    draw(hub, token, TOKEN_SIZE);
    be32_put(token, hub->generation);
}

static enum err serve_admission(struct call *call, bool enrol)
{
    struct hub_double *hub = call->hub;
    uint8_t token[TOKEN_SIZE];
    uint8_t random[32];
    struct hub_admitting admitting = {hub->identity_key, hub->challenge_secret, hub->now, token,
                                      random};
    struct admission response = {.role = 0};
    struct enrol_request enrolment = {.expires = 0};
    struct login_request login = {{0}, {0}, {0}, 0, {0}};
    draw_token(hub, token);
    draw(hub, random, sizeof random);
    enum err err =
        message_decode(enrol ? &enrol_request_message : &login_request_message, request_body(call),
                       &call->arena, enrol ? (void *)&enrolment : (void *)&login, &call->fault);
    if (err)
        return err;
    struct txn *txn TXN_CLEANUP = txn_begin_write(hub->store);
    err = enrol ? hub_enrol(txn, &admitting, &enrolment, &call->arena, &response, &call->fault)
                : hub_login(txn, &admitting, &login, &call->arena, &response, &call->fault);
    if (!err)
        message_encode(enrol ? &enrol_response_message : &login_response_message, &response,
                       call->body);
    return err ? err : txn_commit(&txn);
}

static enum err authenticate(struct call *call, struct txn *txn, enum role_call which,
                             struct hub_caller *caller)
{
    uint8_t token[TOKEN_SIZE];
    const char *text = call->request->token;
    if (!text || text_unbase64url(bytes_of_text(text), token, TOKEN_SIZE) ||
        be32_get(token) != call->hub->generation)
        return fault_set(&call->fault, ERR_UNAUTHENTICATED, "log in");
    enum err err = hub_authenticate(txn, token, call->deliver ? CALL_DELIVER : which,
                                    &(struct hub_policy){0}, call->hub->now, caller, &call->fault);
    return err || !call->deliver
               ? err
               : hub_open_letter(txn, call->hub->identity_seed, call->deliver->letter, &call->arena,
                                 caller, &call->letter, &call->sync, &call->fault);
}

static enum err push(struct call *call, const struct hub_caller *caller, struct hub_push_plan *plan,
                     struct list *receipts)
{
    uint8_t random[32];
    draw(call->hub, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(call->hub->store);
    enum err err = hub_push(txn, caller, call->hub->now, random, plan, &call->arena, receipts,
                            &(struct hub_effects){0}, &call->fault);
    return err ? err : txn_commit(&txn);
}

static enum err check(struct call *call, struct hub_caller *caller, struct hub_push_plan **plan)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(call->hub->store);
    enum err err = authenticate(call, txn, CALL_SYNC, caller);
    return err ? err : hub_check_push(txn, caller, call->sync, &call->arena, plan, &call->fault);
}

// In slices, as the daemon does.
static enum err pull(struct call *call, struct list receipts, struct sync_response *response)
{
    struct hub_pulled pulled = {.is_begun = false};
    struct hub_caller caller;
    enum err err = OK;
    do {
        struct txn *txn TXN_CLEANUP = txn_begin_read(call->hub->store);
        err = authenticate(call, txn, CALL_SYNC, &caller);
        if (!err)
            err = hub_pull(txn, &caller, call->hub->now, call->sync, receipts, &call->arena,
                           &pulled, response, &call->fault);
    } while (!err && pulled.is_unfinished);
    return err;
}

static enum err sync_as_asked(struct call *call, struct sync_response *response)
{
    struct hub_caller caller;
    struct hub_push_plan *plan = NULL;
    struct list receipts = {NULL, 0};
    enum err err = check(call, &caller, &plan);
    if (!err && plan)
        err = push(call, &caller, plan, &receipts);
    return err ? err : pull(call, receipts, response);
}

static enum err serve_sync(struct call *call)
{
    struct sync_request request = {.version = 0};
    struct sync_response response = {.packings = 0};
    enum err err = message_decode(&sync_request_message, request_body(call), &call->arena, &request,
                                  &call->fault);
    call->sync = &request;
    if (!err)
        err = sync_as_asked(call, &response);
    if (!err)
        message_encode(&sync_response_message, &response, call->body);
    return err;
}

static enum err serve_deliver(struct call *call)
{
    struct deliver request = {NULL}, response = {NULL};
    struct letter reply = {.version = 0};
    struct sync_response synced = {.packings = 0};
    struct buf encoded BUF_CLEANUP = {0};
    uint8_t nonce[HPKE_NONCE_SIZE];
    enum err err = message_decode(&deliver_request_message, request_body(call), &call->arena,
                                  &request, &call->fault);
    call->deliver = &request;
    draw(call->hub, nonce, sizeof nonce);
    if (!err)
        err = sync_as_asked(call, &synced);
    message_encode(&sync_response_message, &synced, &encoded);
    if (!err)
        err = letter_reply(&call->letter, buf_bytes(&encoded), nonce, &call->arena, &reply);
    response.letter = &reply;
    if (!err)
        message_encode(&deliver_response_message, &response, call->body);
    return err;
}

static enum err serve_prove(struct call *call)
{
    struct prove_request request = {.seq = 0};
    struct prove_response response = {.head = NULL};
    struct hub_caller caller;
    enum err err = message_decode(&prove_request_message, request_body(call), &call->arena,
                                  &request, &call->fault);
    struct txn *txn TXN_CLEANUP = txn_begin_read(call->hub->store);
    if (!err)
        err = authenticate(call, txn, CALL_PROVE, &caller);
    if (!err)
        err = hub_prove(txn, &caller, &request, &call->arena, &response, &call->fault);
    if (!err)
        message_encode(&prove_response_message, &response, call->body);
    return err;
}

static enum err serve_invite(struct call *call)
{
    struct hub_double *hub = call->hub;
    struct invite_request request = {0};
    struct hub_caller caller;
    uint8_t code[CODE_SIZE];
    enum err err = message_decode(&invite_request_message, request_body(call), &call->arena,
                                  &request, &call->fault);
    struct txn *txn TXN_CLEANUP = txn_begin_write(hub->store);
    if (!err)
        err = authenticate(call, txn, CALL_INVITE, &caller);
    struct hub_invitation invitation = {.role = (enum role)request.role,
                                        .label = request.label,
                                        .expires = hub->now + DAY_MS,
                                        .uses = request.uses ? request.uses : 1};
    draw(hub, code, sizeof code);
    if (!err)
        err = hub_invite_as(txn, &caller, &invitation, code, &call->fault);
    struct invite_response response = {BYTES(code), invitation.expires};
    if (!err)
        message_encode(&invite_response_message, &response, call->body);
    return err ? err : txn_commit(&txn);
}

static enum err dispatch(struct call *call)
{
    const char *path = call->request->path;
    if (strcmp(path, "/folkmoot.v1.CarryService/Deliver") == 0)
        return serve_deliver(call);
    if (strcmp(path, "/folkmoot.v1.InfoService/Info") == 0)
        return serve_info(call);
    if (strcmp(path, "/folkmoot.v1.EnrolService/Enrol") == 0)
        return serve_admission(call, true);
    if (strcmp(path, "/folkmoot.v1.EnrolService/Login") == 0)
        return serve_admission(call, false);
    if (strcmp(path, "/folkmoot.v1.EnrolService/Invite") == 0)
        return serve_invite(call);
    if (strcmp(path, "/folkmoot.v1.SyncService/Sync") == 0)
        return serve_sync(call);
    if (strcmp(path, "/folkmoot.v1.ProofService/Prove") == 0)
        return serve_prove(call);
    return fault_set(&call->fault, ERR_NOT_FOUND, "no such method");
}

void hub_double_serve(struct hub_double *hub, const struct folkmoot_request *request,
                      struct hub_answer *answer)
{
    struct call call = {.hub = hub, .request = request, .body = &answer->body};
    arena_init(&call.arena, SERVE_ARENA_MAX);
    assert(request->body_n <= REQUEST_MAX);
    answer->status = 200;
    enum err err = dispatch(&call);
    if (!err)
        err = answer->body.err;
    if (err)
        answer_error(err, &call.fault, answer);
    arena_done(&call.arena);
}
