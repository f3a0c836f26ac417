#include "daemon/service.h"

#include "daemon/random.h"
#include "daemon/service_private.h"
#include "sync/digest.h"

// --- Info ---

static enum err sign_tls_key(struct service_call *call, struct bytes nonce,
                             struct info_response *response, struct fault *fault)
{
    const struct service *service = call->service;
    const uint8_t *key = call->tls_key;
    if (!key && service->has_proxy_key)
        key = service->proxy_key;
    if (!key)
        return OK;
    struct buf transcript = {0};
    digest_tls_transcript(nonce, key, &transcript);
    uint8_t *signature = arena_alloc(&call->arena, 1, SIGN_SIZE);
    enum err err = transcript.err;
    if (!err)
        err = signature ? sign_make(service->identity.seed, buf_bytes(&transcript), signature)
                        : ERR_NOMEM;
    buf_done(&transcript);
    if (err)
        return fault_set(fault, err, "the TLS key could not be signed");
    response->tls_key = bytes_of(key, HASH_SIZE);
    response->tls_signature = bytes_of(signature, SIGN_SIZE);
    return OK;
}

static enum err info(struct service_call *call, struct txn *txn, struct fault *fault)
{
    (void)txn;
    const struct info_request *request = call->request;
    struct info_response *response = call->response;
    uint8_t *challenge = arena_alloc(&call->arena, 1, 16);
    if (!challenge)
        return ERR_NOMEM;
    int64_t expires = call->now + SERVICE_CHALLENGE_MS;
    hub_challenge(call->service->challenge_secret, expires, challenge);
    *response = (struct info_response){
        .version_min = PROTOCOL_VERSION,
        .version_max = PROTOCOL_VERSION,
        .software = bytes_of_text("folkmootd " FOLKMOOT_VERSION),
        .hub_key = BYTES(call->service->identity.key),
        .challenge = bytes_of(challenge, 16),
        .challenge_expires = expires,
        .clock = call->now,
        .request_max = call->service->request_max,
        .packings = PACKINGS_KNOWN,
    };
    return sign_tls_key(call, request->nonce, response, fault);
}

// --- Enrol and Login ---

static enum err always_write(struct service_call *call, struct txn *txn, struct fault *fault)
{
    (void)txn;
    (void)fault;
    call->writes = true;
    return OK;
}

static struct hub_admitting admitting_of(struct service_call *call)
{
    random_fill(call->new_token, sizeof call->new_token);
    random_fill(call->random, sizeof call->random);
    return (struct hub_admitting){
        .identity_key = call->service->identity.key,
        .challenge_secret = call->service->challenge_secret,
        .now = call->now,
        .token = call->new_token,
        .random = call->random,
    };
}

static enum err enrol(struct service_call *call, struct txn *txn, struct fault *fault)
{
    struct hub_admitting admitting = admitting_of(call);
    return hub_enrol(txn, &admitting, call->request, &call->arena, call->response, fault);
}

static enum err login(struct service_call *call, struct txn *txn, struct fault *fault)
{
    struct hub_admitting admitting = admitting_of(call);
    return hub_login(txn, &admitting, call->request, &call->arena, call->response, fault);
}

// --- Invite ---

static enum err invite(struct service_call *call, struct txn *txn, struct fault *fault)
{
    enum { MINUTE_MS = 60000, WEEK_MS = 7 * 24 * 60 * MINUTE_MS };
    static const int64_t year_ms = (int64_t)366 * 24 * 60 * MINUTE_MS;
    const struct invite_request *request = call->request;
    struct invite_response *response = call->response;
    int64_t valid = request->valid ? request->valid : WEEK_MS;
    if (valid < MINUTE_MS || valid > year_ms)
        return fault_set(fault, ERR_LIMIT, "an invitation is valid for a minute to a year");
    struct hub_invitation invitation = {.role = (enum role)request->role,
                                        .label = request->label,
                                        .expires = call->now + valid,
                                        .uses = request->uses ? request->uses : 1};
    random_fill(call->code, sizeof call->code);
    *response = (struct invite_response){BYTES(call->code), invitation.expires};
    return hub_invite_as(txn, &call->caller, &invitation, call->code, fault);
}

