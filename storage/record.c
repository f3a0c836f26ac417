#include "storage/record.h"

#include <assert.h>

#include "base/buf.h"
#include "storage/stored.h"
#include "storage/table.h"

enum { TAG_SIZE = 4, RECORD_PREFIX = 4 + 2 + ID_SIZE, EXTRA_MAX = ID_SIZE };

// --- Keys ---

// A kind that somebody asks for may be anything: there is no kind 0, so nothing is found.
static uint16_t kind_in_key(uint32_t kind)
{
    return (uint16_t)(kind <= KIND_MAX ? kind : 0);
}

static struct key record_prefix(uint32_t community, const struct record_key *record)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u16(&key, kind_in_key(record->kind));
    key_bytes(&key, BYTES(record->id));
    return key;
}

static struct key change_prefix(uint32_t community, const struct record_key *record, uint32_t class,
                                const uint8_t device[HANDLE_SIZE], uint32_t seq)
{
    struct key key = record_prefix(community, record);
    key_u32(&key, class);
    key_bytes(&key, bytes_of(device, HANDLE_SIZE));
    key_u32(&key, seq);
    return key;
}

static struct key edit_prefix(uint32_t community, const struct edit_key *edit)
{
    struct key key = change_prefix(community, &edit->record, edit->class, edit->device, edit->seq);
    key_u8(&key, edit->index);
    return key;
}

static void take_record(struct stored *key, struct record_key *record)
{
    record->kind = stored_u16(key);
    stored_copy(key, record->id, ID_SIZE);
}

static void take_edit(struct stored *key, struct edit_key *edit)
{
    stored_u32(key); // the community
    take_record(key, &edit->record);
    edit->class = stored_u32(key);
    stored_copy(key, edit->device, HANDLE_SIZE);
    edit->seq = stored_u32(key);
    edit->index = stored_u8(key);
}

// --- Live edits ---

static enum err decode_live(struct bytes key_bytes, struct bytes bytes, struct live *live)
{
    struct stored key = stored_of(key_bytes);
    struct stored value = stored_of(bytes);
    struct live l = {0};
    take_edit(&key, &l.key);
    l.tag = stored_u32(&value);
    l.field = stored_u32(&value);
    l.time = (int64_t)stored_u64(&value);
    l.position = stored_u64(&value);
    if (stored_end(&key) || stored_end(&value))
        return ERR_DAMAGED;
    *live = l;
    return OK;
}

enum err live_get(struct txn *txn, uint32_t community, const struct edit_key *key,
                  struct live *live)
{
    struct key k = edit_prefix(community, key);
    struct bytes value;
    enum err err = table_get(txn, TABLE_LIVE, key_of(&k), &value);
    return err ? err : decode_live(key_of(&k), value, live);
}

void live_put(struct txn *txn, uint32_t community, const struct live *live)
{
    assert(live->key.record.kind <= KIND_MAX);
    uint8_t value[24];
    be32_put(value, live->tag);
    be32_put(value + 4, live->field);
    be64_put(value + 8, (uint64_t)live->time);
    be64_put(value + 16, live->position);
    struct key key = edit_prefix(community, &live->key);
    table_put(txn, TABLE_LIVE, key_of(&key), BYTES(value));
}

void live_delete(struct txn *txn, uint32_t community, const struct edit_key *key)
{
    struct key k = edit_prefix(community, key);
    table_delete(txn, TABLE_LIVE, key_of(&k));
}

static enum err each_live(struct txn *txn, const struct key *prefix,
                          bool (*each)(const struct live *, void *), void *arg)
{
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_LIVE, key_of(prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct live live;
        enum err err = walk.err ? walk.err : decode_live(walk.key, walk.value, &live);
        if (err)
            damage = err;
        else
            on = each(&live, arg);
    }
    if (damage)
        damage = txn_damaged(txn);
    return txn_error(txn) ? txn_error(txn) : damage;
}

enum err live_each(struct txn *txn, uint32_t community, const struct record_key *record,
                   bool (*each)(const struct live *, void *), void *arg)
{
    struct key prefix = record_prefix(community, record);
    return each_live(txn, &prefix, each, arg);
}

enum err live_each_of_change(struct txn *txn, uint32_t community, const struct record_key *record,
                             uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                             bool (*each)(const struct live *, void *), void *arg)
{
    struct key prefix = change_prefix(community, record, class, device, seq);
    return each_live(txn, &prefix, each, arg);
}

// Behind every key of the record: longer than any and all ones.
static struct key behind_record(uint32_t community, const struct record_key *record)
{
    static const uint8_t greatest[4 + HANDLE_SIZE + 4 + 1 + 1] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    struct key key = record_prefix(community, record);
    key_bytes(&key, BYTES(greatest));
    return key;
}

// The first record with this prefix, from `from` on.
static enum err first_record(struct txn *txn, const struct key *prefix, const struct key *from,
                             struct record_key *record)
{
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_LIVE, key_of(prefix), key_of(from));
    while (walk_next(&walk)) {
        // A damaged edit is told by live_each; a key of another length names no record.
        if (walk.key.n != RECORD_PREFIX + 4 + HANDLE_SIZE + 4 + 1)
            continue;
        struct stored key = stored_of(walk.key);
        stored_u32(&key);
        take_record(&key, record);
        return OK;
    }
    return txn_error(txn) ? txn_error(txn) : ERR_NOT_FOUND;
}

