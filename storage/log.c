#include "storage/log.h"

#include <assert.h>

#include "storage/stored.h"
#include "storage/txn_private.h"

// The form's byte: the form, and what was left out because it is zeros.
enum { FORM_MASK = 0x0f, FORM_TAG_ONLY = 0x10, FORM_BODY_HASH = 0x20, FORM_KNOWN = 0x3f };
enum { TAG_SIZE = 4, SIGNATURE_SIZE = 64 };

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static struct key position_key(uint32_t community, uint64_t position)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u64(&key, position);
    return key;
}

static struct key chain_key(uint32_t community, const uint8_t device[HANDLE_SIZE], uint32_t seq)
{
    struct key key = {0};
    key_u32(&key, community);
    key_bytes(&key, bytes_of(device, HANDLE_SIZE));
    key_u32(&key, seq);
    return key;
}

// --- Entries and bodies ---

static enum err decode_entry(struct bytes bytes, struct log_entry *entry)
{
    struct stored value = stored_of(bytes);
    struct log_entry e = {0};
    uint8_t form = stored_u8(&value);
    e.form = (enum log_form)(form & FORM_MASK);
    if (form & ~FORM_KNOWN || e.form < LOG_WHOLE || e.form > LOG_AGAIN)
        return ERR_DAMAGED;
    stored_copy(&value, e.device, HANDLE_SIZE);
    e.seq = stored_u32(&value);
    stored_copy(&value, e.leaf, form & FORM_TAG_ONLY ? TAG_SIZE : HASH_SIZE);
    if (form & FORM_BODY_HASH)
        stored_copy(&value, e.body_hash, HASH_SIZE);
    if (e.form == LOG_AGAIN)
        e.first = stored_u64(&value);
    else
        e.envelope = stored_rest(&value);
    enum err err = stored_end(&value);
    if (!err)
        *entry = e;
    return err;
}

enum err log_get(struct txn *txn, uint32_t community, uint64_t position, struct log_entry *entry)
{
    struct key key = position_key(community, position);
    struct bytes value;
    enum err err = table_get(txn, TABLE_ENTRY, key_of(&key), &value);
    return err ? err : decode_entry(value, entry);
}

// Into one of the transaction's buffers, in turn.
static enum err open_body(struct txn *txn, uint32_t community, uint64_t position,
                          struct bytes sealed, struct log_body *body)
{
    uint8_t key[SEAL_KEY_SIZE];
    struct buf *opened = &txn->bodies[txn->bodies_n++ % TXN_BODIES];
    buf_reset(opened);
    uint8_t *room = buf_room(opened, sealed.n);
    enum err err = room ? seal_key(txn->store->seal, community, position, key) : ERR_NOMEM;
    if (!err)
        err = cipher_decrypt(key, sealed, room);
    bytes_wipe(key, sizeof key);
    if (err)
        return err;
    opened->n = sealed.n;
    return packed_take(&txn->packer, opened, body);
}

static void seal_body(struct txn *txn, uint32_t community, uint64_t position, struct buf *words)
{
    uint8_t key[SEAL_KEY_SIZE];
    if (txn->err)
        return;
    enum err err = seal_key_to_put(txn->store->seal, community, position, key);
    if (!err)
        err = cipher_encrypt(key, buf_bytes(words), words->p);
    bytes_wipe(key, sizeof key);
    txn_fail(txn, err);
}

static bool is_whole(struct txn *txn, uint32_t community, uint64_t position)
{
    struct log_entry entry;
    return log_get(txn, community, position, &entry) == OK && entry.form == LOG_WHOLE;
}

enum err log_get_body(struct txn *txn, uint32_t community, uint64_t position, struct log_body *body)
{
    struct key key = position_key(community, position);
    struct bytes bytes;
    enum err err = table_get(txn, TABLE_BODY, key_of(&key), &bytes);
    if (err == ERR_NOT_FOUND && is_whole(txn, community, position))
        return txn_damaged(txn);
    if (err)
        return err;
    err = open_body(txn, community, position, bytes, body);
    // Damage is passed over so that the others can be given; what failed for now may not be.
    return err == ERR_DAMAGED ? txn_damaged(txn) : txn_fail(txn, err);
}

bool log_has_body(struct txn *txn, uint32_t community, uint64_t position)
{
    struct key key = position_key(community, position);
    struct bytes bytes;
    return table_get(txn, TABLE_BODY, key_of(&key), &bytes) != ERR_NOT_FOUND;
}

