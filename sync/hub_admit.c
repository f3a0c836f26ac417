// How devices come in: founding a community, invitations, enrolment, login, tokens.

#include "base/sign.h"
#include "base/text.h"
#include "proto/schema.h"
#include "storage/invitation.h"
#include "sync/author.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "sync/hub_private.h"

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

// --- founding ---

static enum err endorse(const uint8_t identity_seed[SIGN_SEED_SIZE],
                        const struct community *community, const uint8_t chain_key[KEY_SIZE],
                        struct incarnation *incarnation, uint8_t signature[SIGN_SIZE])
{
    struct buf transcript BUF_CLEANUP = {0};
    digest_incarnation_transcript(community->id, chain_key, incarnation, &transcript);
    enum err err = transcript.err;
    if (!err)
        err = sign_make(identity_seed, buf_bytes(&transcript), signature);
    incarnation->signature = bytes_of(signature, SIGN_SIZE);
    return err;
}

static enum err write_incarnation(struct txn *txn, struct community *community, struct device *hub,
                                  const struct incarnation *incarnation, int64_t now,
                                  const struct hub_found_random *random, struct fault *fault)
{
    struct buf fields BUF_CLEANUP = {0};
    size_t mark = wire_open(&fields, FIELD_INCARNATION);
    message_encode(&incarnation_message, incarnation, &fields);
    wire_close(&fields, mark);
    if (fields.err)
        return fields.err;
    struct envelope envelope = {.kind = KIND_DECISION, .time = now};
    struct author author = {community, hub, random->chain_seed};
    return author_write(txn, &author, &envelope, buf_bytes(&fields), random->salt, NULL, fault);
}

static void community_name(struct community *community, struct bytes name)
{
    community->name_n = (uint32_t)name.n;
    memcpy(community->name, name.p, name.n);
    community->name[name.n] = 0;
}

