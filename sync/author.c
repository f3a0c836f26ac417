#include "sync/author.h"

#include "base/sign.h"
#include "proto/schema.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/role.h"

static enum err check_size(size_t n, struct fault *fault)
{
    if (n > CHANGE_MAX)
        return fault_set(fault, ERR_LIMIT, "the change is over %d bytes: say it in several",
                         CHANGE_MAX);
    return OK;
}

// ROLE_NONE: the role was not told yet, or the device is revoked, which the hub will say.
static enum err check_permission(const struct author *author, const struct envelope *envelope,
                                 struct fault *fault)
{
    enum role role = author->device->role;
    if (role == ROLE_NONE ||
        role_judge(role, author->community->id, author->device, envelope) == REASON_NONE)
        return OK;
    return fault_set(fault, ERR_FORBIDDEN,
                     "a %s may not write this: a coordinator can give this device another role",
                     role_name(role));
}

static enum err check_meaning(const struct author *author, const struct envelope *envelope,
                              struct bytes fields, struct fault *fault)
{
    if (schema_check(envelope, fields) != REASON_NONE)
        return fault_set(fault, ERR_MALFORMED,
                         "a field or id is not of the form that its kind asks for");
    return check_permission(author, envelope, fault);
}

static enum err sign_chain(struct txn *txn, const struct author *author)
{
    const struct device *device = author->device;
    struct buf transcript BUF_CLEANUP = {0};
    struct log_run run = {.first = device->seq, .last = device->seq};
    memcpy(run.head, device->head, HASH_SIZE);
    digest_run_transcript(author->community->id, device->key, device->seq, device->head, NULL,
                          &transcript);
    enum err err = transcript.err;
    if (!err)
        err = sign_make(author->seed, buf_bytes(&transcript), run.signature);
    if (!err)
        log_put_run(txn, author->community->number, device->handle, &run);
    return err ? txn_fail(txn, err) : OK;
}

static enum err append(struct txn *txn, const struct author *author, struct bytes envelope,
                       struct bytes fields, const uint8_t salt[SALT_SIZE], struct log_entry *entry)
{
    struct log_body body = {.fields = fields};
    *entry =
        (struct log_entry){.form = LOG_WHOLE, .seq = author->device->seq + 1, .envelope = envelope};
    uint8_t body_hash[HASH_SIZE];
    memcpy(entry->device, author->device->handle, HANDLE_SIZE);
    memcpy(body.salt, salt, SALT_SIZE);
    digest_body(salt, fields, body_hash);
    digest_leaf(envelope, body_hash, entry->leaf);
    chain_append(txn, author->community, author->device, entry, &body);
    enum err err = author->seed ? sign_chain(txn, author) : OK;
    chain_store(txn, author->community, author->device);
    return err ? err : txn_error(txn);
}

// Form and size: what no push may break.
static enum err encode(const struct author *author, const struct envelope *envelope,
                       struct bytes fields, struct arena *arena, struct buf *encoded,
                       struct envelope *decoded, struct fault *fault)
{
    uint32_t edits;
    if (author->device->seq == UINT32_MAX)
        return fault_set(fault, ERR_LIMIT, "this device's chain is full: join anew");
    message_encode(&envelope_message, envelope, encoded);
    enum err err = encoded->err;
    if (!err)
        err = envelope_decode(buf_bytes(encoded), arena, decoded, fault);
    if (!err)
        err = check_size(encoded->n + fields.n, fault);
    return err ? err : fields_check(fields, &edits, fault);
}

static enum err write(struct txn *txn, const struct author *author, bool judged,
                      const struct envelope *envelope, struct bytes fields,
                      const uint8_t salt[SALT_SIZE], struct record_key *record, struct fault *fault)
{
    struct buf encoded BUF_CLEANUP = {.max = CHANGE_MAX};
    struct log_entry entry;
    struct envelope decoded;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = encode(author, envelope, fields, &arena, &encoded, &decoded, fault);
    if (!err && judged)
        err = check_meaning(author, envelope, fields, fault);
    if (!err)
        err = append(txn, author, buf_bytes(&encoded), fields, salt, &entry);
    if (!err && record)
        merge_record(&decoded, author->device->handle, entry.seq, log_tag(&entry), record);
    return err;
}

enum err author_write(struct txn *txn, const struct author *author, const struct envelope *envelope,
                      struct bytes fields, const uint8_t salt[SALT_SIZE], struct record_key *record,
                      struct fault *fault)
{
    return write(txn, author, true, envelope, fields, salt, record, fault);
}

enum err author_carry(struct txn *txn, const struct author *author, const struct envelope *envelope,
                      struct bytes fields, const uint8_t salt[SALT_SIZE], struct record_key *record,
                      struct fault *fault)
{
    return write(txn, author, false, envelope, fields, salt, record, fault);
}
