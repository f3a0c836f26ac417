// How devices come in: invitations, enrolment, login, tokens.

#include "base/text.h"
#include "proto/schema.h"
#include "storage/invitation.h"
#include "sync/author.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/signed.h"

// After how many spans of policy->token_ms a token is void.
enum { TOKEN_SPANS = 3 };

static enum err check_token_age(const struct token *token, const struct hub_policy *policy,
                                int64_t now, struct hub_caller *caller, struct fault *fault)
{
    int64_t age = now - token->made;
    caller->token_is_next = token->is_next;
    caller->token_is_due = policy->token_ms > 0 && age >= policy->token_ms;
    if (policy->token_ms > 0 && age / TOKEN_SPANS >= policy->token_ms)
        return fault_set(fault, ERR_UNAUTHENTICATED, "the token has expired: log in again");
    return OK;
}

static enum err check_call(const struct hub_caller *caller, enum role_call call,
                           struct fault *fault)
{
    enum role role = caller->device.role;
    if (role_may_call(role, call) != REACH_NONE)
        return OK;
    if (role == ROLE_NONE)
        return fault_set(fault, ERR_FORBIDDEN,
                         "this device was revoked: ask a coordinator, and join anew");
    bool reads_alone = call == CALL_SYNC && role_may_call(role, CALL_LIST) != REACH_NONE;
    return fault_set(fault, ERR_FORBIDDEN, "the role %s does not allow %s%s", role_name(role),
                     role_call_name(call),
                     reads_alone ? ": read what is meant for it with Get and List" : "");
}

enum err hub_authenticate(struct txn *txn, const uint8_t token[TOKEN_SIZE], enum role_call call,
                          const struct hub_policy *policy, int64_t now, struct hub_caller *caller,
                          struct fault *fault)
{
    uint8_t hash[HASH_SIZE];
    struct token found;
    digest_token(token, hash);
    caller->policy = *policy;
    caller->now = now;
    enum err err = token_get(txn, hash, &found);
    if (err == ERR_DAMAGED)
        err = ERR_NOT_FOUND;
    if (!err)
        err = community_get_number(txn, found.community, &caller->community);
    if (!err)
        err = device_get(txn, found.community, found.handle, &caller->device);
    // One that was damaged is made anew by a login.
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, ERR_UNAUTHENTICATED, "the token is not known here: log in again");
    if (!err)
        err = check_token_age(&found, policy, now, caller, fault);
    return err ? err : check_call(caller, call, fault);
}

void hub_turn_token(struct txn *txn, const struct hub_caller *caller,
                    const uint8_t token[TOKEN_SIZE], bool *renewed)
{
    uint8_t hash[HASH_SIZE];
    uint32_t community = caller->community.number;
    *renewed = false;
    if (caller->token_is_next)
        token_turn(txn, community, caller->device.handle);
    if (!caller->token_is_due)
        return;
    digest_token(token, hash);
    token_put_next(txn, hash, community, caller->device.handle, caller->now);
    *renewed = true;
}

// --- inviting ---

// maker: NULL for an administrator.
static enum err put_invitation(struct txn *txn, const struct community *community,
                               const uint8_t *maker, const struct hub_invitation *invitation,
                               const uint8_t code[CODE_SIZE], struct fault *fault)
{
    uint8_t hash[HASH_SIZE];
    struct bytes label = invitation->label;
    struct invitation row = {.community = community->number,
                             .role = invitation->role,
                             .expires = invitation->expires,
                             .uses = (uint16_t)invitation->uses};
    if (invitation->role < ROLE_MEMBER || invitation->role > ROLE_OBSERVER)
        return fault_set(
            fault, ERR_MALFORMED,
            "an invitation is for a member, a volunteer, a coordinator or an observer");
    if (invitation->uses < 1 || invitation->uses > INVITATION_USES_MAX)
        return fault_set(fault, ERR_LIMIT, "an invitation is for 1 to %d devices",
                         INVITATION_USES_MAX);
    if (label.n > LABEL_MAX || !text_is_utf8(label))
        return fault_set(fault, ERR_MALFORMED, "a label has at most %d bytes of text", LABEL_MAX);
    row.label_n = (uint32_t)label.n;
    if (label.n)
        memcpy(row.label, label.p, label.n);
    row.is_devices = maker != NULL;
    if (maker)
        memcpy(row.maker, maker, HANDLE_SIZE);
    digest_invitation(code, hash);
    invitation_put(txn, hash, &row);
    return txn_error(txn);
}

