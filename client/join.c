#include "base/sign.h"
#include "base/text.h"
#include "client/session.h"
#include "client/titles.h"
#include "sync/digest.h"
#include "sync/rejoin.h"

enum folkmoot_code folkmoot_join(struct folkmoot *fm, const char *link,
                                 struct folkmoot_session **session, struct folkmoot_error *error)
{
    struct link parsed;
    struct fault fault = {0};
    state_clear(error);
    enum err err = link_parse(link, &parsed, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    struct folkmoot_session *made = session_new(fm, parsed.address);
    if (!made)
        return state_fail_err(error, ERR_NOMEM, NULL);
    made->joining = true;
    made->link = parsed;
    made->stage = STAGE_INFO;
    made->after_info = STAGE_ENROL;
    bytes_wipe(&parsed, sizeof parsed);
    *session = made;
    return FOLKMOOT_OK;
}

// --- what has to be on disk before the hub hears of the key ---

struct founding {
    struct community community;
    struct secret secret;
    bool has_seed; // of an earlier join that may have been answered
    bool is_anew;  // the old key is worth nothing any more
};

static enum folkmoot_code find_earlier(struct folkmoot_session *session, struct txn *txn,
                                       struct founding *founding)
{
    const struct link *link = &session->link;
    struct progress progress;
    enum err err = community_get(txn, link->community, &founding->community);
    if (err == ERR_NOT_FOUND)
        return FOLKMOOT_OK;
    if (!err)
        err = secret_get(txn, founding->community.number, &founding->secret);
    if (err)
        return state_fail_err(&session->error, err, NULL);
    bool same_hub = memcmp(founding->secret.hub_key, link->hub_key, KEY_SIZE) == 0;
    if (founding->community.is_hub)
        return state_fail(&session->error, FOLKMOOT_INVALID, "this store is a hub's");
    if (state_is_joined(&founding->community, &founding->secret) && !same_hub)
        return state_fail(&session->error, FOLKMOOT_UNTRUSTED,
                          "the link leads to another hub than the one that this device joined");
    progress_get(txn, founding->community.number, &progress);
    founding->is_anew = progress.forked || progress.revoked || session->key_is_spent;
    founding->has_seed = same_hub && !founding->is_anew;
    return FOLKMOOT_OK;
}

// What the old chain has and the hub may lack is noted before its key is overwritten.
static enum err leave_chain(struct txn *txn, const struct founding *founding)
{
    uint8_t key[SIGN_KEY_SIZE];
    uint8_t handle[HANDLE_SIZE];
    struct device old;
    enum err err = sign_public_key(founding->secret.seed, key);
    if (err)
        return err;
    digest_handle(founding->community.id, key, handle);
    err = device_get(txn, founding->community.number, handle, &old);
    if (!err)
        err = rejoin_begin(txn, &founding->community, &old);
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

static void put_device(struct txn *txn, const struct founding *founding,
                       const uint8_t key[KEY_SIZE])
{
    struct device device = {.role = ROLE_NONE};
    memcpy(device.key, key, KEY_SIZE);
    digest_handle(founding->community.id, key, device.handle);
    struct device known;
    if (device_get(txn, founding->community.number, device.handle, &known) == ERR_NOT_FOUND)
        device_put(txn, founding->community.number, &device);
}

static enum folkmoot_code put_rows(struct folkmoot_session *session, struct txn *txn,
                                   struct founding *founding)
{
    const struct link *link = &session->link;
    uint8_t key[SIGN_KEY_SIZE];
    enum err err = founding->is_anew ? leave_chain(txn, founding) : OK;
    if (err)
        return state_fail_err(&session->error, err, NULL);
    if (!founding->has_seed) {
        uint8_t previous[SIGN_SEED_SIZE] = {0};
        if (founding->is_anew)
            memcpy(previous, founding->secret.seed, sizeof previous);
        founding->secret = (struct secret){.address = ""};
        memcpy(founding->secret.previous_seed, previous, sizeof previous);
        bytes_wipe(previous, sizeof previous);
        state_random(session->fm, founding->secret.seed, sizeof founding->secret.seed);
        founding->community.name_n = (uint32_t)strlen(link->name);
        memcpy(founding->community.name, link->name, sizeof link->name);
        memcpy(founding->community.id, link->community, COMMUNITY_SIZE);
    }
    memcpy(founding->secret.hub_key, link->hub_key, KEY_SIZE);
    memcpy(founding->secret.tls_key, session->tls_key, 32);
    memcpy(founding->secret.address, link->address, sizeof founding->secret.address);
    err = sign_public_key(founding->secret.seed, key);
    if (err)
        return state_fail_err(&session->error, err, NULL);
    community_put(txn, &founding->community);
    secret_put(txn, founding->community.number, &founding->secret);
    put_device(txn, founding, key);
    session->number = founding->community.number;
    return FOLKMOOT_OK;
}

static enum folkmoot_code found(struct folkmoot_session *session)
{
    struct founding founding = {.has_seed = false};
    struct txn *txn = state_txn(session->fm, true);
    if (!txn)
        return state_fail(&session->error, FOLKMOOT_STORE, "the store cannot be opened again");
    enum folkmoot_code code = find_earlier(session, txn, &founding);
    if (!code)
        code = put_rows(session, txn, &founding);
    if (code)
        txn_abort(&txn);
    else
        code = state_commit(session->fm, &txn, &session->error);
    bytes_wipe(&founding, sizeof founding);
    session->fm->known_key = 0;
    return code;
}

// --- Enrol ---

static bool has_previous(const struct secret *secret)
{
    static const uint8_t none[SIGN_SEED_SIZE];
    return memcmp(secret->previous_seed, none, sizeof none) != 0;
}

void session_ask_enrol(struct folkmoot_session *session)
{
    struct scope scope;
    uint8_t signature[SIGN_SIZE];
    uint8_t previous_key[SIGN_KEY_SIZE];
    uint8_t previous_signature[SIGN_SIZE];
    if (found(session) ||
        state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    enum err err = session_sign(session, &scope, PURPOSE_ENROL, scope.secret.seed, signature);
    struct enrol_request request = {
        .community = BYTES(scope.community.id),
        .device_key = BYTES(scope.device.key),
        .invitation = BYTES(session->link.code),
        .challenge = BYTES(session->challenge.challenge),
        .expires = session->challenge.expires,
        .signature = BYTES(signature),
    };
    if (!err && has_previous(&scope.secret)) {
        err = sign_public_key(scope.secret.previous_seed, previous_key);
        if (!err)
            err = session_sign(session, &scope, PURPOSE_SUCCEED, scope.secret.previous_seed,
                               previous_signature);
        request.previous_key = BYTES(previous_key);
        request.previous_signature = BYTES(previous_signature);
    }
    (void)state_end(session->fm, &scope, false, NULL);
    if (err)
        session_fail(session, FOLKMOOT_INTERNAL, "the enrolment could not be signed");
    else
        session_encode(session, &enrol_request_message, &request);
}

void session_end_enrol(struct folkmoot_session *session)
{
    session_admitted(session);
    if (session->stage == STAGE_FAILED)
        return;
    struct folkmoot *fm = session->fm;
    if (fm->chosen != session->number)
        titles_free(&fm->titles);
    fm->chosen = session->number;
    session->stage = STAGE_DONE;
}
