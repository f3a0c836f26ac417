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

const uint8_t *device_first(const struct device *device)
{
    static const uint8_t none[HANDLE_SIZE];
    return memcmp(device->first, none, HANDLE_SIZE) == 0 ? device->handle : device->first;
}

static enum err decode_device(const uint8_t handle[HANDLE_SIZE], struct bytes bytes,
                              struct device *device)
{
    struct stored value = stored_of(bytes);
    struct device d = {0};
    memcpy(d.handle, handle, HANDLE_SIZE);
    stored_copy(&value, d.key, KEY_SIZE);
    stored_copy(&value, d.first, HANDLE_SIZE);
    d.role = (enum role)stored_u8(&value);
    d.seq = stored_u32(&value);
    stored_copy(&value, d.head, HASH_SIZE);
    stored_copy(&value, d.identity, KEY_SIZE);
    d.upto = stored_u32(&value);
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
    buf_put(&buf, BYTES(device->first));
    buf_put_u8(&buf, (uint8_t)device->role);
    buf_put_be32(&buf, device->seq);
    buf_put(&buf, BYTES(device->head));
    buf_put(&buf, BYTES(device->identity));
    buf_put_be32(&buf, device->upto);
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
    contact->written = stored_u32(&value);
    contact->error = stored_u8(&value);
    contact->error_time = (int64_t)stored_u64(&value);
    uint32_t app_n;
    stored_text(&value, contact->app, &app_n, CONTACT_APP_MAX);
    if (stored_end(&value))
        *contact = (struct contact){0};
}

void contact_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct contact *contact)
{
    enum { FIXED = 24 + 4 + 1 + 8 };
    uint8_t value[FIXED + CONTACT_APP_MAX];
    size_t app_n = strnlen(contact->app, CONTACT_APP_MAX);
    be64_put(value, (uint64_t)contact->last_sync);
    be64_put(value + 8, contact->bytes_in);
    be64_put(value + 16, contact->bytes_out);
    be32_put(value + 24, contact->written);
    value[28] = contact->error;
    be64_put(value + 29, (uint64_t)contact->error_time);
    memcpy(value + FIXED, contact->app, app_n);
    struct key key = device_key(community, handle);
    table_put(txn, TABLE_CONTACT, key_of(&key), bytes_of(value, FIXED + app_n));
}

// --- What was decided ---

static void put_decided(struct key *key, const struct decided *decided)
{
    key_bytes(key, BYTES(decided->by));
    key_u32(key, decided->seq);
    key_u8(key, decided->index);
}

static void take_decided(struct stored *key, struct decided *decided)
{
    stored_copy(key, decided->by, HANDLE_SIZE);
    decided->seq = stored_u32(key);
    decided->index = stored_u8(key);
}

// --- Roles ---

static struct key role_key(uint32_t community, const uint8_t handle[HANDLE_SIZE],
                           const struct role_row *row)
{
    struct key key = device_key(community, handle);
    key_u32(&key, row->from);
    put_decided(&key, &row->decided);
    return key;
}

void role_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
              const struct role_row *row)
{
    struct key key = role_key(community, handle, row);
    uint8_t role = (uint8_t)row->role;
    table_put(txn, TABLE_ROLE, key_of(&key), bytes_of(&role, 1));
}

void role_delete(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct role_row *row)
{
    struct key key = role_key(community, handle, row);
    table_delete(txn, TABLE_ROLE, key_of(&key));
}

static enum err decode_role(struct bytes key_bytes, struct bytes bytes, struct role_row *row)
{
    struct stored key = stored_of(key_bytes);
    struct stored value = stored_of(bytes);
    uint8_t handle[HANDLE_SIZE];
    stored_u32(&key);
    stored_copy(&key, handle, HANDLE_SIZE);
    row->from = stored_u32(&key);
    take_decided(&key, &row->decided);
    row->role = (enum role)stored_u8(&value);
    return stored_end(&key) || stored_end(&value) || row->role > ROLE_OBSERVER ? ERR_DAMAGED : OK;
}