enum err hub_invite(struct txn *txn, const struct community *community,
                    const struct hub_invitation *invitation, const uint8_t code[CODE_SIZE],
                    struct fault *fault)
{
    return put_invitation(txn, community, NULL, invitation, code, fault);
}

enum err hub_invite_as(struct txn *txn, const struct hub_caller *caller,
                       const struct hub_invitation *invitation, const uint8_t code[CODE_SIZE],
                       struct fault *fault)
{
    return put_invitation(txn, &caller->community, caller->device.handle, invitation, code, fault);
}

// --- enrolling ---

void hub_challenge(const uint8_t secret[32], int64_t expires, uint8_t challenge[16])
{
    struct hash hash;
    uint8_t full[HASH_SIZE];
    hash_begin(&hash, "folkmoot challenge v1");
    hash_put(&hash, bytes_of(secret, 32));
    hash_put_be64(&hash, (uint64_t)expires);
    hash_end(&hash, full);
    memcpy(challenge, full, 16);
}

static enum err check_challenge(const struct hub_admitting *admitting, struct bytes challenge,
                                int64_t expires, struct fault *fault)
{
    uint8_t expected[16];
    hub_challenge(admitting->challenge_secret, expires, expected);
    if (expires < admitting->now || !bytes_equal_secret(challenge, BYTES(expected)))
        return fault_set(fault, ERR_WRONG_STATE,
                         "the challenge expired or is not this hub's: ask Info for a new one");
    return OK;
}

static enum err check_signature(struct txn *txn, const struct enrol_transcript *transcript,
                                const uint8_t key[KEY_SIZE], struct bytes signature,
                                struct fault *fault)
{
    struct buf message BUF_CLEANUP = {0};
    digest_enrol_transcript(transcript, &message);
    bool holds = sign_key_sound(key) && signed_by(txn, key, &message, signature);
    if (!holds && !txn_error(txn))
        return fault_set(fault, ERR_MALFORMED, "the transcript's signature or key is wrong");
    return txn_error(txn);
}

static enum err find_community(struct txn *txn, struct bytes id, struct community *community,
                               struct fault *fault)
{
    enum err err = id.n == COMMUNITY_SIZE ? community_get(txn, id.p, community) : ERR_NOT_FOUND;
    if (!err && !community->is_hub)
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "this hub does not serve that community");
    return err;
}

// What a stolen phone has made is worth no more than the phone.
static bool may_maker_invite(struct txn *txn, const struct invitation *invitation)
{
    struct device maker;
    return !invitation->is_devices ||
           (device_get(txn, invitation->community, invitation->maker, &maker) == OK &&
            role_may_call(maker.role, CALL_INVITE) != REACH_NONE);
}

// With uses left, or used by this very device: a phone whose answer was lost may ask again.
static enum err check_invitation(struct txn *txn, const struct hub_admitting *admitting,
                                 const struct community *community, const uint8_t hash[HASH_SIZE],
                                 const uint8_t handle[HANDLE_SIZE], struct invitation *invitation,
                                 bool *again, struct fault *fault)
{
    uint64_t damage = txn_damage(txn);
    enum err err = invitation_get(txn, hash, invitation);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *again = !err && invitation_used_by(txn, hash, handle);
    bool may = !err && (*again || may_maker_invite(txn, invitation));
    // Nobody is sent away because something could not be read.
    if (txn_error(txn) || txn_damage(txn) != damage)
        return txn_error(txn) ? txn_error(txn) : ERR_DAMAGED;
    bool open = !err && invitation->used < invitation->uses;
    if (err || invitation->community != community->number || (!open && !*again))
        return fault_set(
            fault, ERR_FORBIDDEN,
            "the invitation is not valid or was used by another device: ask for a new one");
    if (!may)
        return fault_set(fault, ERR_FORBIDDEN,
                         "whoever made the invitation may invite no more: ask for a new one");
    if (!*again && invitation->expires < admitting->now)
        return fault_set(fault, ERR_FORBIDDEN, "the invitation has expired: ask for a new one");
    return OK;
}

