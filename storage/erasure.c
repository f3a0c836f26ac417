#include "storage/erasure.h"

#include "storage/community.h"
#include "storage/log.h"
#include "storage/orders.h"
#include "storage/stored.h"
#include "storage/txn_private.h"

enum { RUN_BYTES_MAX = 1 << 20 };

static bool has(struct txn *txn, enum table table, const struct key *key)
{
    struct bytes value;
    enum err err = table_get(txn, table, key_of(key), &value);
    if (err && err != ERR_NOT_FOUND)
        txn_fail(txn, err);
    return err != ERR_NOT_FOUND;
}

static struct key handle_key(uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    struct key key = {0};
    key_u32(&key, community);
    key_bytes(&key, bytes_of(handle, HANDLE_SIZE));
    return key;
}

// --- Changes ---

static struct key erased_key(uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
                             uint32_t tag)
{
    struct key key = handle_key(community, handle);
    key_u32(&key, seq);
    key_u32(&key, tag);
    return key;
}

bool erased_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, uint8_t *body_hash)
{
    struct key key = erased_key(community, handle, seq, tag);
    struct bytes value;
    enum err err = table_get(txn, TABLE_ERASED, key_of(&key), &value);
    if (err && err != ERR_NOT_FOUND)
        txn_fail(txn, err);
    if (body_hash)
        memset(body_hash, 0, HASH_SIZE);
    if (body_hash && !err && value.n == HASH_SIZE)
        memcpy(body_hash, value.p, HASH_SIZE);
    return err != ERR_NOT_FOUND;
}

void order_note(struct txn *txn, uint32_t number, struct store_order *order)
{
    struct community community;
    if (!txn->store->keeps_orders || txn->err)
        return;
    enum err err = community_get_number(txn, number, &community);
    if (err) {
        txn_fail(txn, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
        return;
    }
    memcpy(order->community, community.id, COMMUNITY_SIZE);
    orders_put(&txn->orders, order);
}

void erased_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, const uint8_t *body_hash)
{
    struct key key = erased_key(community, handle, seq, tag);
    struct store_order order = {.seq = seq, .tag = tag};
    if (erased_get(txn, community, handle, seq, tag, NULL))
        return;
    table_put(txn, TABLE_ERASED, key_of(&key), bytes_of(body_hash, body_hash ? HASH_SIZE : 0));
    memcpy(order.handle, handle, HANDLE_SIZE);
    if (body_hash)
        memcpy(order.body_hash, body_hash, HASH_SIZE);
    order_note(txn, community, &order);
}

static enum err settle_one(struct txn *txn, struct bytes row)
{
    struct stored key = stored_of(row);
    uint8_t handle[HANDLE_SIZE];
    uint64_t position;
    struct log_entry entry;
    uint32_t community = stored_u32(&key);
    stored_copy(&key, handle, HANDLE_SIZE);
    uint32_t seq = stored_u32(&key);
    uint32_t tag = stored_u32(&key);
    if (stored_end(&key))
        return ERR_DAMAGED;
    enum err err = log_find(txn, community, handle, seq, &position);
    if (!err)
        err = log_get(txn, community, position, &entry);
    if (!err && entry.form == LOG_HUSK && log_tag(&entry) == tag)
        err = seal_destroy(txn->store->seal, community, position);
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err erased_settle(struct txn *txn)
{
    enum err err = OK;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_ERASED, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (!err && walk_next(&walk)) {
        err = settle_one(txn, walk.key);
        // A row that is damaged says nothing of a key, nor of the others; opening goes on.
        if (err == ERR_DAMAGED)
            err = OK;
    }
    return err;
}

// --- Records ---

static struct key record_key(uint32_t community, const struct record_key *record)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u16(&key, (uint16_t)record->kind);
    key_bytes(&key, BYTES(record->id));
    return key;
}

enum closed closed_get(struct txn *txn, uint32_t community, const struct record_key *record)
{
    struct key key = record_key(community, record);
    struct bytes value;
    enum err err = table_get(txn, TABLE_CLOSED, key_of(&key), &value);
    if (err == ERR_NOT_FOUND)
        return CLOSED_NOT;
    if (err)
        txn_fail(txn, err);
    return !err && value.n == 1 && value.p[0] == CLOSED_ALONE ? CLOSED_ALONE : CLOSED_WITH_ALL;
}

