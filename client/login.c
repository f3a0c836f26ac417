#include "base/sign.h"
#include "base/text.h"
#include "client/session.h"
#include "sync/digest.h"
#include "sync/narrow.h"

enum { LOGIN_ARENA_MAX = 64 << 10 };

// --- Info: who is at the other end? ---

void session_ask_info(struct folkmoot_session *session)
{
    state_random(session->fm, session->nonce, sizeof session->nonce);
    struct info_request request = {.nonce = BYTES(session->nonce)};
    session_encode(session, &info_request_message, &request);
}

// The identity key that this community was joined with.
static enum folkmoot_code pinned_hub(struct folkmoot_session *session, uint8_t hub_key[KEY_SIZE])
{
    if (session->joining) {
        memcpy(hub_key, session->link.hub_key, KEY_SIZE);
        return FOLKMOOT_OK;
    }
    struct scope scope;
    enum folkmoot_code code =
        state_begin(session->fm, session->number, false, &scope, &session->error);
    if (code)
        return code;
    memcpy(hub_key, scope.secret.hub_key, KEY_SIZE);
    return state_end(session->fm, &scope, false, &session->error);
}

// ERR_MALFORMED: the hub did not say that it is its key.
static enum err check_key(const struct folkmoot_session *session, const struct info_response *info,
                          const uint8_t hub_key[KEY_SIZE])
{
    struct buf transcript BUF_CLEANUP = {0};
    if (info->tls_key.n != 32 || info->tls_signature.n != SIGN_SIZE || !session->has_key ||
        !bytes_equal(info->tls_key, BYTES(session->key)))
        return ERR_MALFORMED;
    digest_tls_transcript(BYTES(session->nonce), info->tls_key.p, &transcript);
    return transcript.err ? transcript.err
                          : sign_verify(hub_key, buf_bytes(&transcript), info->tls_signature.p);
}

static bool is_hub(struct folkmoot_session *session, const struct info_response *info,
                   const uint8_t hub_key[KEY_SIZE])
{
    if (!bytes_equal(info->hub_key, bytes_of(hub_key, KEY_SIZE))) {
        session_fail(session, FOLKMOOT_UNTRUSTED, "%s is another hub than the one of the join link",
                     session->address);
        return false;
    }
    enum err err = check_key(session, info, hub_key);
    if (err == ERR_MALFORMED)
        session_fail(session, FOLKMOOT_UNTRUSTED,
                     "somebody stands between this device and the hub at %s", session->address);
    else if (err)
        session_fail_answer(session, err, NULL);
    return !err;
}

// Keeps the key that was proved.
static enum folkmoot_code pin(struct folkmoot_session *session)
{
    memcpy(session->tls_key, session->key, 32);
    if (session->joining)
        return FOLKMOOT_OK;
    struct scope scope;
    enum folkmoot_code code =
        state_begin(session->fm, session->number, true, &scope, &session->error);
    if (code)
        return code;
    memcpy(scope.secret.tls_key, session->key, 32);
    secret_put(scope.txn, session->number, &scope.secret);
    return state_end(session->fm, &scope, true, &session->error);
}

static void trust(struct folkmoot_session *session, const struct info_response *info)
{
    if (info->version_min > PROTOCOL_VERSION || info->version_max < PROTOCOL_VERSION) {
        session_fail(session, FOLKMOOT_REFUSED,
                     "the hub speaks versions %u to %u of the protocol, this device %d",
                     info->version_min, info->version_max, PROTOCOL_VERSION);
        return;
    }
    if (info->challenge.n != sizeof session->challenge.challenge) {
        session_fail_answer(session, ERR_MALFORMED, NULL);
        return;
    }
    memcpy(session->challenge.challenge, info->challenge.p, info->challenge.n);
    session->challenge.expires = info->challenge_expires;
    if (pin(session))
        session_failed(session);
    else
        session->stage = session->after_info;
}

void session_end_info(struct folkmoot_session *session)
{
    struct info_response info = {0};
    struct fault fault = {0};
    uint8_t hub_key[KEY_SIZE];
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, LOGIN_ARENA_MAX);
    enum err err =
        message_decode(&info_response_message, buf_bytes(&session->answer), &arena, &info, &fault);
    if (err)
        session_fail_answer(session, err, &fault);
    else if (pinned_hub(session, hub_key))
        session_failed(session);
    else if (is_hub(session, &info, hub_key))
        trust(session, &info);
}

