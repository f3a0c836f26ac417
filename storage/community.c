#include "storage/community.h"

#include <assert.h>

#include "base/hash.h"
#include "storage/stored.h"
#include "storage/table.h"
#include "storage/txn_private.h"

// In the table meta: this and a number → the community's id.
#define NUMBER_PREFIX "number"

// Nodes of a frontier are stored in so many at a time.
enum { NODES_STEP = 8 };
enum { IN_ROLE_HUB = 1, IN_ROLE_DEVICE = 2 };
enum { STATE_BY_VECTOR = 1, STATE_FORKED = 2, STATE_UNANSWERED = 4, STATE_REVOKED = 8 };

// --- Communities ---

struct key community_number_key(uint32_t number)
{
    struct key key = {0};
    key_bytes(&key, bytes_of_text(NUMBER_PREFIX));
    key_u32(&key, number);
    return key;
}

enum err community_decode(const uint8_t id[COMMUNITY_SIZE], struct bytes bytes,
                          struct community *community)
{
    struct stored value = stored_of(bytes);
    struct community c = {0};
    memcpy(c.id, id, COMMUNITY_SIZE);
    c.number = stored_u32(&value);
    c.size = stored_u64(&value);
    stored_copy(&value, c.log, HANDLE_SIZE);
    c.is_hub = stored_u8(&value) == IN_ROLE_HUB;
    stored_text(&value, c.name, &c.name_n, NAME_MAX_BYTES);
    enum err err = stored_end(&value);
    if (!err)
        *community = c;
    return err;
}

enum err community_get(struct txn *txn, const uint8_t id[COMMUNITY_SIZE],
                       struct community *community)
{
    struct bytes value;
    enum err err = table_get(txn, TABLE_COMMUNITY, bytes_of(id, COMMUNITY_SIZE), &value);
    return err ? err : community_decode(id, value, community);
}