bool closed_any(struct txn *txn, uint32_t community)
{
    struct key prefix = {0};
    key_u32(&prefix, community);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_CLOSED, key_of(&prefix), bytes_of(NULL, 0));
    return walk_next(&walk);
}

void closed_put(struct txn *txn, uint32_t community, const struct record_key *record,
                enum closed how)
{
    struct key key = record_key(community, record);
    uint8_t value = (uint8_t)how;
    struct store_order order = {
        .what = how == CLOSED_WITH_ALL ? ORDER_CLOSING : ORDER_CLOSING_ALONE, .kind = record->kind};
    if (closed_get(txn, community, record) >= how)
        return;
    table_put(txn, TABLE_CLOSED, key_of(&key), bytes_of(&value, 1));
    memcpy(order.id, record->id, ID_SIZE);
    order_note(txn, community, &order);
}

// --- Until when ---

// Signed times in an unsigned order.
static uint64_t time_in_key(int64_t time)
{
    return (uint64_t)time ^ (uint64_t)1 << 63;
}

static struct key keep_key(uint32_t community, const struct keep *keep)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u64(&key, time_in_key(keep->until));
    key_u16(&key, (uint16_t)keep->record.kind);
    key_bytes(&key, BYTES(keep->record.id));
    key_bytes(&key, BYTES(keep->device));
    key_u32(&key, keep->seq);
    key_u8(&key, keep->index);
    return key;
}

void keep_put(struct txn *txn, uint32_t community, const struct keep *keep)
{
    struct key key = keep_key(community, keep);
    table_put(txn, TABLE_KEEP, key_of(&key), bytes_of(NULL, 0));
}

void keep_delete(struct txn *txn, uint32_t community, const struct keep *keep)
{
    struct key key = keep_key(community, keep);
    table_delete(txn, TABLE_KEEP, key_of(&key));
}

static enum err decode_keep(struct bytes key_bytes, struct keep *keep)
{
    struct stored key = stored_of(key_bytes);
    stored_u32(&key);
    keep->until = (int64_t)(stored_u64(&key) ^ (uint64_t)1 << 63);
    keep->record.kind = stored_u16(&key);
    stored_copy(&key, keep->record.id, ID_SIZE);
    stored_copy(&key, keep->device, HANDLE_SIZE);
    keep->seq = stored_u32(&key);
    keep->index = stored_u8(&key);
    return stored_end(&key);
}

void keep_each_due(struct txn *txn, uint32_t community, int64_t now,
                   bool (*each)(const struct keep *, void *), void *arg)
{
    struct key prefix = {0};
    key_u32(&prefix, community);
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_KEEP, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct keep keep;
        // One that is damaged may name another time, or a record that is wanted.
        if (walk.err || decode_keep(walk.key, &keep))
            continue;
        on = keep.until <= now && each(&keep, arg);
    }
}

// --- Evidence ---

static size_t evidence_count(struct txn *txn, const struct key *prefix)
{
    size_t n = 0;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_EVIDENCE, key_of(prefix), bytes_of(NULL, 0));
    while (walk_next(&walk))
        n++;
    return n;
}

bool evidence_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  const uint8_t head[HASH_SIZE], struct bytes run)
{
    struct key key = handle_key(community, handle);
    if (run.n > RUN_BYTES_MAX || evidence_count(txn, &key) >= EVIDENCE_MAX)
        return false;
    key_bytes(&key, bytes_of(head, HASH_SIZE));
    if (has(txn, TABLE_EVIDENCE, &key))
        return false;
    table_put(txn, TABLE_EVIDENCE, key_of(&key), run);
    return true;
}

void evidence_each(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                   bool (*each)(const uint8_t head[HASH_SIZE], struct bytes run, void *), void *arg)
{
    struct key prefix = handle_key(community, handle);
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_EVIDENCE, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        if (walk.err || walk.key.n != prefix.n + HASH_SIZE) {
            txn_fail(txn, ERR_DAMAGED);
            return;
        }
        on = each(walk.key.p + prefix.n, walk.value, arg);
    }
}
