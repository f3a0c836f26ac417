#include "storage/table.h"

#include <assert.h>
#include <xxhash.h>

#include "storage/pages.h"
#include "storage/txn_private.h"

// No value of ours is longer; a longer one on disk is damage.
enum { VALUE_MAX = 1 << 20, CHECK_SIZE = 4 };

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

// The table's name goes in, so that a page of one table is damage in another. That of the format's
// row is the same in every format.
static uint32_t check_of(enum table table, struct bytes key, struct bytes value)
{
    const char *name = table == TABLE_META ? "" : txn_table_name(table);
    XXH64_hash_t of_table = *name ? XXH3_64bits(name, strlen(name)) : 0;
    XXH64_hash_t seed = XXH3_64bits_withSeed(key.p, key.n, of_table);
    return (uint32_t)XXH3_64bits_withSeed(value.p, value.n, seed);
}

static enum err strip_check(struct txn *txn, enum table table, struct bytes key,
                            struct bytes stored, struct bytes *value)
{
    if (stored.n < CHECK_SIZE || stored.n > VALUE_MAX + CHECK_SIZE ||
        !pages_hold(stored.p, stored.n, txn->store->page_size, !txn->write))
        return txn_damaged(txn);
    struct bytes inner = bytes_of(stored.p, stored.n - CHECK_SIZE);
    if (be32_get(stored.p + inner.n) != check_of(table, key, inner))
        return txn_damaged(txn);
    *value = inner;
    return OK;
}

// --- What is said not to be there ---

// A look that fails is no damage: it sticks to the transaction.
static int look(struct txn *txn, MDB_cursor *cursor, MDB_val *key, MDB_val *value,
                MDB_cursor_op way)
{
    int result = mdb_cursor_get(cursor, key, value, way);
    enum err err = txn_err_of(result);
    if (err != ERR_NOT_FOUND && err != ERR_DAMAGED)
        txn_fail(txn, err);
    return result;
}

static bool is_sound(struct txn *txn, enum table table, const MDB_val *key, const MDB_val *value)
{
    struct bytes inner;
    return key->mv_size <= TABLE_KEY_MAX &&
           strip_check(txn, table, bytes_of_val(*key), bytes_of_val(*value), &inner) == OK;
}

static bool is_before(const MDB_val *key, struct bytes sought)
{
    return bytes_compare(bytes_of_val(*key), sought) < 0;
}

// A key that was altered, or a row that came into the place of another, leads searches astray, and
// is found by none. But a search that went astray by it ends beside it; so of the place where
// something is missing the rows on both sides are looked at, and whether they are in order with
// those behind them.
struct gap {
    bool in_order; // what is behind is not before
    bool before_is_sound;
    bool behind_is_sound;
    unsigned back; // steps from the row behind to where the cursor is now
    bool is_first; // nothing is before
};

// Whether the next row in that direction (MDB_NEXT or MDB_PREV), if there is one, is on that side
// of the key. moved: whether the cursor went there.
static bool goes_on(struct txn *txn, MDB_cursor *cursor, const MDB_val *from, MDB_cursor_op way,
                    bool *moved)
{
    MDB_val key = {0, NULL};
    MDB_val value = {0, NULL};
    int result = look(txn, cursor, &key, &value, way);
    *moved = result == 0;
    if (result)
        return result == MDB_NOTFOUND;
    int order = bytes_compare(bytes_of_val(key), bytes_of_val(*from));
    return way == MDB_NEXT ? order > 0 : order < 0;
}

// The cursor stays at the row.
static bool is_behind_sound(struct txn *txn, enum table table, MDB_cursor *cursor,
                            const MDB_val *key, const MDB_val *value)
{
    bool moved;
    MDB_val k;
    MDB_val v;
    bool sound = is_sound(txn, table, key, value) && goes_on(txn, cursor, key, MDB_NEXT, &moved);
    if (sound && moved && look(txn, cursor, &k, &v, MDB_PREV) != 0)
        sound = false;
    return sound;
}

// `result`, key and value: of the search for the first row that is not before `sought`. The cursor
// is there, and goes back.
static struct gap look_around(struct txn *txn, enum table table, MDB_cursor *cursor,
                              struct bytes sought, int result, const MDB_val *behind,
                              const MDB_val *behind_value)
{
    MDB_val key = {0, NULL}; // LMDB may say that it has a row and give none
    MDB_val value = {0, NULL};
    bool moved = false;
    struct gap gap = {.in_order = result || !is_before(behind, sought)};
    gap.behind_is_sound =
        result || (gap.in_order && is_behind_sound(txn, table, cursor, behind, behind_value));
    int before = look(txn, cursor, &key, &value, result ? MDB_LAST : MDB_PREV);
    gap.is_first = before == MDB_NOTFOUND;
    gap.before_is_sound =
        gap.is_first || (!before && is_before(&key, sought) && is_sound(txn, table, &key, &value) &&
                         goes_on(txn, cursor, &key, MDB_PREV, &moved));
    gap.back = moved ? 2 : 1;
    return gap;
}