enum err community_get_number(struct txn *txn, uint32_t number, struct community *community)
{
    struct key key = community_number_key(number);
    struct bytes value;
    enum err err = table_get(txn, TABLE_META, key_of(&key), &value);
    if (err)
        return err;
    if (value.n != COMMUNITY_SIZE)
        return ERR_DAMAGED;
    err = community_get(txn, value.p, community);
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

static uint32_t last_number(struct txn *txn)
{
    struct key upto = community_number_key(UINT32_MAX);
    struct key key;
    struct bytes value;
    struct bytes prefix = bytes_of_text(NUMBER_PREFIX);
    if (!table_last(txn, TABLE_META, prefix, key_of(&upto), &key, &value))
        return 0;
    // A number that may be another's is given to none.
    if (key.n != upto.n || !value.p) {
        txn_fail(txn, ERR_DAMAGED);
        return 0;
    }
    return be32_get(key.p + prefix.n);
}

// The number that it has, or a new one that meta then knows.
static uint32_t number_of(struct txn *txn, const uint8_t id[COMMUNITY_SIZE])
{
    struct community known;
    enum err err = community_get(txn, id, &known);
    if (!err)
        return known.number;
    if (err != ERR_NOT_FOUND)
        txn_fail(txn, err);
    uint32_t number = last_number(txn);
    if (number == UINT32_MAX) {
        txn_fail(txn, ERR_LIMIT);
        return 0;
    }
    struct key key = community_number_key(number + 1);
    table_put(txn, TABLE_META, key_of(&key), bytes_of(id, COMMUNITY_SIZE));
    return number + 1;
}

void community_put(struct txn *txn, struct community *community)
{
    assert(community->name_n <= NAME_MAX_BYTES);
    community->number = number_of(txn, community->id);
    BUF_CLEANUP struct buf buf = {0};
    buf_put_be32(&buf, community->number);
    buf_put_be64(&buf, community->size);
    buf_put(&buf, BYTES(community->log));
    buf_put_u8(&buf, community->is_hub ? IN_ROLE_HUB : IN_ROLE_DEVICE);
    buf_put(&buf, bytes_of(community->name, community->name_n));
    txn_fail(txn, buf.err);
    table_put(txn, TABLE_COMMUNITY, BYTES(community->id), buf_bytes(&buf));
}

void community_each(struct txn *txn, bool (*each)(const struct community *, void *), void *arg)
{
    enum err damage = OK;
    bool on = true;
    bool any = false;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_COMMUNITY, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (on && walk_next(&walk)) {
        struct community community;
        enum err err = walk.err;
        any = true;
        if (!err)
            err = walk.key.n == COMMUNITY_SIZE
                      ? community_decode(walk.key.p, walk.value, &community)
                      : ERR_DAMAGED;
        if (err)
            damage = err;
        else
            on = each(&community, arg);
    }
    // A store that has none still says its format.
    struct bytes format;
    if (!any && !txn_error(txn) && table_get(txn, TABLE_META, bytes_of_text(FORMAT_KEY), &format))
        damage = ERR_DAMAGED;
    txn_fail(txn, damage);
}

// --- Secrets ---

static struct key key_of_community(uint32_t community)
{
    struct key key = {0};
    key_u32(&key, community);
    return key;
}

enum err secret_get(struct txn *txn, uint32_t community, struct secret *secret)
{
    struct key key = key_of_community(community);
    struct bytes bytes;
    enum err err = table_get(txn, TABLE_SECRET, key_of(&key), &bytes);
    if (err)
        return err;
    struct stored value = stored_of(bytes);
    struct secret s = {0};
    uint32_t address_n;
    stored_copy(&value, s.seed, sizeof s.seed);
    stored_copy(&value, s.previous_seed, sizeof s.previous_seed);
    stored_copy(&value, s.token, sizeof s.token);
    stored_copy(&value, s.hub_key, sizeof s.hub_key);
    stored_copy(&value, s.tls_key, sizeof s.tls_key);
    stored_text(&value, s.address, &address_n, ADDRESS_MAX);
    err = stored_end(&value);
    if (!err)
        *secret = s;
    bytes_wipe(&s, sizeof s);
    return err;
}

void secret_put(struct txn *txn, uint32_t community, const struct secret *secret)
{
    uint8_t value[32 + 32 + TOKEN_SIZE + KEY_SIZE + 32 + ADDRESS_MAX];
    size_t address_n = strnlen(secret->address, ADDRESS_MAX);
    memcpy(value, secret->seed, 32);
    memcpy(value + 32, secret->previous_seed, 32);
    memcpy(value + 64, secret->token, TOKEN_SIZE);
    memcpy(value + 96, secret->hub_key, KEY_SIZE);
    memcpy(value + 128, secret->tls_key, 32);
    memcpy(value + 160, secret->address, address_n);
    struct key key = key_of_community(community);
    table_put(txn, TABLE_SECRET, key_of(&key), bytes_of(value, 160 + address_n));
    bytes_wipe(value, sizeof value);
}

// --- Progress ---

static enum err decode_progress(struct bytes bytes, struct progress *progress)
{
    struct stored value = stored_of(bytes);
    progress->receipt_seq = stored_u32(&value);
    stored_copy(&value, progress->log, HANDLE_SIZE);
    progress->position = stored_u64(&value);
    stored_copy(&value, progress->root, CUT_SIZE);
    progress->view = stored_u32(&value);
    stored_copy(&value, progress->seen_log, HANDLE_SIZE);
    progress->seen_size = stored_u64(&value);
    stored_copy(&value, progress->seen_root, 32);
    uint8_t state = stored_u8(&value);
    progress->by_vector = state & STATE_BY_VECTOR;
    progress->forked = state & STATE_FORKED;
    progress->unanswered = state & STATE_UNANSWERED;
    progress->revoked = state & STATE_REVOKED;
    return stored_end(&value);
}

void progress_get(struct txn *txn, uint32_t community, struct progress *progress)
{
    *progress = (struct progress){0};
    struct key key = key_of_community(community);
    struct bytes value;
    enum err err = table_get(txn, TABLE_PROGRESS, key_of(&key), &value);
    if (!err)
        err = decode_progress(value, progress);
    // What was pushed is pushed again and skipped there; what was pulled is compared by vector.
    if (err == ERR_DAMAGED)
        *progress = (struct progress){.by_vector = true};
}

void progress_put(struct txn *txn, uint32_t community, const struct progress *progress)
{
    int state =
        (progress->by_vector ? STATE_BY_VECTOR : 0) | (progress->forked ? STATE_FORKED : 0) |
        (progress->unanswered ? STATE_UNANSWERED : 0) | (progress->revoked ? STATE_REVOKED : 0);
    BUF_CLEANUP struct buf buf = {0};
    buf_put_be32(&buf, progress->receipt_seq);
    buf_put(&buf, BYTES(progress->log));
    buf_put_be64(&buf, progress->position);
    buf_put(&buf, BYTES(progress->root));
    buf_put_be32(&buf, progress->view);
    buf_put(&buf, BYTES(progress->seen_log));
    buf_put_be64(&buf, progress->seen_size);
    buf_put(&buf, BYTES(progress->seen_root));
    buf_put_u8(&buf, (uint8_t)state);
    txn_fail(txn, buf.err);
    struct key key = key_of_community(community);
    struct bytes before;
    // A transaction that changes nothing costs no sync of the disk.
    if (table_get(txn, TABLE_PROGRESS, key_of(&key), &before) ||
        !bytes_equal(before, buf_bytes(&buf)))
        table_put(txn, TABLE_PROGRESS, key_of(&key), buf_bytes(&buf));
}

// --- What was checked ---

static struct key checked_key(uint32_t community)
{
    struct key key = key_of_community(community);
    key_u8(&key, 1);
    return key;
}

static enum err decode_checked(struct bytes bytes, struct checked *checked)
{
    struct stored value = stored_of(bytes);
    stored_copy(&value, checked->log, HANDLE_SIZE);
    stored_copy(&value, checked->root, HASH_SIZE);
    checked->proved = stored_u32(&value);
    checked->alarm = (enum alarm)stored_u8(&value);
    checked->alarm_time = (int64_t)stored_u64(&value);
    checked->alarm_size = stored_u64(&value);
    checked->alarm_seen = stored_u64(&value);
    checked->frontier.size = stored_u64(&value);
    for (uint64_t size = checked->frontier.size; size; size &= size - 1)
        stored_copy(&value, checked->frontier.nodes[checked->frontier.n++], HASH_SIZE);
    for (size_t i = checked->frontier.n; i % NODES_STEP; i++)
        stored_copy(&value, (uint8_t[HASH_SIZE]){0}, HASH_SIZE);
    return checked->alarm > ALARM_ALTERED ? ERR_DAMAGED : stored_end(&value);
}

void checked_get(struct txn *txn, uint32_t community, struct checked *checked)
{
    struct key key = checked_key(community);
    struct bytes value;
    *checked = (struct checked){.proved = 0};
    enum err err = table_get(txn, TABLE_PROGRESS, key_of(&key), &value);
    if (!err && decode_checked(value, checked))
        *checked = (struct checked){.proved = 0};
}

void checked_put(struct txn *txn, uint32_t community, const struct checked *checked)
{
    BUF_CLEANUP struct buf buf = {0};
    buf_put(&buf, BYTES(checked->log));
    buf_put(&buf, BYTES(checked->root));
    buf_put_be32(&buf, checked->proved);
    buf_put_u8(&buf, (uint8_t)checked->alarm);
    buf_put_be64(&buf, (uint64_t)checked->alarm_time);
    buf_put_be64(&buf, checked->alarm_size);
    buf_put_be64(&buf, checked->alarm_seen);
    buf_put_be64(&buf, checked->frontier.size);
    for (size_t i = 0; i < checked->frontier.n; i++)
        buf_put(&buf, BYTES(checked->frontier.nodes[i]));
    // So that a row is as long as the one before, which may be damaged.
    static const uint8_t none[HASH_SIZE];
    for (size_t i = checked->frontier.n; i % NODES_STEP; i++)
        buf_put(&buf, BYTES(none));
    txn_fail(txn, buf.err);
    struct key key = checked_key(community);
    table_put(txn, TABLE_PROGRESS, key_of(&key), buf_bytes(&buf));
}

// --- Names ---

// A name may be words: it stands as its hash.
static struct key name_key(uint32_t community, struct bytes name)
{
    struct key key = key_of_community(community);
    uint8_t digest[HASH_SIZE];
    struct hash hash;
    hash_begin(&hash, "folkmoot name v1");
    hash_put(&hash, name);
    hash_end(&hash, digest);
    key_bytes(&key, BYTES(digest));
    return key;
}

enum err name_get(struct txn *txn, uint32_t community, struct bytes name, uint32_t *kind,
                  uint8_t id[ID_SIZE])
{
    struct key key = name_key(community, name);
    struct bytes bytes;
    enum err err = table_get(txn, TABLE_NAME, key_of(&key), &bytes);
    if (err)
        return err;
    if (bytes.n != 2 + ID_SIZE)
        return ERR_DAMAGED;
    struct stored value = stored_of(bytes);
    *kind = stored_u16(&value);
    stored_copy(&value, id, ID_SIZE);
    return stored_end(&value);
}

void name_put(struct txn *txn, uint32_t community, struct bytes name, uint32_t kind,
              const uint8_t id[ID_SIZE])
{
    assert(kind <= KIND_MAX);
    uint8_t value[2 + ID_SIZE] = {(uint8_t)(kind >> 8), (uint8_t)kind};
    memcpy(value + 2, id, ID_SIZE);
    struct key key = name_key(community, name);
    table_put(txn, TABLE_NAME, key_of(&key), BYTES(value));
}

void name_map(struct txn *txn, uint32_t community, bool (*map)(uint8_t id[ID_SIZE], void *arg),
              void *arg)
{
    struct key prefix = key_of_community(community);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_NAME, key_of(&prefix), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        struct key key = {0};
        uint8_t value[2 + ID_SIZE];
        if (walk.err || walk.value.n != sizeof value)
            continue;
        memcpy(value, walk.value.p, sizeof value);
        key_bytes(&key, walk.key);
        if (map(value + 2, arg))
            table_put(txn, TABLE_NAME, key_of(&key), BYTES(value));
    }
}