// A row that was overlooked would let in what is forbidden: its damage sticks.
void role_each(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               bool (*each)(const struct role_row *, void *), void *arg)
{
    struct key prefix = device_key(community, handle);
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_ROLE, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct role_row row;
        enum err err = walk.err ? walk.err : decode_role(walk.key, walk.value, &row);
        if (err) {
            txn_fail(txn, err);
            return;
        }
        on = each(&row, arg);
    }
}

struct role_question {
    uint32_t seq;
    enum role found;
    bool revoked;
};

static bool ask_role(const struct role_row *row, void *arg)
{
    struct role_question *question = arg;
    if (row->from > question->seq)
        return false;
    question->found = row->role;
    question->revoked |= row->role == ROLE_NONE;
    return true;
}

enum role role_at(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq)
{
    struct role_question question = {.seq = seq};
    role_each(txn, community, handle, ask_role, &question);
    return question.revoked || txn_error(txn) ? ROLE_NONE : question.found;
}

// --- Tokens ---

// A device's own row: the hash of the one that holds and when it was made, and the next one's
// (zeros: none).
struct token_row {
    uint8_t hash[HASH_SIZE];
    int64_t made;
    uint8_t next[HASH_SIZE];
    int64_t next_made;
};

static enum err get_token_row(struct txn *txn, struct bytes owner, struct token_row *row)
{
    struct bytes bytes;
    enum err err = table_get(txn, TABLE_TOKEN, owner, &bytes);
    if (err)
        return err;
    struct stored value = stored_of(bytes);
    stored_copy(&value, row->hash, HASH_SIZE);
    row->made = (int64_t)stored_u64(&value);
    stored_copy(&value, row->next, HASH_SIZE);
    row->next_made = (int64_t)stored_u64(&value);
    return stored_end(&value);
}

static void put_token_row(struct txn *txn, struct bytes owner, const struct token_row *row)
{
    uint8_t value[2 * (HASH_SIZE + 8)];
    memcpy(value, row->hash, HASH_SIZE);
    be64_put(value + HASH_SIZE, (uint64_t)row->made);
    memcpy(value + HASH_SIZE + 8, row->next, HASH_SIZE);
    be64_put(value + (size_t)2 * HASH_SIZE + 8, (uint64_t)row->next_made);
    table_put(txn, TABLE_TOKEN, owner, BYTES(value));
}

// A token holds only while its device's own row names it.
enum err token_get(struct txn *txn, const uint8_t hash[HASH_SIZE], struct token *token)
{
    struct bytes owner;
    struct token_row row;
    enum err err = table_get(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE), &owner);
    if (err)
        return err;
    if (owner.n != 4 + HANDLE_SIZE)
        return ERR_DAMAGED;
    err = get_token_row(txn, owner, &row);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    bool is_next = bytes_equal_secret(BYTES(row.next), bytes_of(hash, HASH_SIZE));
    if (!is_next && !bytes_equal_secret(BYTES(row.hash), bytes_of(hash, HASH_SIZE)))
        return ERR_NOT_FOUND;
    token->community = be32_get(owner.p);
    memcpy(token->handle, owner.p + 4, HANDLE_SIZE);
    token->is_next = is_next;
    token->made = is_next ? row.next_made : row.made;
    return OK;
}

static void delete_token(struct txn *txn, const uint8_t hash[HASH_SIZE])
{
    static const uint8_t none[HASH_SIZE];
    if (memcmp(hash, none, HASH_SIZE) != 0)
        table_delete(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE));
}

void token_put(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
               const uint8_t handle[HANDLE_SIZE], int64_t now)
{
    struct key owner = device_key(community, handle);
    struct token_row row = {.made = now};
    token_void(txn, community, handle);
    memcpy(row.hash, hash, HASH_SIZE);
    put_token_row(txn, key_of(&owner), &row);
    table_put(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE), key_of(&owner));
}

void token_put_next(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
                    const uint8_t handle[HANDLE_SIZE], int64_t now)
{
    struct key owner = device_key(community, handle);
    struct token_row row;
    enum err err = get_token_row(txn, key_of(&owner), &row);
    if (err) {
        txn_fail(txn, err == ERR_NOT_FOUND ? OK : err);
        return;
    }
    delete_token(txn, row.next);
    memcpy(row.next, hash, HASH_SIZE);
    row.next_made = now;
    put_token_row(txn, key_of(&owner), &row);
    table_put(txn, TABLE_TOKEN, bytes_of(hash, HASH_SIZE), key_of(&owner));
}

