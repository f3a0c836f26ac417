#include "base/sign.h"
#include "proto/schema.h"
#include "sync/digest.h"
#include "sync/mask.h"
#include "tests/sync/trust.h"

void trust_answer_done(struct trust_answer *answer)
{
    buf_done(&answer->bytes);
}

bool trust_answer_has(const struct trust_answer *answer, struct bytes needle)
{
    for (size_t i = 0; i + needle.n <= answer->bytes.n; i++) {
        if (memcmp(answer->bytes.p + i, needle.p, needle.n) == 0)
            return true;
    }
    return false;
}

enum err trust_caller(const struct trust *trust, enum role_call call, struct hub_caller *caller,
                      struct fault *fault)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(trust->ours.world.hub);
    return hub_authenticate(txn, trust->token, call, &trust->policy, trust->now, caller, fault);
}

// Whoever may call is answered in a read transaction, which this begins.
static struct txn *begin(const struct trust *trust, enum role_call call, struct hub_caller *caller,
                         struct trust_answer *answer)
{
    *answer = (struct trust_answer){0};
    answer->err = trust_caller(trust, call, caller, &answer->fault);
    return answer->err ? NULL : txn_begin_read(trust->ours.world.hub);
}

static void encode(struct trust_answer *answer, const struct message *message, const void *response)
{
    if (!answer->err)
        message_encode(message, response, &answer->bytes);
    world_must(!answer->bytes.err, "an answer could not be encoded");
}

// --- Sync ---

static enum err take(struct trust *trust, const struct hub_caller *caller,
                     struct hub_push_plan *plan, struct list *receipts, struct fault *fault)
{
    uint8_t random[32];
    struct hub_effects effects = {0};
    dice_bytes(&trust->ours.world.dice, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(trust->ours.world.hub);
    enum err err =
        hub_push(txn, caller, trust->now, random, plan, &trust->arena, receipts, &effects, fault);
    return err ? err : txn_commit(&txn);
}

static enum err check(struct trust *trust, const struct hub_caller *caller,
                      const struct sync_request *request, struct hub_push_plan **plan,
                      struct fault *fault)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(trust->ours.world.hub);
    return hub_check_push(txn, caller, request, &trust->arena, plan, fault);
}

static void look_at_chain(const struct trust *trust, struct hub_caller *caller)
{
    enum role role = caller->device.role;
    struct txn *txn TXN_CLEANUP = txn_begin_read(trust->ours.world.hub);
    world_must(!device_get(txn, caller->community.number, caller->device.handle, &caller->device),
               "no device");
    caller->device.role = role;
}

void trust_sync_as(struct trust *trust, struct hub_caller *caller, struct sync_request *request,
                   struct trust_answer *answer)
{
    struct hub_push_plan *plan;
    struct sync_response response;
    struct list receipts = {0};
    *answer = (struct trust_answer){0};
    look_at_chain(trust, caller);
    answer->err = check(trust, caller, request, &plan, &answer->fault);
    if (!answer->err && plan)
        answer->err = take(trust, caller, plan, &receipts, &answer->fault);
    if (answer->err)
        return;
    struct txn *txn TXN_CLEANUP = txn_begin_read(trust->ours.world.hub);
    answer->err = hub_pull(txn, caller, trust->now, request, receipts, &trust->arena, NULL,
                           &response, &answer->fault);
    world_must(answer->err || !response.more, "not all fits one answer");
    encode(answer, &sync_response_message, &response);
    if (receipts.n)
        answer->receipt = *LIST_AT(struct receipt, receipts, 0);
}

void trust_sync(struct trust *trust, struct sync_request *request, struct trust_answer *answer)
{
    struct hub_caller caller;
    *answer = (struct trust_answer){0};
    answer->err = trust_caller(trust, CALL_SYNC, &caller, &answer->fault);
    if (!answer->err)
        trust_sync_as(trust, &caller, request, answer);
}

void trust_pull(struct trust *trust, const struct trust_side *side, struct trust_answer *answer)
{
    struct sync_request request = {.version = PROTOCOL_VERSION,
                                   .community = BYTES(side->world.id),
                                   .packings = 1u << PACKING_PLAIN,
                                   .own_too = true,
                                   .answer_max = ANSWER_MAX,
                                   .has_answer_max = true};
    trust_sync(trust, &request, answer);
}

// --- records and proofs ---

// An observer asks by the name that it has for the record, if it were given one.
void trust_get(struct trust *trust, const struct record_key *record, struct trust_answer *answer)
{
    struct hub_caller caller;
    struct get_response response;
    uint8_t id[ID_SIZE];
    struct txn *txn TXN_CLEANUP = begin(trust, CALL_GET, &caller, answer);
    if (!txn)
        return;
    memcpy(id, record->id, ID_SIZE);
    struct mask mask = {trust->policy.observer_secret, caller.device.handle};
    if (trust->role == ROLE_OBSERVER)
        world_must(!mask_ids(&mask, record->kind, id, 1), "no name");
    struct get_request request = {record->kind, BYTES(id)};
    answer->err = hub_get(txn, &caller, &request, &trust->arena, &response, &answer->fault);
    encode(answer, &get_response_message, &response);
}

void trust_list(struct trust *trust, uint32_t kind, struct trust_answer *answer)
{
    struct hub_caller caller;
    struct list_response response;
    struct list_request request = {.kind = kind, .page_size = PAGE_MAX};
    struct txn *txn TXN_CLEANUP = begin(trust, CALL_LIST, &caller, answer);
    if (!txn)
        return;
    answer->err = hub_list(txn, &caller, &request, &trust->arena, &response, &answer->fault);
    world_must(answer->err || response.next_page.n == 0, "not all fits one page");
    encode(answer, &list_response_message, &response);
}

