#include "sync/lineage.h"

#include "proto/schema.h"
#include "storage/device.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "sync/fold_private.h"
#include "sync/signed.h"

// --- an incarnation ---

// The identity key's word that this chain speaks for it, who founded the community.
static bool holds(struct txn *txn, const struct community *community,
                  const uint8_t author[HANDLE_SIZE], const struct incarnation *incarnation)
{
    uint8_t id[COMMUNITY_SIZE];
    uint8_t handle[HANDLE_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    if (!incarnation->identity_key.n || !incarnation->chain_key.n || !incarnation->nonce.n ||
        !incarnation->signature.n)
        return false;
    digest_handle(community->id, incarnation->chain_key.p, handle);
    digest_community(incarnation->identity_key.p, incarnation->nonce.p, id);
    if (memcmp(handle, author, HANDLE_SIZE) != 0 || memcmp(id, community->id, COMMUNITY_SIZE) != 0)
        return false;
    digest_incarnation_transcript(community->id, incarnation->chain_key.p, incarnation,
                                  &transcript);
    return signed_by(txn, incarnation->identity_key.p, &transcript, incarnation->signature);
}

static bool read_fields(struct bytes fields, struct incarnation *incarnation)
{
    struct wire_field field;
    *incarnation = (struct incarnation){.previous_size = 0};
    return fields_edit(fields, 0, &field) && field.number == FIELD_INCARNATION &&
           field.type == WIRE_SIZED &&
           message_decode(&incarnation_message, field.bytes, NULL, incarnation, NULL) == OK;
}

// --- all chains of an identity ---

struct life {
    struct device hub;
    int64_t time;                  // when it began
    uint8_t previous[HANDLE_SIZE]; // zeros: none
    uint32_t previous_seq;
    uint64_t previous_size;
    uint32_t upto; // its changes hold up to this seq
    uint64_t size; // and its log up to this size
};

struct lives {
    struct txn *txn;
    uint32_t community;
    const uint8_t *identity;
    struct buf all; // struct life
};

static struct life *life_at(const struct lives *lives, size_t i)
{
    return (struct life *)(void *)(lives->all.p + i * sizeof(struct life));
}

static size_t count(const struct lives *lives)
{
    return lives->all.n / sizeof(struct life);
}

// As its first change says, which was checked when it was taken in.
static bool read_life(struct txn *txn, uint32_t community, struct life *life)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct incarnation incarnation;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (log_find(txn, community, life->hub.handle, 1, &position) ||
        log_get(txn, community, position, &entry) ||
        merge_envelope(txn, entry.envelope, &arena, &envelope) ||
        txn_failed(txn, log_get_body(txn, community, position, &body)) ||
        !read_fields(body.fields, &incarnation))
        return false;
    life->time = envelope.time;
    if (incarnation.previous_log.n)
        memcpy(life->previous, incarnation.previous_log.p, HANDLE_SIZE);
    life->previous_seq = incarnation.previous_seq;
    life->previous_size = incarnation.previous_size;
    return true;
}

static bool take_life(const struct device *device, void *arg)
{
    struct lives *lives = arg;
    struct life life = {.hub = *device};
    if (device->role == ROLE_HUB && memcmp(device->identity, lives->identity, KEY_SIZE) == 0 &&
        read_life(lives->txn, lives->community, &life))
        buf_put(&lives->all, bytes_of(&life, sizeof life));
    return true;
}

static void gather(struct lives *lives)
{
    device_each(lives->txn, lives->community, take_life, lives);
    txn_fail(lives->txn, lives->all.err);
}

static struct life *find(const struct lives *lives, const uint8_t handle[HANDLE_SIZE])
{
    for (size_t i = 0; i < count(lives); i++) {
        if (memcmp(life_at(lives, i)->hub.handle, handle, HANDLE_SIZE) == 0)
            return life_at(lives, i);
    }
    return NULL;
}

static bool is_later(const struct life *a, const struct life *b)
{
    return a->time != b->time ? a->time > b->time
                              : memcmp(a->hub.handle, b->hub.handle, HANDLE_SIZE) > 0;
}

