// A hub's chain begins: when the community is founded, and anew when the hub was restored.

#include "base/sign.h"
#include "base/text.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/author.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/tree.h"

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
    struct device hub = {.role = ROLE_HUB, .upto = UINT32_MAX};
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

// --- anew ---

// What the chain that was here began with; the bytes are the arena's.
static enum err read_first(struct txn *txn, const struct community *community, struct arena *arena,
                           struct incarnation *first, int64_t *time)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct wire_field field;
    enum err err = log_find(txn, community->number, community->log, 1, &position);
    if (!err)
        err = log_get(txn, community->number, position, &entry);
    if (!err)
        err = merge_envelope(txn, entry.envelope, arena, &envelope);
    if (!err)
        err = log_get_body(txn, community->number, position, &body);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    *time = envelope.time;
    struct bytes fields = arena_copy(arena, body.fields);
    if (!fields.p)
        return ERR_NOMEM;
    bool is_one = fields_edit(fields, 0, &field) && field.number == FIELD_INCARNATION &&
                  field.type == WIRE_SIZED &&
                  message_decode(&incarnation_message, field.bytes, arena, first, NULL) == OK;
    return is_one ? OK : ERR_DAMAGED;
}

enum err hub_begin_anew(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE], int64_t now,
                        const struct hub_found_random *random, struct community *community,
                        struct fault *fault)
{
    struct device before;
    struct secret secret;
    struct incarnation incarnation = {.previous_size = community->size};
    uint8_t root[HASH_SIZE];
    uint8_t signature[SIGN_SIZE];
    struct device hub = {.role = ROLE_HUB, .upto = UINT32_MAX};
    int64_t begun = 0;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, (size_t)2 * CHANGE_MAX);
    enum err err = hub_own_device(txn, community, &before, &secret);
    if (!err)
        err = read_first(txn, community, &arena, &incarnation, &begun);
    if (!err)
        err = tree_root(txn, community->number, community->size, root);
    if (!err)
        err = sign_public_key(random->chain_seed, hub.key);
    if (err)
        return fault_set(fault, err, "what the hub's chain began with cannot be read: %s",
                         err_text(err));
    incarnation.previous_log = BYTES(before.handle);
    incarnation.previous_size = community->size;
    incarnation.previous_root = BYTES(root);
    incarnation.previous_seq = before.seq;
    incarnation.chain_key = BYTES(hub.key);
    digest_handle(community->id, hub.key, hub.handle);
    memcpy(hub.identity, before.identity, KEY_SIZE);
    memcpy(community->log, hub.handle, HANDLE_SIZE);
    memcpy(secret.seed, random->chain_seed, SIGN_SEED_SIZE);
    community_put(txn, community);
    secret_put(txn, community->number, &secret);
    bytes_wipe(&secret, sizeof secret);
    err = endorse(identity_seed, community, hub.key, &incarnation, signature);
    // It begins after the one before, whatever the clock of a machine says that was just put up.
    int64_t time = now > begun ? now : begun + 1;
    return err ? err : write_incarnation(txn, community, &hub, &incarnation, time, random, fault);
}