// It was not found; but by way of an altered key in a branch it may be found from beside.
static enum err look_again(struct txn *txn, enum table table, struct bytes sought,
                           struct bytes *found)
{
    MDB_cursor *cursor;
    MDB_val key = val_of(sought);
    MDB_val value = {0, NULL};
    int result = mdb_cursor_open(txn->mdb, txn->store->tables[table], &cursor);
    if (result)
        return txn_fail(txn, txn_err_of(result));
    result = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    bool known = !result || result == MDB_NOTFOUND;
    if (!result && bytes_equal(bytes_of_val(key), sought)) {
        mdb_cursor_close(cursor);
        (void)txn_damaged(txn);
        return strip_check(txn, table, sought, bytes_of_val(value), found);
    }
    struct gap gap = {.in_order = false};
    if (known)
        gap = look_around(txn, table, cursor, sought, result, &key, &value);
    mdb_cursor_close(cursor);
    if (!known)
        return txn_fail(txn, txn_err_of(result));
    return gap.before_is_sound && gap.behind_is_sound ? ERR_NOT_FOUND : txn_damaged(txn);
}

// --- One value ---

enum err table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value)
{
    if (txn->err)
        return txn->err;
    MDB_val k = val_of(key);
    MDB_val v = {0, NULL};
    int result = mdb_get(txn->mdb, txn->store->tables[table], &k, &v);
    if (result == MDB_NOTFOUND)
        return look_again(txn, table, key, value);
    if (result)
        return txn_fail(txn, txn_err_of(result));
    return strip_check(txn, table, key, bytes_of_val(v), value);
}

// Value and check in memory of our own: the value may be borrowed from a page that the put moves.
static struct bytes with_check(struct txn *txn, enum table table, struct bytes key,
                               struct bytes value)
{
    struct buf *scratch = &txn->scratch;
    buf_reset(scratch);
    buf_put(scratch, value);
    buf_put_be32(scratch, check_of(table, key, value));
    txn_fail(txn, scratch->err);
    return buf_bytes(scratch);
}

// Whether a search for a new key ends between two that are in order with it.
static bool is_its_place(struct txn *txn, enum table table, struct bytes key)
{
    MDB_cursor *cursor;
    MDB_val k = val_of(key);
    MDB_val v = {0, NULL};
    int result = mdb_cursor_open(txn->mdb, txn->store->tables[table], &cursor);
    if (result) {
        txn_fail(txn, txn_err_of(result));
        return false;
    }
    result = look(txn, cursor, &k, &v, MDB_SET_RANGE);
    bool good = result == MDB_NOTFOUND || (!result && bytes_compare(bytes_of_val(k), key) > 0);
    result = look(txn, cursor, &k, &v, result ? MDB_LAST : MDB_PREV);
    good = good && (result == MDB_NOTFOUND || (!result && is_before(&k, key)));
    mdb_cursor_close(cursor);
    return good;
}

// LMDB moves rows about by what they say of their length. One that is damaged may say a wrong one:
// it is overwritten in place or not at all. Other errors stick.
static bool may_replace(struct txn *txn, enum table table, struct bytes key, size_t n)
{
    struct bytes inner;
    MDB_val k = val_of(key);
    MDB_val v = {0, NULL};
    // What was not read in this transaction was sound when it was read.
    if (txn->damage == 0)
        return true;
    int result = mdb_get(txn->mdb, txn->store->tables[table], &k, &v);
    if (result == MDB_NOTFOUND)
        return is_its_place(txn, table, key);
    if (result) {
        txn_fail(txn, txn_err_of(result));
        return false;
    }
    return v.mv_size == n || strip_check(txn, table, key, bytes_of_val(v), &inner) == OK;
}

