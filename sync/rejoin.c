#include "sync/rejoin.h"

#include <assert.h>
#include <stdlib.h>

#include "storage/carry.h"
#include "sync/chain.h"
#include "sync/rejoin_private.h"

// --- at the joining ---

static enum err note(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                     uint32_t seq)
{
    struct carry carry = {.seq = seq};
    struct log_entry entry;
    enum err err = log_find(txn, community, device, seq, &carry.position);
    if (!err)
        err = log_get(txn, community, carry.position, &entry);
    if (err)
        return txn_fail(txn, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
    memcpy(carry.device, device, HANDLE_SIZE);
    carry.tag = log_tag(&entry);
    carry_put(txn, community, &carry);
    return txn_error(txn);
}

static enum err note_from(struct txn *txn, uint32_t community, const struct device *device,
                          uint32_t from)
{
    enum err err = txn_error(txn);
    for (uint32_t seq = from; !err && seq && seq <= device->seq; seq++)
        err = note(txn, community, device->handle, seq);
    return err;
}

// What the hub's branch has behind the last receipt is not known yet.
static enum err leave_to_others(struct txn *txn, const struct community *community,
                                const struct device *old, uint32_t confirmed)
{
    struct device other = *old;
    other.seq = confirmed;
    memset(other.head, 0, HASH_SIZE);
    enum err err = confirmed ? chain_head_at(txn, community, old, confirmed, other.head) : OK;
    if (err)
        return txn_fail(txn, err);
    device_put(txn, community->number, &other);
    return txn_error(txn);
}

// The log is pulled from its beginning, by vector where the new role sees the same as the old one:
// a cursor that fits no log makes the hub tell.
static void begin_progress(struct txn *txn, uint32_t community)
{
    struct progress progress;
    struct checked checked;
    progress_get(txn, community, &progress);
    progress.receipt_seq = 0;
    progress.forked = progress.revoked = progress.unanswered = false;
    memset(progress.root, 0, sizeof progress.root);
    progress_put(txn, community, &progress);
    checked_get(txn, community, &checked);
    checked.proved = 0;
    checked_put(txn, community, &checked);
}

enum err rejoin_begin(struct txn *txn, const struct community *community, const struct device *old)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    enum err err = OK;
    if (progress.receipt_seq < old->seq)
        err = note_from(txn, community->number, old, progress.receipt_seq + 1);
    if (!err && progress.receipt_seq < old->seq)
        err = leave_to_others(txn, community, old, progress.receipt_seq);
    begin_progress(txn, community->number);
    return err ? err : txn_error(txn);
}

// --- while everything is pulled ---

struct confirming {
    struct txn *txn;
    uint32_t community;
    struct carry upto;
};

// A chain is written in the order of positions.
static bool confirm(const struct carry *carry, void *arg)
{
    const struct confirming *c = arg;
    if (carry->position > c->upto.position)
        return false;
    if (memcmp(carry->device, c->upto.device, HANDLE_SIZE) == 0)
        carry_delete(c->txn, c->community, carry->position);
    return true;
}

bool rejoin_meet(struct txn *txn, uint32_t community, uint64_t position, uint32_t tag)
{
    struct confirming c = {.txn = txn, .community = community};
    if (!carry_get(txn, community, position, &c.upto))
        return false;
    // The change itself: the hub has it and, as chains are hashed, all that went before it.
    if (tag == c.upto.tag) {
        carry_each(txn, community, confirm, &c);
        return false;
    }
    fold_out(txn, community, c.upto.device, c.upto.seq, c.upto.tag);
    return true;
}

// --- when all is pulled ---

// The record that a change was about, in the old chain's terms.
static enum err know_record(struct rejoining *r, struct carried *c)
{
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = log_get(r->txn, r->community, c->was.position, &entry);
    if (!err)
        err = merge_envelope(r->txn, entry.envelope, &arena, &envelope);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    merge_record(&envelope, c->was.device, c->was.seq, c->was.tag, &record);
    memcpy(c->id_was, record.id, ID_SIZE);
    return OK;
}

static bool add(const struct carry *carry, void *arg)
{
    struct rejoining *r = arg;
    r->list[r->n++] = (struct carried){.was = *carry};
    return r->n < r->cap;
}

static enum err gather(struct rejoining *r)
{
    r->cap = carry_count(r->txn, r->community);
    if (r->cap == 0 || txn_error(r->txn))
        return txn_error(r->txn);
    r->list = calloc(r->cap, sizeof *r->list);
    if (!r->list)
        return ERR_NOMEM;
    carry_each(r->txn, r->community, add, r);
    enum err err = txn_error(r->txn);
    for (size_t i = 0; i < r->n && !err; i++)
        err = know_record(r, &r->list[i]);
    return err ? err : rejoin_sort(r);
}

// What was written in the new chain meanwhile knows the old ids and dots: it is written anew behind
// what it knows. It was never pushed, so nobody has seen that chain.
static enum err take_back_own(struct rejoining *r)
{
    struct device *own = r->author->device;
    struct progress progress;
    progress_get(r->txn, r->community, &progress);
    assert(progress.receipt_seq == 0);
    if (own->seq == 0)
        return OK;
    enum err err = note_from(r->txn, r->community, own, 1);
    own->seq = 0;
    memset(own->head, 0, HASH_SIZE);
    device_put(r->txn, r->community, own);
    return err;
}

// Where the chain still points to it, it still has its effect.
static void take_out(struct rejoining *r, const struct carry *was)
{
    uint64_t position;
    if (log_find(r->txn, r->community, was->device, was->seq, &position) ||
        position != was->position)
        return;
    fold_out(r->txn, r->community, was->device, was->seq, was->tag);
    log_unlink(r->txn, r->community, was->position);
}

static enum err finish(struct rejoining *r, struct fault *fault)
{
    enum err err = take_back_own(r);
    if (!err)
        err = gather(r);
    for (size_t i = 0; i < r->n && !err; i++)
        take_out(r, &r->list[i].was);
    for (size_t i = 0; i < r->n && !err; i++)
        err = rejoin_write(r, &r->list[i], fault);
    for (size_t i = 0; i < r->n && !err; i++) {
        log_drop(r->txn, r->community, r->list[i].was.position);
        carry_delete(r->txn, r->community, r->list[i].was.position);
    }
    if (!err)
        name_map(r->txn, r->community, rejoin_map_id, r);
    return err ? err : txn_error(r->txn);
}

enum err rejoin_finish(struct txn *txn, const struct author *author, const uint8_t random[32],
                       uint32_t *carried, struct fault *fault)
{
    struct rejoining r = {
        .txn = txn, .author = author, .community = author->community->number, .random = random};
    *carried = 0;
    if (!carry_any(txn, r.community))
        return txn_error(txn);
    enum err err = finish(&r, fault);
    *carried = err ? 0 : (uint32_t)r.n;
    free(r.by_id);
    free(r.by_dot);
    free(r.list);
    return err;
}