static void encode_entry(struct buf *buf, const struct log_entry *entry)
{
    bool tag_only = all_zero(entry->leaf + TAG_SIZE, HASH_SIZE - TAG_SIZE);
    bool has_body_hash = !all_zero(entry->body_hash, HASH_SIZE);
    int form =
        (int)entry->form | (tag_only ? FORM_TAG_ONLY : 0) | (has_body_hash ? FORM_BODY_HASH : 0);
    buf_put_u8(buf, (uint8_t)form);
    buf_put(buf, BYTES(entry->device));
    buf_put_be32(buf, entry->seq);
    buf_put(buf, bytes_of(entry->leaf, tag_only ? TAG_SIZE : HASH_SIZE));
    if (has_body_hash)
        buf_put(buf, BYTES(entry->body_hash));
    if (entry->form == LOG_AGAIN)
        buf_put_be64(buf, entry->first);
    else
        buf_put(buf, entry->envelope);
}

void log_put_body(struct txn *txn, uint32_t community, uint64_t position,
                  const struct log_body *body)
{
    // Copied before the put: they may be borrowed from this transaction.
    BUF_CLEANUP struct buf words = {0};
    packed_put(&txn->packer, body, &words);
    txn_fail(txn, words.err);
    seal_body(txn, community, position, &words);
    struct key key = position_key(community, position);
    table_append(txn, TABLE_BODY, key_of(&key), buf_bytes(&words));
}

void log_put(struct txn *txn, uint32_t community, uint64_t position, const struct log_entry *entry,
             const struct log_body *body)
{
    assert((entry->form == LOG_WHOLE) == (body != NULL));
    struct key key = position_key(community, position);
    // Copied before the first put: the envelope may be borrowed from this transaction.
    BUF_CLEANUP struct buf row = {0};
    encode_entry(&row, entry);
    txn_fail(txn, row.err);
    if (body)
        log_put_body(txn, community, position, body);
    table_append(txn, TABLE_ENTRY, key_of(&key), buf_bytes(&row));
    if (!body)
        table_delete(txn, TABLE_BODY, key_of(&key));
    if (entry->form == LOG_AGAIN)
        return;
    struct key chain = chain_key(community, entry->device, entry->seq);
    uint8_t pointer[8];
    be64_put(pointer, position);
    table_put(txn, TABLE_CHAIN, key_of(&chain), BYTES(pointer));
}

void log_erase(struct txn *txn, uint32_t community, uint64_t position, const uint8_t *body_hash)
{
    struct log_entry entry;
    enum err err = log_get(txn, community, position, &entry);
    if (err) {
        txn_fail(txn, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
        return;
    }
    assert(entry.form == LOG_WHOLE);
    entry.form = LOG_HUSK;
    if (body_hash)
        memcpy(entry.body_hash, body_hash, HASH_SIZE);
    log_put(txn, community, position, &entry, NULL);
    buf_put_be32(&txn->destroyed, community);
    buf_put_be64(&txn->destroyed, position);
}

enum err log_find(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                  uint32_t seq, uint64_t *position)
{
    struct key key = chain_key(community, device, seq);
    struct bytes value;
    enum err err = table_get(txn, TABLE_CHAIN, key_of(&key), &value);
    if (err)
        return err;
    if (value.n != 8)
        return ERR_DAMAGED;
    *position = be64_get(value.p);
    return OK;
}

void log_unlink(struct txn *txn, uint32_t community, uint64_t position)
{
    struct log_entry entry;
    uint64_t points_to;
    enum err err = log_get(txn, community, position, &entry);
    if (!err)
        err = log_find(txn, community, entry.device, entry.seq, &points_to);
    if (!err && points_to == position) {
        struct key chain = chain_key(community, entry.device, entry.seq);
        table_delete(txn, TABLE_CHAIN, key_of(&chain));
    }
    txn_fail(txn, err == ERR_NOT_FOUND ? OK : err);
}

void log_drop(struct txn *txn, uint32_t community, uint64_t position)
{
    struct key key = position_key(community, position);
    log_unlink(txn, community, position);
    table_delete(txn, TABLE_ENTRY, key_of(&key));
    table_delete(txn, TABLE_BODY, key_of(&key));
    table_put(txn, TABLE_DROPPED, key_of(&key), bytes_of(NULL, 0));
    buf_put_be32(&txn->destroyed, community);
    buf_put_be64(&txn->destroyed, position);
}

enum err log_settle(struct txn *txn)
{
    enum err err = OK;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_DROPPED, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (!err && walk_next(&walk)) {
        // A row that is damaged may name words that are wanted.
        if (walk.err || walk.key.n != 4 + 8)
            continue;
        err = seal_destroy(txn->store->seal, be32_get(walk.key.p), be64_get(walk.key.p + 4));
        // What is damaged of one says nothing of the others.
        if (err == ERR_DAMAGED)
            err = OK;
    }
    return err;
}

// --- Runs ---

void log_put_run(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                 const struct log_run *run)
{
    BUF_CLEANUP struct buf buf = {0};
    buf_put_be32(&buf, run->first);
    buf_put(&buf, BYTES(run->head));
    buf_put(&buf, BYTES(run->signature));
    buf_put(&buf, BYTES(run->seen_log));
    buf_put_be64(&buf, run->seen_size);
    buf_put(&buf, BYTES(run->seen_root));
    txn_fail(txn, buf.err);
    struct key key = chain_key(community, device, run->last);
    table_put(txn, TABLE_RUN, key_of(&key), buf_bytes(&buf));
}

static enum err decode_run(struct bytes key, struct bytes bytes, struct log_run *run)
{
    struct stored value = stored_of(bytes);
    struct log_run r = {.last = be32_get(key.p + key.n - 4)};
    r.first = stored_u32(&value);
    stored_copy(&value, r.head, HASH_SIZE);
    stored_copy(&value, r.signature, SIGNATURE_SIZE);
    stored_copy(&value, r.seen_log, HANDLE_SIZE);
    r.seen_size = stored_u64(&value);
    stored_copy(&value, r.seen_root, HASH_SIZE);
    enum err err = stored_end(&value);
    if (!err)
        *run = r;
    return err;
}

enum err log_run_upto(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                      uint32_t seq, struct log_run *run)
{
    struct key upto = chain_key(community, device, seq);
    struct key key;
    struct bytes bytes;
    if (!table_last(txn, TABLE_RUN, bytes_of(upto.p, upto.n - 4), key_of(&upto), &key, &bytes))
        return txn_error(txn) ? txn_error(txn) : ERR_NOT_FOUND;
    if (key.n != upto.n)
        return ERR_DAMAGED;
    return decode_run(key_of(&key), bytes, run);
}

enum err log_run_from(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                      uint32_t seq, struct log_run *run)
{
    struct key from = chain_key(community, device, seq);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_RUN, bytes_of(from.p, from.n - 4), key_of(&from));
    if (!walk_next(&walk))
        return txn_error(txn) ? txn_error(txn) : ERR_NOT_FOUND;
    if (walk.err || walk.key.n != from.n)
        return txn_damaged(txn);
    return decode_run(walk.key, walk.value, run);
}