// A device that comes in.
struct enrolling {
    struct txn *txn;
    struct community community;
    const struct hub_admitting *admitting;
    const struct enrol_request *request;
    struct enrol_transcript transcript;
    uint8_t invitation_hash[HASH_SIZE];
    struct invitation invitation;
    uint8_t handle[HANDLE_SIZE];
    uint32_t seq;           // the end of its chain, when it was here before
    bool is_known;          // it was
    enum role role;         // and had
    bool has_previous;      // an earlier key of whoever speaks here says that this one is theirs
    struct device previous; // then that key's
    struct fault *fault;
};

// Of an observer least: who may write has more.
static int rank(enum role role)
{
    return role == ROLE_OBSERVER ? 0 : (int)role;
}

// An invitation gives and takes nothing away: a coordinator who follows the hub to another address
// by a volunteer's link stays one.
static enum role given_role(const struct enrolling *e)
{
    enum role role = e->invitation.role;
    return e->is_known && rank(e->role) > rank(role) ? e->role : role;
}

static enum err decide_enrolment(const struct enrolling *e)
{
    struct community community = e->community;
    struct enrolment enrolment = {
        .key = e->request->device_key,
        .role = (uint32_t)given_role(e),
        .invitation = BYTES(e->invitation_hash),
        .challenge = e->request->challenge,
        .expires = e->request->expires,
        .signature = e->request->signature,
        .from = e->seq ? e->seq + 1 : 0,
    };
    if (e->has_previous) {
        enrolment.previous = BYTES(e->previous.handle);
        enrolment.previous_signature = e->request->previous_signature;
        enrolment.first_device = bytes_of(device_first(&e->previous), HANDLE_SIZE);
    }
    struct hub_decider decider = {.txn = e->txn,
                                  .community = &community,
                                  .now = e->admitting->now,
                                  .random = e->admitting->random,
                                  .fault = e->fault};
    struct hub_edits edits = {.decider = &decider};
    hub_edits_put(&edits, FIELD_ENROLMENT, &enrolment_message, &enrolment);
    return hub_edits_end(&edits);
}

static enum err admit(struct txn *txn, const struct community *community,
                      const uint8_t handle[HANDLE_SIZE], const struct hub_admitting *admitting,
                      struct arena *arena, struct admission *response)
{
    struct device device;
    uint8_t hash[HASH_SIZE];
    enum err err = device_get(txn, community->number, handle, &device);
    if (err)
        return err;
    digest_token(admitting->token, hash);
    token_put(txn, hash, community->number, handle, admitting->now);
    bool is_first = device_first(&device) == device.handle;
    *response = (struct admission){
        .token = arena_copy(arena, bytes_of(admitting->token, TOKEN_SIZE)),
        .role = (uint32_t)device.role,
        .community_name = arena_copy(arena, bytes_of(community->name, community->name_n)),
        .first_device = arena_copy(arena, bytes_of(device.first, is_first ? 0 : HANDLE_SIZE)),
    };
    return response->token.p && response->community_name.p && response->first_device.p
               ? txn_error(txn)
               : ERR_NOMEM;
}

// The label is the hub's own note: it may be somebody's name, and it replicates to nobody.
static enum err keep_label(const struct enrolling *e)
{
    struct device device;
    enum err err = device_get(e->txn, e->community.number, e->handle, &device);
    if (err || (e->is_known && e->invitation.label_n == 0))
        return err;
    device.label_n = e->invitation.label_n;
    memcpy(device.label, e->invitation.label, sizeof device.label);
    device_put(e->txn, e->community.number, &device);
    return txn_error(e->txn);
}

// The device as it is known: a handle belongs to one key, and a revoked key comes in no more.
static enum err check_known(struct enrolling *e)
{
    struct device device;
    enum err err = device_get(e->txn, e->community.number, e->handle, &device);
    if (err)
        return err == ERR_NOT_FOUND ? OK : err;
    e->is_known = true;
    e->role = device.role;
    e->seq = device.seq;
    if (memcmp(device.key, e->request->device_key.p, KEY_SIZE) != 0 || device.role == ROLE_HUB)
        return fault_set(e->fault, ERR_EXISTS, "another device has this handle: make a new key");
    if (device.role == ROLE_NONE)
        return fault_set(e->fault, ERR_EXISTS,
                         "this device was revoked: make a new key to join anew");
    return OK;
}

