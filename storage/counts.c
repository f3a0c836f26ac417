#include "storage/counts.h"

#include <assert.h>

#include "base/buf.h"
#include "storage/stored.h"
#include "storage/txn_private.h"

enum { DOWN = 0, UP = 1, LINK_PREFIX = 4 + 1 + 2 + ID_SIZE };

static void key_record(struct key *key, const struct record_key *record)
{
    key_u16(key, (uint16_t)(record->kind <= KIND_MAX ? record->kind : 0));
    key_bytes(key, BYTES(record->id));
}

static struct record_key take_record(struct stored *key)
{
    struct record_key record = {.kind = stored_u16(key)};
    stored_copy(key, record.id, ID_SIZE);
    return record;
}

// --- stance ---

static struct key person_key(uint32_t community, const uint8_t person[ID_SIZE])
{
    struct key key = {0};
    key_u32(&key, community);
    key_bytes(&key, bytes_of(person, ID_SIZE));
    return key;
}

static struct key stance_key(uint32_t community, const uint8_t person[ID_SIZE],
                             const struct record_key *record)
{
    struct key key = person_key(community, person);
    key_record(&key, record);
    return key;
}

enum { STANCE_SHORT = 2, STANCE_LONG = STANCE_SHORT + ID_SIZE };

static bool decode_stance(struct bytes value, const struct record_key *record,
                          struct stance_row *row)
{
    *row = (struct stance_row){.stance = STANCE_NONE};
    if (value.n == 0)
        return true;
    if ((value.n != STANCE_SHORT && value.n != STANCE_LONG) || value.p[0] < STANCE_FOR ||
        value.p[0] > STANCE_UNKNOWN || value.p[1] >= COUNTS_PARTIES)
        return false;
    row->stance = value.p[0];
    row->party = value.p[1];
    memcpy(row->root, value.n == STANCE_LONG ? value.p + STANCE_SHORT : record->id, ID_SIZE);
    return true;
}

enum err stance_get(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                    const struct record_key *record, struct stance_row *row)
{
    struct key key = stance_key(community, person, record);
    struct bytes value;
    enum err err = table_get(txn, TABLE_STANCE, key_of(&key), &value);
    *row = (struct stance_row){.stance = STANCE_NONE};
    if (!err && !decode_stance(value, record, row))
        err = txn_damaged(txn);
    return err;
}

void stance_put(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                const struct record_key *record, const struct stance_row *row)
{
    struct key key = stance_key(community, person, record);
    uint8_t value[STANCE_LONG] = {row->stance, row->party};
    bool is_own = memcmp(row->root, record->id, ID_SIZE) == 0;
    size_t n = row->stance == STANCE_NONE ? 0 : is_own ? STANCE_SHORT : STANCE_LONG;
    assert(row->stance <= STANCE_UNKNOWN && row->party < COUNTS_PARTIES);
    memcpy(value + STANCE_SHORT, row->root, ID_SIZE);
    table_put(txn, TABLE_STANCE, key_of(&key), bytes_of(value, n));
}

void stance_delete(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                   const struct record_key *record)
{
    struct key key = stance_key(community, person, record);
    table_delete(txn, TABLE_STANCE, key_of(&key));
}

// What a walk that ended says: damage that does not stick.
static enum err ended(struct txn *txn, enum err damage)
{
    if (damage)
        damage = txn_damaged(txn);
    return txn_error(txn) ? txn_error(txn) : damage;
}

enum err stance_each(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                     bool (*each)(const struct record_key *record, void *), void *arg)
{
    struct key prefix = person_key(community, person);
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_STANCE, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct stored key = stored_of(walk.key);
        uint8_t skipped[4 + ID_SIZE];
        stored_copy(&key, skipped, sizeof skipped);
        struct record_key record = take_record(&key);
        struct stance_row row;
        if (walk.err || stored_end(&key) || !decode_stance(walk.value, &record, &row))
            damage = ERR_DAMAGED;
        else
            on = each(&record, arg);
    }
    return ended(txn, damage);
}

// --- heard ---

enum { HEARD_SIZE = 1 + 8 + 1 };

static bool decode_heard(struct bytes bytes, struct heard *heard)
{
    struct stored value = stored_of(bytes);
    *heard = (struct heard){.party = stored_u8(&value)};
    heard->place.position = stored_u64(&value);
    heard->place.index = stored_u8(&value);
    return heard->party < COUNTS_PARTIES && !stored_end(&value);
}

enum err heard_get(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                   struct heard *heard)
{
    struct key key = person_key(community, person);
    struct bytes bytes;
    *heard = (struct heard){0};
    enum err err = table_get(txn, TABLE_HEARD, key_of(&key), &bytes);
    return err || decode_heard(bytes, heard) ? err : txn_damaged(txn);
}

void heard_put(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
               const struct heard *heard)
{
    struct key key = person_key(community, person);
    uint8_t value[HEARD_SIZE] = {heard->party};
    be64_put(value + 1, heard->place.position);
    value[9] = heard->place.index;
    table_put(txn, TABLE_HEARD, key_of(&key), BYTES(value));
}

enum err heard_each(struct txn *txn, uint32_t community,
                    bool (*each)(const struct heard *heard, void *), void *arg)
{
    struct key prefix = {0};
    enum err damage = OK;
    bool on = true;
    key_u32(&prefix, community);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_HEARD, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct heard heard;
        if (walk.err || !decode_heard(walk.value, &heard))
            damage = ERR_DAMAGED;
        else
            on = each(&heard, arg);
    }
    return ended(txn, damage);
}

void heard_delete(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE])
{
    struct key key = person_key(community, person);
    table_delete(txn, TABLE_HEARD, key_of(&key));
}

// --- link ---

