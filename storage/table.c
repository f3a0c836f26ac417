#include "storage/table.h"

#include <assert.h>
#include <xxhash.h>

#include "storage/txn_private.h"

// No value of ours is longer; a longer one on disk is damage.
enum { VALUE_MAX = 1 << 20, CHECK_SIZE = 4 };

static uint8_t *key_room(struct key *key, size_t n)
{
    assert(n <= TABLE_KEY_MAX - key->n);
    uint8_t *p = key->p + key->n;
    key->n += n;
    return p;
}

void key_u8(struct key *key, uint8_t v)
{
    *key_room(key, 1) = v;
}

void key_u16(struct key *key, uint16_t v)
{
    uint8_t *p = key_room(key, 2);
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void key_u32(struct key *key, uint32_t v)
{
    be32_put(key_room(key, 4), v);
}

void key_u64(struct key *key, uint64_t v)
{
    be64_put(key_room(key, 8), v);
}

void key_bytes(struct key *key, struct bytes bytes)
{
    uint8_t *p = key_room(key, bytes.n);
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
}

static struct key key_copy(struct bytes bytes)
{
    struct key key;
    key.n = 0;
    key_bytes(&key, bytes);
    return key;
}

static bool begins_with(struct bytes bytes, struct bytes prefix)
{
    return bytes.n >= prefix.n && bytes_equal(bytes_of(bytes.p, prefix.n), prefix);
}

// LMDB does not write through what it is given, but does not say so.
static MDB_val val_of(struct bytes bytes)
{
    return (MDB_val){bytes.n, (void *)bytes.p};
}

static struct bytes bytes_of_val(MDB_val val)
{
    return bytes_of(val.mv_data, val.mv_size);
}

// --- The check behind each value ---

static uint32_t check_of(struct bytes key, struct bytes value)
{
    XXH64_hash_t seed = XXH3_64bits(key.p, key.n);
    return (uint32_t)XXH3_64bits_withSeed(value.p, value.n, seed);
}

static enum err strip_check(struct bytes key, struct bytes stored, struct bytes *value)
{
    if (stored.n < CHECK_SIZE || stored.n > VALUE_MAX + CHECK_SIZE)
        return ERR_DAMAGED;
    struct bytes inner = bytes_of(stored.p, stored.n - CHECK_SIZE);
    if (be32_get(stored.p + inner.n) != check_of(key, inner))
        return ERR_DAMAGED;
    *value = inner;
    return OK;
}

// --- One value ---

enum err table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value)
{
    if (txn->err)
        return txn->err;
    MDB_val k = val_of(key);
    MDB_val v;
    int result = mdb_get(txn->mdb, txn->store->tables[table], &k, &v);
    if (result == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (result)
        return txn_fail(txn, txn_err_of(result));
    return strip_check(key, bytes_of_val(v), value);
}

// Value and check in memory of our own: the value may be borrowed from a page that the put moves.
static struct bytes with_check(struct txn *txn, struct bytes key, struct bytes value)
{
    struct buf *scratch = &txn->scratch;
    buf_reset(scratch);
    buf_put(scratch, value);
    buf_put_be32(scratch, check_of(key, value));
    txn_fail(txn, scratch->err);
    return buf_bytes(scratch);
}

static void put(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                unsigned flags)
{
    if (txn->err)
        return;
    assert(txn->write && key.n && value.n <= VALUE_MAX);
    struct key own = key_copy(key);
    struct bytes stored = with_check(txn, key_of(&own), value);
    if (txn->err)
        return;
    MDB_val k = val_of(key_of(&own));
    MDB_val v = val_of(stored);
    MDB_dbi dbi = txn->store->tables[table];
    int result = mdb_put(txn->mdb, dbi, &k, &v, flags);
    if (result == MDB_KEYEXIST && flags == MDB_APPEND)
        result = mdb_put(txn->mdb, dbi, &k, &v, 0);
    if (table == TABLE_SECRET)
        bytes_wipe(txn->scratch.p, txn->scratch.n);
    txn->writes++;
    txn_fail(txn, txn_err_of(result));
}

void table_put(struct txn *txn, enum table table, struct bytes key, struct bytes value)
{
    put(txn, table, key, value, 0);
}

void table_append(struct txn *txn, enum table table, struct bytes key, struct bytes value)
{
    put(txn, table, key, value, MDB_APPEND);
}

void table_delete(struct txn *txn, enum table table, struct bytes key)
{
    if (txn->err)
        return;
    assert(txn->write && key.n);
    struct key own = key_copy(key);
    MDB_val k = val_of(key_of(&own));
    int result = mdb_del(txn->mdb, txn->store->tables[table], &k, NULL);
    if (result == MDB_NOTFOUND)
        return;
    txn->writes++;
    txn_fail(txn, txn_err_of(result));
}

// --- Walks ---

static bool open_cursor(struct walk *walk)
{
    struct txn *txn = walk->txn;
    MDB_cursor *cursor;
    int result = mdb_cursor_open(txn->mdb, txn->store->tables[walk->table], &cursor);
    walk->cursor = result ? NULL : cursor;
    txn_fail(txn, txn_err_of(result));
    return !result;
}

static void set_from(struct walk *walk, struct bytes from)
{
    struct bytes prefix = key_of(&walk->prefix);
    walk->from = key_copy(bytes_compare(from, prefix) < 0 ? prefix : from);
    walk->started = false;
}

void walk_begin(struct walk *walk, struct txn *txn, enum table table, struct bytes prefix,
                struct bytes from)
{
    *walk = (struct walk){.txn = txn, .table = table, .writes = txn->writes};
    walk->prefix = key_copy(prefix);
    set_from(walk, from);
    if (!txn->err && open_cursor(walk))
        txn->walks++;
}

// Goes to the first key that is not less than `from`.
static int seek(struct walk *walk, MDB_val *key, MDB_val *value)
{
    if (walk->from.n == 0)
        return mdb_cursor_get(walk->cursor, key, value, MDB_FIRST);
    *key = val_of(key_of(&walk->from));
    return mdb_cursor_get(walk->cursor, key, value, MDB_SET_RANGE);
}

// After a write the cursor is opened anew, so that nothing hangs on how LMDB moves cursors along.
static int step(struct walk *walk, MDB_val *key, MDB_val *value)
{
    bool moved = walk->writes != walk->txn->writes;
    if (moved) {
        mdb_cursor_close(walk->cursor);
        if (!open_cursor(walk)) {
            walk->txn->walks--;
            return MDB_NOTFOUND;
        }
        walk->writes = walk->txn->writes;
    }
    bool started = walk->started;
    walk->started = true;
    if (started && !moved)
        return mdb_cursor_get(walk->cursor, key, value, MDB_NEXT);
    int result = seek(walk, key, value);
    // The last key given, unless it was deleted since.
    if (started && !result && bytes_equal(bytes_of_val(*key), key_of(&walk->from)))
        result = mdb_cursor_get(walk->cursor, key, value, MDB_NEXT);
    return result;
}

bool walk_next(struct walk *walk)
{
    struct txn *txn = walk->txn;
    if (txn->err || !walk->cursor)
        return false;
    MDB_val k;
    MDB_val v;
    int result = step(walk, &k, &v);
    if (result == MDB_NOTFOUND)
        return false;
    if (!result && k.mv_size > TABLE_KEY_MAX)
        result = MDB_CORRUPTED;
    if (result) {
        txn_fail(txn, txn_err_of(result));
        return false;
    }
    if (!begins_with(bytes_of_val(k), key_of(&walk->prefix)))
        return false;
    walk->from.n = 0;
    key_bytes(&walk->from, bytes_of_val(k));
    walk->key = bytes_of_val(k);
    walk->value = bytes_of(NULL, 0);
    walk->err = strip_check(walk->key, bytes_of_val(v), &walk->value);
    return true;
}

void walk_end(struct walk *walk)
{
    if (!walk->cursor)
        return;
    mdb_cursor_close(walk->cursor);
    walk->cursor = NULL;
    walk->txn->walks--;
}

// --- The last key up to one ---

static int seek_upto(MDB_cursor *cursor, struct bytes upto, MDB_val *key, MDB_val *value)
{
    *key = val_of(upto);
    int result = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (result == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    if (!result && !bytes_equal(bytes_of_val(*key), upto))
        return mdb_cursor_get(cursor, key, value, MDB_PREV);
    return result;
}

bool table_last(struct txn *txn, enum table table, struct bytes prefix, struct bytes upto,
                struct key *key, struct bytes *value)
{
    if (txn->err)
        return false;
    assert(upto.n);
    MDB_cursor *cursor;
    int result = mdb_cursor_open(txn->mdb, txn->store->tables[table], &cursor);
    if (result) {
        txn_fail(txn, txn_err_of(result));
        return false;
    }
    MDB_val k;
    MDB_val v;
    result = seek_upto(cursor, upto, &k, &v);
    mdb_cursor_close(cursor);
    if (!result && k.mv_size > TABLE_KEY_MAX)
        result = MDB_CORRUPTED;
    if (result && result != MDB_NOTFOUND)
        txn_fail(txn, txn_err_of(result));
    if (result || !begins_with(bytes_of_val(k), prefix))
        return false;
    *key = key_copy(bytes_of_val(k));
    *value = bytes_of(NULL, 0);
    if (strip_check(bytes_of_val(k), bytes_of_val(v), value))
        *value = bytes_of(NULL, 0);
    return true;
}