void token_turn(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    static const uint8_t none[HASH_SIZE];
    struct key owner = device_key(community, handle);
    struct token_row row;
    if (get_token_row(txn, key_of(&owner), &row) || memcmp(row.next, none, HASH_SIZE) == 0)
        return;
    delete_token(txn, row.hash);
    struct token_row turned = {.made = row.next_made};
    memcpy(turned.hash, row.next, HASH_SIZE);
    put_token_row(txn, key_of(&owner), &turned);
}

void token_void(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    struct key owner = device_key(community, handle);
    struct token_row row;
    if (get_token_row(txn, key_of(&owner), &row) == OK) {
        delete_token(txn, row.hash);
        delete_token(txn, row.next);
    }
    table_delete(txn, TABLE_TOKEN, key_of(&owner));
}

// --- Quotas ---

void quota_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               struct quota *quota)
{
    *quota = (struct quota){0};
    struct key key = device_key(community, handle);
    struct bytes bytes;
    if (table_get(txn, TABLE_QUOTA, key_of(&key), &bytes))
        return;
    struct stored value = stored_of(bytes);
    quota->day = stored_u32(&value);
    quota->changes = stored_u32(&value);
    quota->bytes = stored_u64(&value);
    if (stored_end(&value))
        *quota = (struct quota){0};
}

void quota_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               const struct quota *quota)
{
    uint8_t value[16];
    be32_put(value, quota->day);
    be32_put(value + 4, quota->changes);
    be64_put(value + 8, quota->bytes);
    struct key key = device_key(community, handle);
    table_put(txn, TABLE_QUOTA, key_of(&key), BYTES(value));
}

// --- Changes set apart ---

static struct key apart_prefix(uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
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
    struct key prefix = apart_prefix(community, handle, seq, tag);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_APART, key_of(&prefix), bytes_of(NULL, 0));
    if (!walk_next(&walk))
        return REASON_NONE;
    if (!walk.err && walk.value.n == 1 && walk.value.p[0])
        return (enum reason)walk.value.p[0];
    // That it is set apart is known, why is not; nothing may be built on it.
    txn_fail(txn, ERR_DAMAGED);
    return REASON_NOT_PERMITTED;
}

void apart_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
               uint32_t tag, const struct decided *decided, enum reason reason)
{
    assert(reason != REASON_NONE);
    struct key key = apart_prefix(community, handle, seq, tag);
    put_decided(&key, decided);
    uint8_t value = (uint8_t)reason;
    table_put(txn, TABLE_APART, key_of(&key), bytes_of(&value, 1));
}

void apart_delete(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq, uint32_t tag, const struct decided *decided)
{
    struct key key = apart_prefix(community, handle, seq, tag);
    put_decided(&key, decided);
    table_delete(txn, TABLE_APART, key_of(&key));
}

static enum err decode_apart(struct bytes key_bytes, struct bytes bytes, struct apart *apart)
{
    struct stored key = stored_of(key_bytes);
    struct stored value = stored_of(bytes);
    stored_u32(&key);
    stored_copy(&key, apart->device, HANDLE_SIZE);
    apart->seq = stored_u32(&key);
    apart->tag = stored_u32(&key);
    take_decided(&key, &apart->decided);
    apart->reason = (enum reason)stored_u8(&value);
    return stored_end(&key) || stored_end(&value) ? ERR_DAMAGED : OK;
}

void apart_each(struct txn *txn, uint32_t community, const uint8_t *handle,
                bool (*each)(const struct apart *, void *), void *arg)
{
    struct key prefix = {0};
    key_u32(&prefix, community);
    if (handle)
        key_bytes(&prefix, bytes_of(handle, HANDLE_SIZE));
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_APART, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct apart apart;
        enum err err = walk.err ? walk.err : decode_apart(walk.key, walk.value, &apart);
        if (err) {
            txn_fail(txn, err);
            return;
        }
        on = each(&apart, arg);
    }
}