static void put(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                unsigned flags)
{
    if (txn->err)
        return;
    assert(txn->write && key.n && value.n <= VALUE_MAX);
    struct key own = key_copy(key);
    struct bytes stored = with_check(txn, table, key_of(&own), value);
    if (!txn->err && !may_replace(txn, table, key_of(&own), stored.n))
        txn_fail(txn, ERR_DAMAGED);
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
    // One that is damaged stays, and is damage.
    if (!may_replace(txn, table, key_of(&own), SIZE_MAX))
        return;
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

// Goes to the first key that is not less than `from`. At the beginning it is seen to that this is
// the first. LMDB would search otherwise from where the cursor is then, hence the step back.
static int seek(struct walk *walk, MDB_val *key, MDB_val *value)
{
    struct bytes from = key_of(&walk->from);
    if (from.n == 0)
        return mdb_cursor_get(walk->cursor, key, value, MDB_FIRST);
    *key = val_of(from);
    int result = mdb_cursor_get(walk->cursor, key, value, MDB_SET_RANGE);
    if (walk->started || (result && result != MDB_NOTFOUND))
        return result;
    struct gap gap = look_around(walk->txn, walk->table, walk->cursor, from, result, key, value);
    bool is_given = !result && begins_with(bytes_of_val(*key), key_of(&walk->prefix));
    if (!gap.before_is_sound || !(gap.behind_is_sound || (is_given && gap.in_order)))
        walk->astray = true;
    if (!result && gap.is_first)
        return mdb_cursor_get(walk->cursor, key, value, MDB_FIRST);
    for (unsigned i = 0; !result && i < gap.back; i++)
        result = mdb_cursor_get(walk->cursor, key, value, MDB_NEXT);
    return result;
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
    if (started && !moved)
        return mdb_cursor_get(walk->cursor, key, value, MDB_NEXT);
    int result = seek(walk, key, value);
    walk->started = true;
    // The last key given, unless it was deleted since.
    if (started && !result && bytes_equal(bytes_of_val(*key), key_of(&walk->from)))
        result = mdb_cursor_get(walk->cursor, key, value, MDB_NEXT);
    return result;
}

// Whether the row is one of the walk's. The one behind them is looked at: with an altered key it
// may be one of them.
static bool is_of_walk(struct walk *walk, const MDB_val *key, const MDB_val *value)
{
    const MDB_val last = val_of(key_of(&walk->from));
    struct bytes now = bytes_of_val(*key);
    if (walk->given ? !is_before(&last, now) : is_before(key, key_of(&walk->from)))
        walk->astray = true;
    else if (begins_with(bytes_of_val(*key), key_of(&walk->prefix)))
        return true;
    else if (!is_behind_sound(walk->txn, walk->table, walk->cursor, key, value))
        walk->astray = true;
    return false;
}

// A row without key and value stands for those that may be missing.
static bool tell_astray(struct walk *walk)
{
    if (!walk->astray || walk->told)
        return false;
    walk->told = true;
    walk->key = bytes_of("", 0);
    walk->value = bytes_of(NULL, 0);
    walk->err = txn_damaged(walk->txn);
    return true;
}

static void give(struct walk *walk, const MDB_val *key, const MDB_val *value)
{
    walk->given = true;
    walk->from.n = 0;
    key_bytes(&walk->from, bytes_of_val(*key));
    walk->key = bytes_of_val(*key);
    walk->value = bytes_of(NULL, 0);
    walk->err = strip_check(walk->txn, walk->table, walk->key, bytes_of_val(*value), &walk->value);
}

bool walk_next(struct walk *walk)
{
    struct txn *txn = walk->txn;
    if (txn->err || !walk->cursor || walk->ended)
        return false;
    MDB_val k;
    MDB_val v = {0, NULL};
    int result = step(walk, &k, &v);
    if (!result && k.mv_size > TABLE_KEY_MAX)
        result = MDB_CORRUPTED;
    if (result && result != MDB_NOTFOUND) {
        txn_fail(txn, txn_err_of(result));
        return false;
    }
    if (!walk->given && tell_astray(walk)) {
        walk->started = false; // the row that was found is still to be given
        return true;
    }
    if (!result && is_of_walk(walk, &k, &v)) {
        give(walk, &k, &v);
        return true;
    }
    walk->ended = true;
    return tell_astray(walk);
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

// Finds it, and looks at the row behind: see struct gap.
static int seek_upto(struct txn *txn, enum table table, MDB_cursor *cursor, struct bytes upto,
                     MDB_val *key, MDB_val *value)
{
    *key = val_of(upto);
    int result = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (!result && bytes_equal(bytes_of_val(*key), upto))
        return 0;
    if (!result && (is_before(key, upto) || !is_behind_sound(txn, table, cursor, key, value)))
        return MDB_CORRUPTED;
    if (result && result != MDB_NOTFOUND)
        return result;
    result = mdb_cursor_get(cursor, key, value, result ? MDB_LAST : MDB_PREV);
    bool moved;
    bool good = result || (is_before(key, upto) && goes_on(txn, cursor, key, MDB_PREV, &moved));
    return good ? result : MDB_CORRUPTED;
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
    MDB_val v = {0, NULL};
    result = seek_upto(txn, table, cursor, upto, &k, &v);
    mdb_cursor_close(cursor);
    if (!result && k.mv_size > TABLE_KEY_MAX)
        result = MDB_CORRUPTED;
    if (!result && !begins_with(bytes_of_val(k), prefix))
        result = is_sound(txn, table, &k, &v) ? MDB_NOTFOUND : MDB_CORRUPTED;
    if (result && result != MDB_NOTFOUND)
        txn_fail(txn, txn_err_of(result));
    if (result)
        return false;
    *key = key_copy(bytes_of_val(k));
    *value = bytes_of(NULL, 0);
    if (strip_check(txn, table, bytes_of_val(k), bytes_of_val(v), value))
        *value = bytes_of(NULL, 0);
    return true;
}
