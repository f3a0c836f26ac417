#include "storage/carry.h"

#include "storage/stored.h"
#include "storage/table.h"

static struct key carry_key(uint32_t community, uint64_t position)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u64(&key, position);
    return key;
}

void carry_put(struct txn *txn, uint32_t community, const struct carry *carry)
{
    struct key key = carry_key(community, carry->position);
    uint8_t value[HANDLE_SIZE + 8];
    memcpy(value, carry->device, HANDLE_SIZE);
    be32_put(value + HANDLE_SIZE, carry->seq);
    be32_put(value + HANDLE_SIZE + 4, carry->tag);
    table_put(txn, TABLE_CARRY, key_of(&key), BYTES(value));
}

void carry_delete(struct txn *txn, uint32_t community, uint64_t position)
{
    struct key key = carry_key(community, position);
    table_delete(txn, TABLE_CARRY, key_of(&key));
}

static enum err decode(struct bytes bytes, uint64_t position, struct carry *carry)
{
    struct stored value = stored_of(bytes);
    struct carry c = {.position = position};
    stored_copy(&value, c.device, HANDLE_SIZE);
    c.seq = stored_u32(&value);
    c.tag = stored_u32(&value);
    enum err err = stored_end(&value);
    if (!err)
        *carry = c;
    return err;
}

bool carry_get(struct txn *txn, uint32_t community, uint64_t position, struct carry *carry)
{
    struct key key = carry_key(community, position);
    struct bytes value;
    enum err err = table_get(txn, TABLE_CARRY, key_of(&key), &value);
    if (!err)
        err = decode(value, position, carry);
    // Words that wait to be written anew are lost by whoever takes them for others'.
    if (err != ERR_NOT_FOUND)
        txn_fail(txn, err);
    return !err;
}

void carry_each(struct txn *txn, uint32_t community, bool (*each)(const struct carry *, void *),
                void *arg)
{
    struct key prefix = {0};
    key_u32(&prefix, community);
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_CARRY, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct carry carry;
        bool whole_key = walk.key.n == prefix.n + 8;
        if (walk.err || !whole_key || decode(walk.value, be64_get(walk.key.p + prefix.n), &carry)) {
            txn_fail(txn, ERR_DAMAGED);
            return;
        }
        on = each(&carry, arg);
    }
}

static bool count_one(const struct carry *carry, void *arg)
{
    (void)carry;
    ++*(uint32_t *)arg;
    return true;
}

uint32_t carry_count(struct txn *txn, uint32_t community)
{
    uint32_t n = 0;
    carry_each(txn, community, count_one, &n);
    return n;
}

static bool note_one(const struct carry *carry, void *arg)
{
    (void)carry;
    *(bool *)arg = true;
    return false;
}

bool carry_any(struct txn *txn, uint32_t community)
{
    bool any = false;
    carry_each(txn, community, note_one, &any);
    return any;
}