// The index of our community as it is now.
static struct search *index_now(const struct trust *trust)
{
    bool is_behind = true;
    struct search *search = search_new(trust->ours.world.community, 1);
    world_must(search != NULL, "no memory for an index");
    while (is_behind) {
        struct txn *txn TXN_CLEANUP = txn_begin_read(trust->ours.world.hub);
        world_must(!search_follow(search, txn, &is_behind), "the log could not be followed");
    }
    return search;
}

void trust_search(struct trust *trust, const struct trust_row *row, struct trust_answer *answer)
{
    struct hub_caller caller;
    struct search_response response;
    struct search_request request = {
        .text = bytes_of_text(row->name), .kind = row->kind, .page_size = PAGE_MAX};
    struct txn *txn TXN_CLEANUP = begin(trust, CALL_SEARCH, &caller, answer);
    if (!txn)
        return;
    struct search *search = index_now(trust);
    answer->err =
        hub_search(txn, &caller, search, &request, &trust->arena, &response, &answer->fault);
    world_must(answer->err || (response.next_page.n == 0 && !response.incomplete),
               "not all fits one page");
    encode(answer, &search_response_message, &response);
    search_free(&search);
}

// Whose chain holds the change.
static void author_of(const struct trust *trust, const struct trust_side *side, size_t row,
                      enum trust_place place, enum trust_author author, uint8_t handle[HANDLE_SIZE])
{
    struct community community;
    const struct world *world = &side->world;
    bool is_hubs =
        trust->rows[row].kind == KIND_DECISION && place == PLACE_OTHER && author == BY_OTHER;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    world_must(!community_get_number(txn, world->community, &community), "no community");
    memcpy(handle, is_hubs ? community.log : world->devices[author].handle, HANDLE_SIZE);
}

void trust_prove(struct trust *trust, const struct trust_side *side, size_t row,
                 enum trust_place place, enum trust_author author, struct trust_answer *answer)
{
    struct hub_caller caller;
    struct prove_response response;
    uint8_t handle[HANDLE_SIZE];
    author_of(trust, side, row, place, author, handle);
    struct txn *txn TXN_CLEANUP = begin(trust, CALL_PROVE, &caller, answer);
    if (!txn)
        return;
    struct prove_request request = {.device = BYTES(handle),
                                    .seq = side->records[row][place].seq[author]};
    answer->err = hub_prove(txn, &caller, &request, &trust->arena, &response, &answer->fault);
    encode(answer, &prove_response_message, &response);
}

// --- the others ---

void trust_me(struct trust *trust, struct trust_answer *answer)
{
    struct hub_caller caller;
    struct me_response response;
    struct txn *txn TXN_CLEANUP = begin(trust, CALL_ME, &caller, answer);
    if (!txn)
        return;
    answer->err = hub_me(txn, &caller, &trust->arena, &response, &answer->fault);
    encode(answer, &me_response_message, &response);
}

void trust_invite(struct trust *trust, enum role role, struct trust_answer *answer)
{
    struct hub_caller caller;
    uint8_t code[CODE_SIZE];
    *answer = (struct trust_answer){0};
    answer->err = trust_caller(trust, CALL_INVITE, &caller, &answer->fault);
    if (answer->err)
        return;
    struct hub_invitation invitation = {role, bytes_of_text("phone"), trust->now + 1000, 1};
    dice_bytes(&trust->ours.world.dice, code, sizeof code);
    struct txn *txn TXN_CLEANUP = txn_begin_write(trust->ours.world.hub);
    answer->err = hub_invite_as(txn, &caller, &invitation, code, &answer->fault);
    if (!answer->err)
        answer->err = txn_commit(&txn);
    answer->code = arena_copy(&trust->arena, BYTES(code));
}

enum err trust_try_code(struct trust *trust, const struct trust_side *side, struct bytes code,
                        enum role *role)
{
    const struct world *world = &side->world;
    uint8_t seed[SIGN_SEED_SIZE] = {7};
    uint8_t key[KEY_SIZE];
    uint8_t hash[HASH_SIZE];
    uint8_t challenge[16];
    uint8_t signature[SIGN_SIZE];
    uint8_t token[TOKEN_SIZE] = {0};
    uint8_t random[32] = {0};
    int64_t expires = trust->now + 1000;
    struct buf message BUF_CLEANUP = {0};
    struct admission admission;
    struct fault fault;
    digest_invitation(code.p, hash);
    hub_challenge(world->challenge_secret, expires, challenge);
    world_must(!sign_public_key(seed, key), "no key");
    struct enrol_transcript transcript = {PURPOSE_ENROL, world->identity_key, world->id, key,
                                          hash,          BYTES(challenge),    expires};
    digest_enrol_transcript(&transcript, &message);
    world_must(!sign_make(seed, buf_bytes(&message), signature), "unsigned");
    struct enrol_request request = {.community = BYTES(world->id),
                                    .device_key = BYTES(key),
                                    .invitation = code,
                                    .challenge = BYTES(challenge),
                                    .expires = expires,
                                    .signature = BYTES(signature)};
    struct hub_admitting admitting = {world->identity_key, world->challenge_secret, trust->now,
                                      token, random};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world->hub);
    enum err err = hub_enrol(txn, &admitting, &request, &trust->arena, &admission, &fault);
    *role = err ? ROLE_NONE : (enum role)admission.role;
    return err;
}