enum err live_next(struct txn *txn, uint32_t community, const struct record_key *after,
                   struct record_key *record)
{
    struct key prefix = {0};
    struct key from = {0};
    key_u32(&prefix, community);
    if (after)
        from = behind_record(community, after);
    return first_record(txn, &prefix, &from, record);
}

enum err live_next_record(struct txn *txn, uint32_t community, uint32_t kind, const uint8_t *after,
                          struct record_key *record)
{
    struct key prefix = {0};
    struct key from = {0};
    key_u32(&prefix, community);
    key_u16(&prefix, kind_in_key(kind));
    if (after) {
        struct record_key last = {.kind = kind};
        memcpy(last.id, after, ID_SIZE);
        from = behind_record(community, &last);
    }
    return first_record(txn, &prefix, &from, record);
}

bool live_any_of_change(struct txn *txn, uint32_t community, const struct record_key *record,
                        uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq)
{
    struct key prefix = change_prefix(community, record, class, device, seq);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_LIVE, key_of(&prefix), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        if (walk.key.n)
            return true;
    }
    return false;
}

// --- Covers ---

static struct key cover_key(uint32_t community, const struct cover *cover)
{
    struct key key = edit_prefix(community, &cover->target);
    key_u32(&key, cover->tag);
    key_bytes(&key, BYTES(cover->by_device));
    key_u32(&key, cover->by_seq);
    return key;
}

static enum err decode_cover(struct bytes key_bytes, struct bytes bytes, struct cover *cover)
{
    struct stored key = stored_of(key_bytes);
    struct stored value = stored_of(bytes);
    struct cover c = {0};
    take_edit(&key, &c.target);
    c.tag = stored_u32(&key);
    stored_copy(&key, c.by_device, HANDLE_SIZE);
    c.by_seq = stored_u32(&key);
    c.time = (int64_t)stored_u64(&value);
    if (stored_end(&key) || stored_end(&value))
        return ERR_DAMAGED;
    *cover = c;
    return OK;
}

void cover_put(struct txn *txn, uint32_t community, const struct cover *cover)
{
    assert(cover->target.record.kind <= KIND_MAX);
    uint8_t time[8];
    be64_put(time, (uint64_t)cover->time);
    struct key key = cover_key(community, cover);
    table_put(txn, TABLE_COVER, key_of(&key), BYTES(time));
}

void cover_delete(struct txn *txn, uint32_t community, const struct cover *cover)
{
    struct key key = cover_key(community, cover);
    table_delete(txn, TABLE_COVER, key_of(&key));
}

static void each_cover(struct txn *txn, const struct key *prefix,
                       bool (*each)(const struct cover *, void *), void *arg)
{
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_COVER, key_of(prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct cover cover;
        enum err err = walk.err ? walk.err : decode_cover(walk.key, walk.value, &cover);
        if (err)
            damage = err;
        else
            on = each(&cover, arg);
    }
    // A cover that was overlooked would bring a value back.
    txn_fail(txn, damage);
}

void cover_each(struct txn *txn, uint32_t community, const struct edit_key *target, uint32_t tag,
                bool (*each)(const struct cover *, void *), void *arg)
{
    struct key prefix = edit_prefix(community, target);
    key_u32(&prefix, tag);
    each_cover(txn, &prefix, each, arg);
}

void cover_each_of_record(struct txn *txn, uint32_t community, const struct record_key *record,
                          bool (*each)(const struct cover *, void *), void *arg)
{
    struct key prefix = record_prefix(community, record);
    each_cover(txn, &prefix, each, arg);
}

// --- What refers to what ---

void about_put(struct txn *txn, uint32_t community, const struct record_key *to,
               const struct record_key *from, struct bytes extra)
{
    assert(to->kind <= KIND_MAX && from->kind <= KIND_MAX);
    assert(extra.n == 0 || extra.n == EXTRA_MAX);
    struct key key = record_prefix(community, to);
    key_u16(&key, (uint16_t)from->kind);
    key_bytes(&key, BYTES(from->id));
    table_put(txn, TABLE_ABOUT, key_of(&key), extra);
}

struct reference {
    struct record_key from;
    uint8_t extra[EXTRA_MAX];
    size_t extra_n;
};

static enum err decode_reference(struct bytes key_bytes, struct bytes extra,
                                 struct reference *reference)
{
    struct stored key = stored_of(key_bytes);
    stored_u32(&key);
    take_record(&key, &reference->from);
    take_record(&key, &reference->from);
    if (stored_end(&key) || (extra.n != 0 && extra.n != EXTRA_MAX))
        return ERR_DAMAGED;
    reference->extra_n = extra.n;
    if (extra.n)
        memcpy(reference->extra, extra.p, extra.n);
    return OK;
}

enum err about_each(struct txn *txn, uint32_t community, const struct record_key *to, uint32_t kind,
                    bool (*each)(const struct record_key *from, struct bytes extra, void *),
                    void *arg)
{
    struct key prefix = record_prefix(community, to);
    if (kind)
        key_u16(&prefix, kind_in_key(kind));
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_ABOUT, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct reference r;
        enum err err = walk.err ? walk.err : decode_reference(walk.key, walk.value, &r);
        if (err)
            damage = err;
        else
            on = each(&r.from, bytes_of(r.extra, r.extra_n), arg);
    }
    if (damage)
        damage = txn_damaged(txn);
    return txn_error(txn) ? txn_error(txn) : damage;
}