// --- The tree ---

// Where the subtree ends.
static uint64_t end_of(unsigned level, uint64_t index)
{
    assert(level >= LOG_LOWEST_LEVEL && level < 63);
    return (index + 1) << level;
}

// How many subtrees that are kept end at a position.
static size_t subtrees_at(uint64_t position)
{
    size_t n = 0;
    for (unsigned level = LOG_LOWEST_LEVEL; level < 63 && position >> level << level == position;
         level++)
        n++;
    return n;
}

enum err log_get_node(struct txn *txn, uint32_t community, unsigned level, uint64_t index,
                      uint8_t node[HASH_SIZE])
{
    uint64_t position = end_of(level, index);
    struct key key = position_key(community, position);
    struct bytes value;
    enum err err = table_get(txn, TABLE_TREE, key_of(&key), &value);
    if (err)
        return err;
    if (value.n != subtrees_at(position) * HASH_SIZE)
        return ERR_DAMAGED;
    memcpy(node, value.p + (size_t)(level - LOG_LOWEST_LEVEL) * HASH_SIZE, HASH_SIZE);
    return OK;
}

void log_put_nodes(struct txn *txn, uint32_t community, uint64_t position, struct bytes nodes)
{
    struct key key = position_key(community, position);
    assert(nodes.n == subtrees_at(position) * HASH_SIZE);
    table_append(txn, TABLE_TREE, key_of(&key), nodes);
}

enum { NODE_KEY_BEFORE = 4 + 1 + 8 };

bool log_is_node_before(struct bytes key)
{
    return key.n == NODE_KEY_BEFORE;
}

// In the order of their keys those of lower levels come first.
void log_put_node_before(struct txn *txn, struct bytes key, struct bytes node)
{
    uint8_t nodes[64 * HASH_SIZE];
    struct bytes below = {NULL, 0};
    unsigned level = key.p[4];
    uint64_t index = be64_get(key.p + 5);
    if (level < LOG_LOWEST_LEVEL || level > 62 || index >= UINT64_MAX >> level ||
        node.n != HASH_SIZE)
        return;
    struct key at = position_key(be32_get(key.p), end_of(level, index));
    size_t n = (size_t)(level - LOG_LOWEST_LEVEL) * HASH_SIZE;
    enum err err = n ? table_get(txn, TABLE_TREE, key_of(&at), &below) : OK;
    // Where one is missing below, what is above is missing, too: damage, when it is asked for.
    if (err || below.n != n)
        return;
    if (n)
        memcpy(nodes, below.p, n);
    memcpy(nodes + n, node.p, HASH_SIZE);
    table_put(txn, TABLE_TREE, key_of(&at), bytes_of(nodes, n + HASH_SIZE));
}