// --- Login ---

enum err session_sign(const struct folkmoot_session *session, const struct scope *scope,
                      enum enrol_purpose purpose, const uint8_t seed[32], uint8_t signature[64])
{
    uint8_t invitation[HASH_SIZE];
    bool is_invited = purpose != PURPOSE_LOGIN;
    if (is_invited)
        digest_invitation(session->link.code, invitation);
    struct enrol_transcript transcript = {
        .purpose = purpose,
        .hub_key = scope->secret.hub_key,
        .community = scope->community.id,
        .device_key = scope->device.key,
        .invitation_hash = is_invited ? invitation : NULL,
        .challenge = BYTES(session->challenge.challenge),
        .expires = session->challenge.expires,
    };
    struct buf preimage BUF_CLEANUP = {0};
    digest_enrol_transcript(&transcript, &preimage);
    return preimage.err ? preimage.err : sign_make(seed, buf_bytes(&preimage), signature);
}

void session_ask_login(struct folkmoot_session *session)
{
    struct scope scope;
    uint8_t signature[SIGN_SIZE];
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    enum err err = session_sign(session, &scope, PURPOSE_LOGIN, scope.secret.seed, signature);
    struct login_request request = {
        .community = BYTES(scope.community.id),
        .device_key = BYTES(scope.device.key),
        .challenge = BYTES(session->challenge.challenge),
        .expires = session->challenge.expires,
        .signature = BYTES(signature),
    };
    (void)state_end(session->fm, &scope, false, NULL);
    if (err)
        session_fail(session, FOLKMOOT_INTERNAL, "the login could not be signed");
    else
        session_encode(session, &login_request_message, &request);
}

// --- what Enrol and Login both give ---

static void take_name(struct community *community, struct bytes name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return;
    memcpy(community->name, name.p, name.n);
    community->name[name.n] = 0;
    community->name_n = (uint32_t)name.n;
}

// An observer is given nothing, so it does not hear from the log either that it is one; but what a
// coordinator alone may see is not for it.
static void become_observer(struct scope *scope)
{
    struct progress progress;
    progress_get(scope->txn, scope->community.number, &progress);
    narrow_view(scope->txn, &scope->community, scope->device.handle);
    progress.view = VIEW_OF_ALL;
    progress_put(scope->txn, scope->community.number, &progress);
    scope->device.role = ROLE_OBSERVER;
    device_put(scope->txn, scope->community.number, &scope->device);
}

static enum folkmoot_code keep(struct folkmoot_session *session, const struct admission *admission)
{
    struct scope scope;
    enum folkmoot_code code =
        state_begin(session->fm, session->number, true, &scope, &session->error);
    if (code)
        return code;
    memcpy(scope.secret.token, admission->token.p, TOKEN_SIZE);
    memcpy(scope.secret.tls_key, session->tls_key, 32);
    bytes_wipe(scope.secret.previous_seed, sizeof scope.secret.previous_seed);
    if (admission->first_device.n == HANDLE_SIZE) {
        memcpy(scope.device.first, admission->first_device.p, HANDLE_SIZE);
        device_put(scope.txn, session->number, &scope.device);
    }
    if (admission->role == ROLE_OBSERVER && scope.device.role != ROLE_OBSERVER)
        become_observer(&scope);
    take_name(&scope.community, admission->community_name);
    secret_put(scope.txn, session->number, &scope.secret);
    community_put(scope.txn, &scope.community);
    return state_end(session->fm, &scope, true, &session->error);
}

void session_admitted(struct folkmoot_session *session)
{
    struct admission admission = {0};
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, LOGIN_ARENA_MAX);
    enum err err = message_decode(&enrol_response_message, buf_bytes(&session->answer), &arena,
                                  &admission, &fault);
    if (!err && admission.token.n != TOKEN_SIZE)
        err = fault_set(&fault, ERR_MALFORMED, "it has no token");
    if (err)
        session_fail_answer(session, err, &fault);
    else if (keep(session, &admission))
        session_failed(session);
    bytes_wipe(session->answer.p, session->answer.n);
}

void session_end_login(struct folkmoot_session *session)
{
    session_admitted(session);
    if (session->stage != STAGE_FAILED)
        session->stage = session->after_login;
}
