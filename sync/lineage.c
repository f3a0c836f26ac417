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

struct chain {
    struct device hub;
    int64_t time;                  // when it began
    uint8_t previous[HANDLE_SIZE]; // zeros: none
    uint32_t previous_seq;
    uint64_t previous_size;
    uint32_t upto; // its changes hold up to this seq
    uint64_t size; // and its log up to this size
};

struct chains {
    struct txn *txn;
    uint32_t community;
    const uint8_t *identity;
    struct buf all; // struct chain
};

static struct chain *chain_at(const struct chains *chains, size_t i)
{
    return (struct chain *)(void *)(chains->all.p + i * sizeof(struct chain));
}

static size_t count(const struct chains *chains)
{
    return chains->all.n / sizeof(struct chain);
}

// As its first change says, which was checked when it was taken in.
static bool read_chain(struct txn *txn, uint32_t community, struct chain *chain)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct incarnation incarnation;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (log_find(txn, community, chain->hub.handle, 1, &position) ||
        log_get(txn, community, position, &entry) ||
        merge_envelope(txn, entry.envelope, &arena, &envelope) ||
        txn_failed(txn, log_get_body(txn, community, position, &body)) ||
        !read_fields(body.fields, &incarnation))
        return false;
    chain->time = envelope.time;
    if (incarnation.previous_log.n)
        memcpy(chain->previous, incarnation.previous_log.p, HANDLE_SIZE);
    chain->previous_seq = incarnation.previous_seq;
    chain->previous_size = incarnation.previous_size;
    return true;
}

static bool take_chain(const struct device *device, void *arg)
{
    struct chains *chains = arg;
    struct chain chain = {.hub = *device};
    if (device->role == ROLE_HUB && memcmp(device->identity, chains->identity, KEY_SIZE) == 0 &&
        read_chain(chains->txn, chains->community, &chain))
        buf_put(&chains->all, bytes_of(&chain, sizeof chain));
    return true;
}

static void gather(struct chains *chains)
{
    device_each(chains->txn, chains->community, take_chain, chains);
    txn_fail(chains->txn, chains->all.err);
}

static struct chain *find(const struct chains *chains, const uint8_t handle[HANDLE_SIZE])
{
    for (size_t i = 0; i < count(chains); i++) {
        if (memcmp(chain_at(chains, i)->hub.handle, handle, HANDLE_SIZE) == 0)
            return chain_at(chains, i);
    }
    return NULL;
}

static bool is_later(const struct chain *a, const struct chain *b)
{
    return a->time != b->time ? a->time > b->time
                              : memcmp(a->hub.handle, b->hub.handle, HANDLE_SIZE) > 0;
}

static struct chain *latest(const struct chains *chains)
{
    struct chain *found = NULL;
    for (size_t i = 0; i < count(chains); i++) {
        if (!found || is_later(chain_at(chains, i), found))
            found = chain_at(chains, i);
    }
    return found;
}

// How far each holds from the view of `from`, which holds to its end.
static void follow(struct chains *chains, struct chain *from)
{
    uint32_t upto = UINT32_MAX;
    uint64_t size = UINT64_MAX;
    for (size_t n = 0; from && n < count(chains); n++) {
        from->upto = upto;
        from->size = size;
        upto = from->previous_seq;
        size = from->previous_size;
        from = find(chains, from->previous);
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
static void turn(struct chains *chains, const struct chain *chain)
{
    struct device hub = chain->hub;
    uint32_t from = hub.upto < chain->upto ? hub.upto : chain->upto;
    uint32_t to = hub.upto < chain->upto ? chain->upto : hub.upto;
    bool in_effect = hub.upto < chain->upto;
    struct device stored = hub;
    stored.upto = chain->upto;
    if (in_effect)
        device_put(chains->txn, chains->community, &stored);
    to = to < hub.seq ? to : hub.seq;
    for (uint32_t seq = from + 1; in_effect && seq && seq <= to; seq++)
        turn_one(chains->txn, chains->community, hub.handle, seq, true);
    // The last goes first: what it went over comes back, and goes in its turn.
    for (uint32_t seq = to; !in_effect && seq > from; seq--)
        turn_one(chains->txn, chains->community, hub.handle, seq, false);
    if (!in_effect)
        device_put(chains->txn, chains->community, &stored);
}

static void settle(struct txn *txn, uint32_t community, const uint8_t identity[KEY_SIZE])
{
    struct chains chains = {.txn = txn, .community = community, .identity = identity};
    gather(&chains);
    follow(&chains, latest(&chains));
    for (size_t i = 0; i < count(&chains) && !txn_error(txn); i++) {
        if (chain_at(&chains, i)->upto != chain_at(&chains, i)->hub.upto)
            turn(&chains, chain_at(&chains, i));
    }
    buf_done(&chains.all);
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
    struct chains chains = {.txn = txn, .community = community->number, .identity = hub.identity};
    gather(&chains);
    follow(&chains, find(&chains, community->log));
    const struct chain *chain = find(&chains, log);
    bool reaches = chain && chain->size > 0;
    if (reaches)
        *size = chain->size;
    buf_done(&chains.all);
    return reaches;
}
