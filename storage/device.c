#include "storage/device.h"

#include <assert.h>

#include "storage/stored.h"
#include "storage/table.h"

static struct key device_key(uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    struct key key = {0};
    key_u32(&key, community);
    key_bytes(&key, bytes_of(handle, HANDLE_SIZE));
    return key;
}

// --- Devices ---

static enum err decode_device(const uint8_t handle[HANDLE_SIZE], struct bytes bytes,
                              struct device *device)
{
    struct stored value = stored_of(bytes);
    struct device d = {0};
    memcpy(d.handle, handle, HANDLE_SIZE);
    stored_copy(&value, d.key, KEY_SIZE);
    d.role = (enum role)stored_u8(&value);
    d.seq = stored_u32(&value);
    stored_copy(&value, d.head, HASH_SIZE);
    stored_copy(&value, d.identity, KEY_SIZE);
    stored_text(&value, d.label, &d.label_n, LABEL_MAX);
    enum err err = stored_end(&value);
    if (!err)
        *device = d;
    return err;
}

enum err device_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                    struct device *device)
{
    struct key key = device_key(community, handle);
    struct bytes value;
    enum err err = table_get(txn, TABLE_DEVICE, key_of(&key), &value);
    return err ? err : decode_device(handle, value, device);
}

void device_put(struct txn *txn, uint32_t community, const struct device *device)
{
    assert(device->label_n <= LABEL_MAX);
    BUF_CLEANUP struct buf buf = {0};
    buf_put(&buf, BYTES(device->key));
    buf_put_u8(&buf, (uint8_t)device->role);
    buf_put_be32(&buf, device->seq);
    buf_put(&buf, BYTES(device->head));
    buf_put(&buf, BYTES(device->identity));
    buf_put(&buf, bytes_of(device->label, device->label_n));
    txn_fail(txn, buf.err);
    struct key key = device_key(community, device->handle);
    table_put(txn, TABLE_DEVICE, key_of(&key), buf_bytes(&buf));
}

void device_each(struct txn *txn, uint32_t community, bool (*each)(const struct device *, void *),
                 void *arg)
{
    struct key prefix = {0};
    key_u32(&prefix, community);
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_DEVICE, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct device device;
        enum err err = walk.err;
        if (!err)
            err = walk.key.n == prefix.n + HANDLE_SIZE
                      ? decode_device(walk.key.p + prefix.n, walk.value, &device)
                      : ERR_DAMAGED;
        if (err)
            damage = err;
        else
            on = each(&device, arg);
    }
    txn_fail(txn, damage);
}

// --- Contacts ---

void contact_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 struct contact *contact)
{
    *contact = (struct contact){0};
    struct key key = device_key(community, handle);
    struct bytes bytes;
    if (table_get(txn, TABLE_CONTACT, key_of(&key), &bytes))
        return;
    struct stored value = stored_of(bytes);
    contact->last_sync = (int64_t)stored_u64(&value);
    contact->bytes_in = stored_u64(&value);
    contact->bytes_out = stored_u64(&value);
    if (stored_end(&value))
        *contact = (struct contact){0};
}

void contact_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct contact *contact)
{
    uint8_t value[24];
    be64_put(value, (uint64_t)contact->last_sync);
    be64_put(value + 8, contact->bytes_in);
    be64_put(value + 16, contact->bytes_out);
    struct key key = device_key(community, handle);
    table_put(txn, TABLE_CONTACT, key_of(&key), BYTES(value));
}

// --- Invitations ---

enum err invitation_get(struct txn *txn, const uint8_t hash[HASH_SIZE],
                        struct invitation *invitation)
{
    struct bytes bytes;
    enum err err = table_get(txn, TABLE_INVITATION, bytes_of(hash, HASH_SIZE), &bytes);
    if (err)
        return err;
    struct stored value = stored_of(bytes);
    struct invitation i = {0};
    i.community = stored_u32(&value);
    i.role = (enum role)stored_u8(&value);
    i.expires = (int64_t)stored_u64(&value);
    stored_copy(&value, i.device, HANDLE_SIZE);
    stored_text(&value, i.label, &i.label_n, LABEL_MAX);
    err = stored_end(&value);
    if (!err)
        *invitation = i;
    return err;
}

void invitation_put(struct txn *txn, const uint8_t hash[HASH_SIZE],
                    const struct invitation *invitation)
{
    assert(invitation->label_n <= LABEL_MAX);
    BUF_CLEANUP struct buf buf = {0};
    buf_put_be32(&buf, invitation->community);
    buf_put_u8(&buf, (uint8_t)invitation->role);
    buf_put_be64(&buf, (uint64_t)invitation->expires);
    buf_put(&buf, BYTES(invitation->device));
    buf_put(&buf, bytes_of(invitation->label, invitation->label_n));
    txn_fail(txn, buf.err);
    table_put(txn, TABLE_INVITATION, bytes_of(hash, HASH_SIZE), buf_bytes(&buf));
}

// --- Tokens ---

// A token holds only while its device's own row, which has one place for a hash, names it.
enum err token_get(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t *community,
                   uint8_t handle[HANDLE_SIZE])
{
    struct bytes owner;
    enum err err = table_get(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE), &owner);
    if (err)
        return err;
    if (owner.n != 4 + HANDLE_SIZE)
        return ERR_DAMAGED;
    struct bytes valid;
    err = table_get(txn, TABLE_TOKEN, owner, &valid);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    if (!bytes_equal_secret(valid, bytes_of(hash, HASH_SIZE)))
        return ERR_NOT_FOUND;
    *community = be32_get(owner.p);
    memcpy(handle, owner.p + 4, HANDLE_SIZE);
    return OK;
}

void token_put(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
               const uint8_t handle[HANDLE_SIZE])
{
    struct key owner = device_key(community, handle);
    struct bytes former;
    if (table_get(txn, TABLE_TOKEN, key_of(&owner), &former) == OK && former.n == HASH_SIZE)
        table_delete(txn, TABLE_TOKEN, former);
    table_put(txn, TABLE_TOKEN, key_of(&owner), bytes_of(hash, HASH_SIZE));
    table_put(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE), key_of(&owner));
}

// --- Changes set apart ---

static struct key apart_key(uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
                            uint32_t tag)
{
    struct key key = device_key(community, handle);
    key_u32(&key, seq);
    key_u32(&key, tag);
    return key;
}

enum reason apart_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                      uint32_t seq, uint32_t tag)
{
    struct key key = apart_key(community, handle, seq, tag);
    struct bytes value;
    enum err err = table_get(txn, TABLE_APART, key_of(&key), &value);
    if (err == ERR_NOT_FOUND)
        return REASON_NONE;
    if (!err && value.n == 1)
        return (enum reason)value.p[0];
    // That it is set apart is known, why is not; nothing may be built on it.
    txn_fail(txn, ERR_DAMAGED);
    return REASON_NOT_PERMITTED;
}

void apart_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
               uint32_t tag, enum reason reason)
{
    struct key key = apart_key(community, handle, seq, tag);
    uint8_t value = (uint8_t)reason;
    if (reason == REASON_NONE)
        table_delete(txn, TABLE_APART, key_of(&key));
    else
        table_put(txn, TABLE_APART, key_of(&key), bytes_of(&value, 1));
}
