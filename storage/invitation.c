#include "storage/invitation.h"

#include <assert.h>

#include "storage/stored.h"
#include "storage/table.h"

// Beside the role.
enum { INVITATION_IS_DEVICES = 0x80 };

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
    uint8_t role = stored_u8(&value);
    i.is_devices = role & INVITATION_IS_DEVICES;
    i.role = (enum role)(role & ~INVITATION_IS_DEVICES);
    i.expires = (int64_t)stored_u64(&value);
    i.uses = stored_u16(&value);
    i.used = stored_u16(&value);
    if (i.is_devices)
        stored_copy(&value, i.maker, HANDLE_SIZE);
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
    buf_put_u8(&buf, (uint8_t)((int)invitation->role |
                               (invitation->is_devices ? INVITATION_IS_DEVICES : 0)));
    buf_put_be64(&buf, (uint64_t)invitation->expires);
    buf_put_be32(&buf, (uint32_t)invitation->uses << 16 | invitation->used);
    if (invitation->is_devices)
        buf_put(&buf, BYTES(invitation->maker));
    buf_put(&buf, bytes_of(invitation->label, invitation->label_n));
    txn_fail(txn, buf.err);
    table_put(txn, TABLE_INVITATION, bytes_of(hash, HASH_SIZE), buf_bytes(&buf));
}

static struct key use_key(const uint8_t hash[HASH_SIZE], const uint8_t handle[HANDLE_SIZE])
{
    struct key key = {0};
    key_bytes(&key, bytes_of(hash, HASH_SIZE));
    key_bytes(&key, bytes_of(handle, HANDLE_SIZE));
    return key;
}

bool invitation_used_by(struct txn *txn, const uint8_t hash[HASH_SIZE],
                        const uint8_t handle[HANDLE_SIZE])
{
    struct key key = use_key(hash, handle);
    struct bytes value;
    return table_get(txn, TABLE_INVITATION, key_of(&key), &value) == OK;
}

void invitation_note_use(struct txn *txn, const uint8_t hash[HASH_SIZE],
                         const uint8_t handle[HANDLE_SIZE])
{
    struct key key = use_key(hash, handle);
    table_put(txn, TABLE_INVITATION, key_of(&key), bytes_of(NULL, 0));
}