static struct key link_prefix(uint32_t community, uint8_t way, const struct record_key *of)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u8(&key, way);
    key_record(&key, of);
    return key;
}

static struct key link_key(uint32_t community, uint8_t way, const struct record_key *answer,
                           const struct record_key *to)
{
    struct key key = link_prefix(community, way, way == UP ? answer : to);
    key_record(&key, way == UP ? to : answer);
    return key;
}

void link_put(struct txn *txn, uint32_t community, const struct record_key *answer,
              const struct record_key *to)
{
    for (int way = DOWN; way <= UP; way++) {
        struct key key = link_key(community, (uint8_t)way, answer, to);
        table_put(txn, TABLE_LINK, key_of(&key), bytes_of(NULL, 0));
    }
}

void link_delete(struct txn *txn, uint32_t community, const struct record_key *answer,
                 const struct record_key *to)
{
    for (int way = DOWN; way <= UP; way++) {
        struct key key = link_key(community, (uint8_t)way, answer, to);
        table_delete(txn, TABLE_LINK, key_of(&key));
    }
}

enum err link_each(struct txn *txn, uint32_t community, const struct record_key *record, bool up,
                   bool (*each)(const struct record_key *other, void *), void *arg)
{
    struct key prefix = link_prefix(community, up ? UP : DOWN, record);
    enum err damage = OK;
    bool on = true;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_LINK, key_of(&prefix), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct stored key = stored_of(walk.key);
        uint8_t skipped[LINK_PREFIX];
        stored_copy(&key, skipped, sizeof skipped);
        struct record_key other = take_record(&key);
        if (walk.err || stored_end(&key) || walk.value.n)
            damage = ERR_DAMAGED;
        else
            on = each(&other, arg);
    }
    return ended(txn, damage);
}

// --- order ---

static struct key order_prefix(uint32_t community, uint32_t kind, enum counts_list list)
{
    struct key key = {0};
    key_u32(&key, community);
    key_u16(&key, (uint16_t)(kind <= KIND_MAX ? kind : 0));
    key_u8(&key, (uint8_t)list);
    return key;
}

static struct key order_key(uint32_t community, uint32_t kind, enum counts_list list,
                            uint32_t number, const uint8_t id[ID_SIZE])
{
    struct key key = order_prefix(community, kind, list);
    key_u32(&key, number);
    key_bytes(&key, bytes_of(id, ID_SIZE));
    return key;
}

static void move_in(struct txn *txn, uint32_t community, const struct record_key *record,
                    enum counts_list list, const struct sum *was, const struct sum *is)
{
    uint32_t from = 0;
    uint32_t to = 0;
    bool was_in = was && sum_is_in(was, record->kind, list, &from);
    bool is_in = is && sum_is_in(is, record->kind, list, &to);
    if (was_in == is_in && from == to)
        return;
    struct key key = order_key(community, record->kind, list, from, record->id);
    if (was_in)
        table_delete(txn, TABLE_ORDER, key_of(&key));
    key = order_key(community, record->kind, list, to, record->id);
    if (is_in)
        table_put(txn, TABLE_ORDER, key_of(&key), bytes_of(NULL, 0));
}

void order_move(struct txn *txn, uint32_t community, const struct record_key *record,
                const struct sum *was, const struct sum *is)
{
    for (int list = 0; list < LIST_COUNT; list++)
        move_in(txn, community, record, (enum counts_list)list, was, is);
}

enum err order_each(struct txn *txn, uint32_t community, uint32_t kind, enum counts_list list,
                    const struct order_place *after,
                    bool (*each)(const struct order_place *place, void *), void *arg)
{
    struct key prefix = order_prefix(community, kind, list);
    struct key from = {0};
    enum err damage = OK;
    bool on = true;
    if (after) {
        from = order_key(community, kind, list, after->number, after->id);
        key_u8(&from, 0); // behind it
    }
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_ORDER, key_of(&prefix), key_of(&from));
    while (on && walk_next(&walk)) {
        struct stored key = stored_of(walk.key);
        struct order_place place;
        uint8_t skipped[4 + 2 + 1];
        stored_copy(&key, skipped, sizeof skipped);
        place.number = stored_u32(&key);
        stored_copy(&key, place.id, ID_SIZE);
        if (walk.err || stored_end(&key) || walk.value.n)
            damage = ERR_DAMAGED;
        else
            on = each(&place, arg);
    }
    return ended(txn, damage);
}

// --- whether they are kept ---

static struct key recount_key(uint32_t community)
{
    struct key key = {0};
    key_bytes(&key, bytes_of_text(RECOUNT_PREFIX));
    key_u32(&key, community);
    return key;
}

bool counts_are_kept(struct txn *txn, uint32_t community)
{
    struct key key = recount_key(community);
    struct bytes value;
    return table_get(txn, TABLE_META, key_of(&key), &value) == ERR_NOT_FOUND;
}

void counts_keep(struct txn *txn, uint32_t community, bool keep)
{
    struct key key = recount_key(community);
    if (keep)
        table_delete(txn, TABLE_META, key_of(&key));
    else
        table_put(txn, TABLE_META, key_of(&key), bytes_of(NULL, 0));
}

bool counts_clear(struct txn *txn, uint32_t community, size_t rows)
{
    static const enum table tables[] = {TABLE_STANCE, TABLE_HEARD, TABLE_LINK,
                                        TABLE_SUM,    TABLE_ORDER, TABLE_COUNTS};
    struct key prefix = {0};
    key_u32(&prefix, community);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct walk walk WALK_CLEANUP;
        walk_begin(&walk, txn, tables[i], key_of(&prefix), bytes_of(NULL, 0));
        for (; rows && walk_next(&walk); rows--) {
            if (walk.key.n)
                table_delete(txn, tables[i], walk.key);
        }
    }
    return rows > 0;
}