// Whether an earlier key vouches for the new one. A device's person never changes, and the key of
// one that is not in, or is out, vouches for nobody.
static enum err check_previous(struct enrolling *e)
{
    uint8_t handle[HANDLE_SIZE];
    struct bytes key = e->request->previous_key;
    struct enrol_transcript transcript = e->transcript;
    transcript.purpose = PURPOSE_SUCCEED;
    if (key.n == 0 || e->is_known)
        return OK;
    enum err err =
        check_signature(e->txn, &transcript, key.p, e->request->previous_signature, e->fault);
    if (err)
        return err;
    digest_handle(e->community.id, key.p, handle);
    err = device_get(e->txn, e->community.number, handle, &e->previous);
    if (err)
        return err == ERR_NOT_FOUND ? OK : err;
    enum role role = e->previous.role;
    e->has_previous =
        bytes_equal(key, BYTES(e->previous.key)) && role != ROLE_NONE && role != ROLE_HUB;
    return OK;
}

// Uses up the invitation and writes the decision, unless this device did both before. A device that
// is enrolled may take another invitation, which may give it more.
static enum err enrol_new(struct enrolling *e)
{
    bool again = false;
    enum err err = check_invitation(e->txn, e->admitting, &e->community, e->invitation_hash,
                                    e->handle, &e->invitation, &again, e->fault);
    if (!err)
        err = check_known(e);
    // With another key this one is of no use either.
    if (err == ERR_EXISTS && again)
        return fault_set(e->fault, ERR_FORBIDDEN,
                         "this device was revoked, and the invitation is used: ask for a new one");
    if (err || again)
        return err;
    err = check_previous(e);
    if (err)
        return err;
    e->invitation.used++;
    invitation_put(e->txn, e->invitation_hash, &e->invitation);
    invitation_note_use(e->txn, e->invitation_hash, e->handle);
    err = decide_enrolment(e);
    return err ? err : keep_label(e);
}

enum err hub_enrol(struct txn *txn, const struct hub_admitting *admitting,
                   const struct enrol_request *request, struct arena *arena,
                   struct admission *response, struct fault *fault)
{
    struct enrolling e = {.txn = txn, .admitting = admitting, .request = request, .fault = fault};
    if (request->device_key.n != KEY_SIZE || request->invitation.n != CODE_SIZE)
        return fault_set(fault, ERR_MALFORMED, "EnrolRequest: device_key or invitation is missing");
    enum err err = check_challenge(admitting, request->challenge, request->expires, fault);
    if (!err)
        err = find_community(txn, request->community, &e.community, fault);
    if (err)
        return err;
    digest_invitation(request->invitation.p, e.invitation_hash);
    digest_handle(e.community.id, request->device_key.p, e.handle);
    e.transcript = (struct enrol_transcript){
        PURPOSE_ENROL,     admitting->identity_key, e.community.id,  request->device_key.p,
        e.invitation_hash, request->challenge,      request->expires};
    err = check_signature(txn, &e.transcript, request->device_key.p, request->signature, fault);
    if (!err)
        err = enrol_new(&e);
    return err ? err : admit(txn, &e.community, e.handle, admitting, arena, response);
}

enum err hub_login(struct txn *txn, const struct hub_admitting *admitting,
                   const struct login_request *request, struct arena *arena,
                   struct admission *response, struct fault *fault)
{
    struct community community;
    struct device device;
    uint8_t handle[HANDLE_SIZE];
    if (request->device_key.n != KEY_SIZE)
        return fault_set(fault, ERR_MALFORMED, "LoginRequest: device_key is missing");
    enum err err = check_challenge(admitting, request->challenge, request->expires, fault);
    if (!err)
        err = find_community(txn, request->community, &community, fault);
    if (err)
        return err;
    struct enrol_transcript transcript = {
        PURPOSE_LOGIN, admitting->identity_key, community.id,    request->device_key.p,
        NULL,          request->challenge,      request->expires};
    err = check_signature(txn, &transcript, request->device_key.p, request->signature, fault);
    if (err)
        return err;
    digest_handle(community.id, request->device_key.p, handle);
    err = device_get(txn, community.number, handle, &device);
    if (err == ERR_NOT_FOUND ||
        (!err &&
         (memcmp(device.key, request->device_key.p, KEY_SIZE) != 0 || device.role == ROLE_HUB)))
        return fault_set(fault, ERR_FORBIDDEN,
                         "this device is not enrolled here: ask for an invitation");
    return err ? err : admit(txn, &community, handle, admitting, arena, response);
}