// --- records ---

static enum err get(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_get(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err list(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_list(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err search(struct service_call *call, struct txn *txn, struct fault *fault)
{
    struct searching *searching = call->service->searching;
    struct search *of = searching ? searching_of(searching, call->caller.community.number) : NULL;
    return hub_search(txn, &call->caller, of, call->request, &call->arena, call->response, fault);
}

static enum err export(struct service_call *call, struct txn *txn, struct fault *fault) {
    struct export_response *response = call->response;
    enum err err = hub_export(txn, &call->caller, call->request, &call->exported, &call->arena,
                              response, fault);
    call->has_ended = call->exported.has_ended;
    call->has_news = response->records.n > 0 || response->damaged || call->has_ended;
    call->has_more = true;
    return err;
}

static enum err me(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_me(txn, &call->caller, &call->arena, call->response, fault);
}

static enum err prove(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_prove(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

// --- the picture ---

static enum err picture(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_picture(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err show(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_show(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err record(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_record(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err trail(struct service_call *call, struct txn *txn, struct fault *fault)
{
    return hub_trail(txn, &call->caller, call->request, &call->arena, call->response, fault);
}

static enum err watch(struct service_call *call, struct txn *txn, struct fault *fault)
{
    struct watch_response *response = call->response;
    bool is_first = !call->watched.is_begun;
    enum err err =
        hub_watch(txn, &call->caller, call->request, &call->watched, &call->arena, response, fault);
    call->has_news = !err && (is_first || response->changed.n > 0 || response->more);
    return err;
}

// --- the table ---

static const struct service_method methods[SERVICE_METHODS] = {
    {
        .path = "/folkmoot.v1.SyncService/Sync",
        .request = &sync_request_message,
        .response = &sync_response_message,
        .body_max = REQUEST_MAX,
        .arena_max = SERVICE_SYNC_ARENA,
        .has_token = true,
        .call = CALL_SYNC,
        .is_sync = true,
        .check = service_sync_check,
        .write = service_sync_write,
        .answer = service_sync_answer,
    },
    {
        .path = "/folkmoot.v1.CarryService/Deliver",
        .request = &deliver_request_message,
        .response = &deliver_response_message,
        .body_max = REQUEST_MAX,
        .arena_max = SERVICE_SYNC_ARENA,
        .has_token = true,
        .call = CALL_DELIVER,
        .is_letter = true,
        .check = service_deliver_check,
        .write = service_push,
        .answer = service_deliver_answer,
    },
    {
        .path = "/folkmoot.v1.InfoService/Info",
        .request = &info_request_message,
        .response = &info_response_message,
        .body_max = 1 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .answer = info,
    },
    {
        .path = "/folkmoot.v1.EnrolService/Enrol",
        .request = &enrol_request_message,
        .response = &enrol_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .is_attempt = true,
        .is_enrolment = true,
        .check = always_write,
        .write = enrol,
    },
    {
        .path = "/folkmoot.v1.EnrolService/Login",
        .request = &login_request_message,
        .response = &login_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .is_attempt = true,
        .check = always_write,
        .write = login,
    },
    {
        .path = "/folkmoot.v1.EnrolService/Invite",
        .request = &invite_request_message,
        .response = &invite_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .has_token = true,
        .call = CALL_INVITE,
        .check = always_write,
        .write = invite,
    },
    {
        .path = "/folkmoot.v1.RecordService/Get",
        .request = &get_request_message,
        .response = &get_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_GET,
        .may_get = true,
        .answer = get,
    },
    {
        .path = "/folkmoot.v1.RecordService/List",
        .request = &list_request_message,
        .response = &list_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .may_get = true,
        .answer = list,
    },
    {
        .path = "/folkmoot.v1.RecordService/Search",
        .request = &search_request_message,
        .response = &search_response_message,
        .body_max = 8 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_SEARCH,
        .may_get = true,
        .answer = search,
    },
    {
        .path = "/folkmoot.v1.RecordService/Export",
        .request = &export_request_message,
        .response = &export_response_message,
        .body_max = 1 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .is_stream = true,
        .answer = export,
    },
    {
        .path = "/folkmoot.v1.ProofService/Prove",
        .request = &prove_request_message,
        .response = &prove_response_message,
        .body_max = 1 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_PROVE,
        .may_get = true,
        .answer = prove,
    },
    {
        .path = "/folkmoot.v1.RecordService/Me",
        .request = &me_request_message,
        .response = &me_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .has_token = true,
        .call = CALL_ME,
        .may_get = true,
        .answer = me,
    },
    {
        .path = "/folkmoot.v1.PictureService/Picture",
        .request = &picture_request_message,
        .response = &picture_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .may_get = true,
        .answer = picture,
    },
    {
        .path = "/folkmoot.v1.PictureService/Show",
        .request = &show_request_message,
        .response = &show_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .may_get = true,
        .answer = show,
    },
    {
        .path = "/folkmoot.v1.PictureService/Record",
        .request = &record_request_message,
        .response = &record_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_GET,
        .may_get = true,
        .answer = record,
    },
    {
        .path = "/folkmoot.v1.PictureService/Trail",
        .request = &trail_request_message,
        .response = &trail_response_message,
        .body_max = 4 << 10,
        .arena_max = SERVICE_READ_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .may_get = true,
        .answer = trail,
    },
    {
        .path = "/folkmoot.v1.PictureService/Watch",
        .request = &watch_request_message,
        .response = &watch_response_message,
        .body_max = 1 << 10,
        .arena_max = SERVICE_SMALL_ARENA,
        .has_token = true,
        .call = CALL_LIST,
        .is_stream = true,
        .answer = watch,
    },
};

const struct service_method *service_find(struct bytes path)
{
    for (size_t i = 0; i < SERVICE_METHODS; i++)
        if (bytes_equal(path, bytes_of_text(methods[i].path)))
            return &methods[i];
    return NULL;
}

size_t service_number(const struct service_method *method)
{
    return method ? (size_t)(method - methods) : SERVICE_METHODS;
}

const char *service_name(size_t number)
{
    return number < SERVICE_METHODS ? strrchr(methods[number].path, '/') + 1 : "unknown";
}

static enum err authenticate(const struct service_method *method, struct service_call *call,
                             struct txn *txn, struct fault *fault)
{
    if (!method->has_token)
        return OK;
    enum err err = hub_authenticate(txn, call->token, method->call, &call->service->policy,
                                    call->now, &call->caller, fault);
    return err || !method->is_letter ? err : service_take_author(call, txn, fault);
}

enum err service_check(const struct service_method *method, struct service_call *call,
                       struct txn *txn, struct fault *fault)
{
    enum err err = authenticate(method, call, txn, fault);
    return !err && method->check ? method->check(call, txn, fault) : err;
}

enum err service_write(const struct service_method *method, struct service_call *call,
                       struct txn *txn, bool again, struct fault *fault)
{
    enum err err = authenticate(method, call, txn, fault);
    // What was planned for a transaction that is gone is planned anew.
    if (!err && again && method->check)
        err = method->check(call, txn, fault);
    return err || (again && !call->writes) ? err : method->write(call, txn, fault);
}

enum err service_answer(const struct service_method *method, struct service_call *call,
                        struct txn *txn, struct fault *fault)
{
    enum err err = authenticate(method, call, txn, fault);
    return !err && method->answer ? method->answer(call, txn, fault) : err;
}