static struct life *latest(const struct lives *lives)
{
    struct life *found = NULL;
    for (size_t i = 0; i < count(lives); i++) {
        if (!found || is_later(life_at(lives, i), found))
            found = life_at(lives, i);
    }
    return found;
}

// How far each holds from the view of `from`, which holds to its end.
static void follow(struct lives *lives, struct life *from)
{
    uint32_t upto = UINT32_MAX;
    uint64_t size = UINT64_MAX;
    for (size_t n = 0; from && n < count(lives); n++) {
        from->upto = upto;
        from->size = size;
        upto = from->previous_seq;
        size = from->previous_size;
        from = find(lives, from->previous);
    }
}

// --- what holds ---

static void turn_one(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                     uint32_t seq, bool in_effect)
{
    uint64_t position;
    struct log_entry entry;
    if (log_find(txn, community, handle, seq, &position) ||
        log_get(txn, community, position, &entry) || entry.form == LOG_BARE ||
        apart_get(txn, community, handle, seq, log_tag(&entry)) != REASON_NONE)
        return;
    fold_again(txn, community, handle, seq, log_tag(&entry), in_effect);
}

// What no longer holds goes while it still may decide, for its withdrawal is a decision, too; what
// holds again comes when it may.
static void turn(struct lives *lives, const struct life *life)
{
    struct device hub = life->hub;
    uint32_t from = hub.upto < life->upto ? hub.upto : life->upto;
    uint32_t to = hub.upto < life->upto ? life->upto : hub.upto;
    bool in_effect = hub.upto < life->upto;
    struct device stored = hub;
    stored.upto = life->upto;
    if (in_effect)
        device_put(lives->txn, lives->community, &stored);
    to = to < hub.seq ? to : hub.seq;
    for (uint32_t seq = from + 1; in_effect && seq && seq <= to; seq++)
        turn_one(lives->txn, lives->community, hub.handle, seq, true);
    // The last goes first: what it went over comes back, and goes in its turn.
    for (uint32_t seq = to; !in_effect && seq > from; seq--)
        turn_one(lives->txn, lives->community, hub.handle, seq, false);
    if (!in_effect)
        device_put(lives->txn, lives->community, &stored);
}

static void settle(struct txn *txn, uint32_t community, const uint8_t identity[KEY_SIZE])
{
    struct lives lives = {.txn = txn, .community = community, .identity = identity};
    gather(&lives);
    follow(&lives, latest(&lives));
    for (size_t i = 0; i < count(&lives) && !txn_error(txn); i++) {
        if (life_at(&lives, i)->upto != life_at(&lives, i)->hub.upto)
            turn(&lives, life_at(&lives, i));
    }
    buf_done(&lives.all);
}

void lineage_take(struct txn *txn, const struct community *community,
                  const struct merge_change *change)
{
    struct incarnation incarnation;
    struct device hub = {.upto = 0};
    if (change->record.kind != KIND_DECISION || change->seq != 1 ||
        !read_fields(change->fields, &incarnation) ||
        !holds(txn, community, change->device, &incarnation))
        return;
    enum err err = device_get(txn, community->number, change->device, &hub);
    if (err && err != ERR_NOT_FOUND) {
        txn_fail(txn, err);
        return;
    }
    memcpy(hub.handle, change->device, HANDLE_SIZE);
    memcpy(hub.key, incarnation.chain_key.p, KEY_SIZE);
    memcpy(hub.identity, incarnation.identity_key.p, KEY_SIZE);
    hub.role = ROLE_HUB;
    device_put(txn, community->number, &hub);
    settle(txn, community->number, hub.identity);
}

bool lineage_reaches(struct txn *txn, const struct community *community,
                     const uint8_t log[HANDLE_SIZE], uint64_t *size)
{
    struct device hub;
    *size = UINT64_MAX;
    if (memcmp(log, community->log, HANDLE_SIZE) == 0)
        return true;
    if (device_get(txn, community->number, community->log, &hub))
        return false;
    struct lives lives = {.txn = txn, .community = community->number, .identity = hub.identity};
    gather(&lives);
    follow(&lives, find(&lives, community->log));
    const struct life *life = find(&lives, log);
    bool reaches = life && life->size > 0;
    if (reaches)
        *size = life->size;
    buf_done(&lives.all);
    return reaches;
}