enum err hub_found(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE], struct bytes name,
                   int64_t now, const struct hub_found_random *random, struct community *community,
                   struct fault *fault)
{
    uint8_t identity_key[KEY_SIZE];
    uint8_t signature[SIGN_SIZE];
    struct device hub = {.role = ROLE_HUB};
    struct secret secret = {0};
    if (name.n == 0 || name.n > NAME_MAX_BYTES || !text_is_utf8(name))
        return fault_set(fault, ERR_MALFORMED, "a community's name has 1 to %d bytes of text",
                         NAME_MAX_BYTES);
    enum err err = sign_public_key(identity_seed, identity_key);
    if (!err)
        err = sign_public_key(random->chain_seed, hub.key);
    if (err)
        return err;
    *community = (struct community){.is_hub = true};
    community_name(community, name);
    digest_community(identity_key, random->nonce, community->id);
    digest_handle(community->id, hub.key, hub.handle);
    memcpy(community->log, hub.handle, HANDLE_SIZE);
    memcpy(hub.identity, identity_key, KEY_SIZE);
    memcpy(secret.seed, random->chain_seed, SIGN_SEED_SIZE);
    community_put(txn, community);
    secret_put(txn, community->number, &secret);
    bytes_wipe(&secret, sizeof secret);
    struct incarnation incarnation = {.identity_key = BYTES(identity_key),
                                      .nonce = BYTES(random->nonce),
                                      .name = name,
                                      .chain_key = BYTES(hub.key)};
    err = endorse(identity_seed, community, hub.key, &incarnation, signature);
    return err ? err : write_incarnation(txn, community, &hub, &incarnation, now, random, fault);
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

static enum err check_transcript(const struct enrol_transcript *transcript, struct bytes signature,
                                 struct fault *fault)
{
    struct buf message BUF_CLEANUP = {0};
    digest_enrol_transcript(transcript, &message);
    if (message.err)
        return message.err;
    if (signature.n != SIGN_SIZE || !sign_key_sound(transcript->device_key) ||
        !sign_check(transcript->device_key, buf_bytes(&message), signature.p))
        return fault_set(fault, ERR_MALFORMED, "the transcript's signature or key is wrong");
    return OK;
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
    enum err err = invitation_get(txn, hash, invitation);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *again = !err && invitation_used_by(txn, hash, handle);
    bool open = !err && invitation->used < invitation->uses;
    if (err || invitation->community != community->number || (!open && !*again))
        return fault_set(
            fault, ERR_FORBIDDEN,
            "the invitation is not valid or was used by another device: ask for a new one");
    if (!*again && !may_maker_invite(txn, invitation))
        return fault_set(fault, ERR_FORBIDDEN,
                         "whoever made the invitation may invite no more: ask for a new one");
    if (!*again && invitation->expires < admitting->now)
        return fault_set(fault, ERR_FORBIDDEN, "the invitation has expired: ask for a new one");
    return txn_error(txn);
}

static enum err decide_enrolment(struct txn *txn, struct community *community,
                                 const struct hub_admitting *admitting,
                                 const struct enrol_request *request,
                                 const struct invitation *invitation, const uint8_t hash[HASH_SIZE],
                                 uint32_t from, struct fault *fault)
{
    struct enrolment enrolment = {
        .key = request->device_key,
        .role = (uint32_t)invitation->role,
        .invitation = bytes_of(hash, HASH_SIZE),
        .challenge = request->challenge,
        .expires = request->expires,
        .signature = request->signature,
        .from = from,
    };
    struct hub_decider decider = {.txn = txn,
                                  .community = community,
                                  .now = admitting->now,
                                  .random = admitting->random,
                                  .fault = fault};
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
    *response = (struct admission){
        .token = arena_copy(arena, bytes_of(admitting->token, TOKEN_SIZE)),
        .role = (uint32_t)device.role,
        .community_name = arena_copy(arena, bytes_of(community->name, community->name_n)),
    };
    return response->token.p && response->community_name.p ? txn_error(txn) : ERR_NOMEM;
}

// The label is the hub's own note: it may be somebody's name, and it replicates to nobody.
static enum err keep_label(struct txn *txn, const struct community *community,
                           const uint8_t handle[HANDLE_SIZE], const struct invitation *invitation)
{
    struct device device;
    enum err err = device_get(txn, community->number, handle, &device);
    if (err)
        return err;
    device.label_n = invitation->label_n;
    memcpy(device.label, invitation->label, sizeof device.label);
    device_put(txn, community->number, &device);
    return txn_error(txn);
}

// The device as it is known: a handle belongs to one key, and a revoked key comes in no more.
static enum err check_known(struct txn *txn, const struct community *community,
                            const struct enrol_request *request, const uint8_t handle[HANDLE_SIZE],
                            uint32_t *seq, struct fault *fault)
{
    struct device device;
    enum err err = device_get(txn, community->number, handle, &device);
    *seq = err ? 0 : device.seq;
    if (err)
        return err == ERR_NOT_FOUND ? OK : err;
    if (memcmp(device.key, request->device_key.p, KEY_SIZE) != 0 || device.role == ROLE_HUB)
        return fault_set(fault, ERR_EXISTS, "another device has this handle: make a new key");
    if (device.role == ROLE_NONE)
        return fault_set(fault, ERR_EXISTS, "this device was revoked: make a new key to join anew");
    return OK;
}

// Uses up the invitation and writes the decision, unless this device did both before. A device that
// is enrolled may take another invitation: its role is what that one says from then on.
static enum err enrol_new(struct txn *txn, struct community *community,
                          const struct hub_admitting *admitting,
                          const struct enrol_request *request, const uint8_t hash[HASH_SIZE],
                          const uint8_t handle[HANDLE_SIZE], struct fault *fault)
{
    struct invitation invitation;
    bool again = false;
    uint32_t seq;
    enum err err =
        check_invitation(txn, admitting, community, hash, handle, &invitation, &again, fault);
    if (!err)
        err = check_known(txn, community, request, handle, &seq, fault);
    // With another key this one is of no use either.
    if (err == ERR_EXISTS && again)
        return fault_set(fault, ERR_FORBIDDEN,
                         "this device was revoked, and the invitation is used: ask for a new one");
    if (err || again)
        return err;
    invitation.used++;
    invitation_put(txn, hash, &invitation);
    invitation_note_use(txn, hash, handle);
    err = decide_enrolment(txn, community, admitting, request, &invitation, hash, seq ? seq + 1 : 0,
                           fault);
    return err ? err : keep_label(txn, community, handle, &invitation);
}

enum err hub_enrol(struct txn *txn, const struct hub_admitting *admitting,
                   const struct enrol_request *request, struct arena *arena,
                   struct admission *response, struct fault *fault)
{
    struct community community;
    uint8_t hash[HASH_SIZE];
    uint8_t handle[HANDLE_SIZE];
    if (request->device_key.n != KEY_SIZE || request->invitation.n != CODE_SIZE)
        return fault_set(fault, ERR_MALFORMED, "EnrolRequest: device_key or invitation is missing");
    enum err err = check_challenge(admitting, request->challenge, request->expires, fault);
    if (!err)
        err = find_community(txn, request->community, &community, fault);
    if (err)
        return err;
    digest_invitation(request->invitation.p, hash);
    digest_handle(community.id, request->device_key.p, handle);
    struct enrol_transcript transcript = {
        PURPOSE_ENROL, admitting->identity_key, community.id,    request->device_key.p,
        hash,          request->challenge,      request->expires};
    err = check_transcript(&transcript, request->signature, fault);
    if (!err)
        err = enrol_new(txn, &community, admitting, request, hash, handle, fault);
    return err ? err : admit(txn, &community, handle, admitting, arena, response);
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
    err = check_transcript(&transcript, request->signature, fault);
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
