// What a hub decides about devices: their roles, revocations, and what comes back when one of these
// is withdrawn.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/merge.h"
#include "sync/tree.h"

// A device of the community that is no hub's chain, and the seq of its next change.
static enum err find_device(struct hub_decider *decider, const uint8_t handle[HANDLE_SIZE],
                            uint32_t *next)
{
    struct device device;
    enum err err = device_get(decider->txn, decider->community->number, handle, &device);
    if (err == ERR_NOT_FOUND)
        return fault_set(decider->fault, err, "no such device in this community");
    if (!err && device.role == ROLE_HUB)
        return fault_set(decider->fault, ERR_MALFORMED, "a hub's own chain has no other role");
    *next = device.seq == UINT32_MAX ? device.seq : device.seq + 1;
    return err;
}

// What was granted last, be the device revoked or not.
struct granted {
    enum role role;
    uint32_t from; // the greatest
    bool revoked;
};

static bool look_at_row(const struct role_row *row, void *arg)
{
    struct granted *granted = arg;
    if (row->role == ROLE_NONE) {
        granted->revoked = true;
    } else {
        granted->role = row->role;
        granted->from = row->from;
    }
    return true;
}

static struct granted granted_to(struct hub_decider *decider, const uint8_t handle[HANDLE_SIZE])
{
    struct granted granted = {.role = ROLE_NONE};
    role_each(decider->txn, decider->community->number, handle, look_at_row, &granted);
    return granted;
}

// So that a restored backup does not bring back what was taken from a device since.
static void note(struct hub_decider *decider, enum order_what what,
                 const uint8_t handle[HANDLE_SIZE], uint32_t from, uint32_t role)
{
    struct store_order order = {.what = what, .seq = from, .role = role};
    memcpy(order.handle, handle, HANDLE_SIZE);
    order_note(decider->txn, decider->community->number, &order);
}

static bool may_be_granted(uint32_t role)
{
    return role >= ROLE_MEMBER && role <= ROLE_OBSERVER;
}

static enum err grant_from(struct hub_decider *decider, const struct record_key *asked,
                           const uint8_t handle[HANDLE_SIZE], enum role role, uint32_t from)
{
    struct role_grant grant = {
        .device = bytes_of(handle, HANDLE_SIZE), .role = (uint32_t)role, .from = from};
    struct hub_edits edits = {.decider = decider, .asked = {(void *)asked, asked ? 1 : 0}};
    hub_edits_put(&edits, FIELD_GRANT, &role_grant_message, &grant);
    note(decider, ORDER_ROLE, handle, from, (uint32_t)role);
    return hub_edits_end(&edits);
}

enum err hub_grant(struct hub_decider *decider, const struct record_key *asked,
                   const uint8_t handle[HANDLE_SIZE], enum role role)
{
    uint32_t from = 0;
    if (!may_be_granted(role))
        return fault_set(decider->fault, ERR_MALFORMED,
                         "the role is member, volunteer, coordinator or observer");
    enum err err = find_device(decider, handle, &from);
    struct granted granted = granted_to(decider, handle);
    // Whose answer was lost asks again: it is decided once.
    if (err || granted.role == role)
        return err ? err : txn_error(decider->txn);
    // On a restored hub a role may begin at a change that has not come again yet.
    return grant_from(decider, asked, handle, role, from > granted.from ? from : granted.from);
}

static enum err revoke_from(struct hub_decider *decider, const struct record_key *asked,
                            const uint8_t handle[HANDLE_SIZE], uint32_t from)
{
    struct revocation revocation = {.device = bytes_of(handle, HANDLE_SIZE), .from = from};
    struct hub_edits edits = {.decider = decider, .asked = {(void *)asked, asked ? 1 : 0}};
    hub_edits_put(&edits, FIELD_REVOCATION, &revocation_message, &revocation);
    note(decider, ORDER_REVOCATION, handle, from, true);
    decider->effects.revoked = true;
    return hub_edits_end(&edits);
}

enum err hub_revoke(struct hub_decider *decider, const struct record_key *asked,
                    const uint8_t handle[HANDLE_SIZE])
{
    uint32_t from = 0;
    enum err err = find_device(decider, handle, &from);
    if (err || granted_to(decider, handle).revoked)
        return err ? err : txn_error(decider->txn);
    return revoke_from(decider, asked, handle, from);
}

// --- withdrawing ---

// Decisions to go over, gathered before anything is written.
struct gathering {
    struct decided *decided;
    size_t n;
    size_t cap;
    bool full;                   // memory ran out
    struct hub_decider *decider; // of refusals, and below
    uint32_t from;
    uint32_t to;
    struct buf changes; // of seqs and tags, 4 bytes each
};

static bool gather(struct gathering *g, const struct decided *decided)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 16;
        struct decided *grown = realloc(g->decided, cap * sizeof *grown);
        g->full = !grown;
        if (!grown)
            return false;
        g->decided = grown;
        g->cap = cap;
    }
    g->decided[g->n++] = *decided;
    return true;
}

static enum err withdraw_all(struct hub_decider *decider, const struct record_key *asked,
                             struct gathering *g)
{
    enum err err = g->full || g->changes.err ? ERR_NOMEM : txn_error(decider->txn);
    for (size_t i = 0; i < g->n && !err; i++)
        err = hub_withdraw(decider, asked, &g->decided[i]);
    return err;
}

static void gathering_done(struct gathering *g)
{
    free(g->decided);
    buf_done(&g->changes);
}

static bool gather_revocation(const struct role_row *row, void *arg)
{
    return row->role != ROLE_NONE || gather(arg, &row->decided);
}

enum err hub_reinstate(struct hub_decider *decider, const struct record_key *asked,
                       const uint8_t handle[HANDLE_SIZE])
{
    struct gathering g = {0};
    uint32_t next = 0;
    enum err err = find_device(decider, handle, &next);
    if (err)
        return err;
    role_each(decider->txn, decider->community->number, handle, gather_revocation, &g);
    err = withdraw_all(decider, asked, &g);
    if (!err && g.n == 0)
        err = fault_set(decider->fault, ERR_WRONG_STATE, "this device is not revoked");
    if (!err)
        note(decider, ORDER_REVOCATION, handle, next, false);
    gathering_done(&g);
    return err;
}

// --- after a restore ---

// Who came in since then is not known here; by the same key they do not come in again.
static enum err order_again(struct hub_decider *decider, const struct store_order *order)
{
    struct device device = {.role = ROLE_NONE};
    enum err err = device_get(decider->txn, decider->community->number, order->handle, &device);
    bool is_known = err == OK;
    if ((err && err != ERR_NOT_FOUND) || device.role == ROLE_HUB)
        return err;
    if (order->what == ORDER_REVOCATION && order->role)
        return revoke_from(decider, NULL, order->handle, order->seq);
    if (order->what == ORDER_REVOCATION)
        return is_known && granted_to(decider, order->handle).revoked
                   ? hub_reinstate(decider, NULL, order->handle)
                   : OK;
    return is_known && may_be_granted(order->role)
               ? grant_from(decider, NULL, order->handle, (enum role)order->role, order->seq)
               : OK;
}

static bool is_to_follow(const struct hub_decider *decider, const struct store_order *order)
{
    return order->is_new && (order->what == ORDER_ROLE || order->what == ORDER_REVOCATION) &&
           memcmp(order->community, decider->community->id, COMMUNITY_SIZE) == 0;
}

// One after the other, from the same changes on: what was written in between had a receipt by the
// role of that time. What the database knows of was followed, and may have been decided otherwise
// since.
enum err hub_roles_again(struct hub_decider *decider, const struct store_order *orders, size_t n)
{
    enum err err = OK;
    for (size_t i = 0; i < n && !err; i++) {
        if (is_to_follow(decider, &orders[i]))
            err = order_again(decider, &orders[i]);
    }
    return err ? err : txn_error(decider->txn);
}

// Whether a coordinator might have written it: then one may vouch for it.
static bool is_sound(const struct gathering *g, const struct apart *apart)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct device author;
    struct txn *txn = g->decider->txn;
    uint32_t community = g->decider->community->number;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    return log_find(txn, community, apart->device, apart->seq, &position) == OK &&
           log_get(txn, community, position, &entry) == OK && log_tag(&entry) == apart->tag &&
           !txn_failed(txn, log_get_body(txn, community, position, &body)) &&
           !merge_envelope(txn, entry.envelope, &arena, &envelope) &&
           schema_check(&envelope, body.fields) == REASON_NONE &&
           device_get(txn, community, apart->device, &author) == OK &&
           role_judge(ROLE_COORDINATOR, g->decider->community->id, &author, &envelope) ==
               REASON_NONE;
}

static bool gather_refusal(const struct apart *apart, void *arg)
{
    struct gathering *g = arg;
    bool is_named = g->from == g->to && apart->reason == REASON_NOT_PERMITTED;
    if (apart->seq < g->from || apart->seq > g->to ||
        (apart->reason != REASON_REVOKED && !is_named) || !is_sound(g, apart))
        return true;
    buf_put_be32(&g->changes, apart->seq);
    buf_put_be32(&g->changes, apart->tag);
    return gather(g, &apart->decided);
}

// Whoever passed it over while it was set apart finds it again at its new place.
static enum err enter_again(struct hub_decider *decider, const uint8_t handle[HANDLE_SIZE],
                            uint32_t seq)
{
    struct community *community = decider->community;
    struct log_entry entry;
    uint64_t first;
    enum err err = log_find(decider->txn, community->number, handle, seq, &first);
    if (!err)
        err = log_get(decider->txn, community->number, first, &entry);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    struct log_entry again = {.form = LOG_AGAIN, .seq = seq, .first = first};
    memcpy(again.device, handle, HANDLE_SIZE);
    memcpy(again.leaf, entry.leaf, HASH_SIZE);
    uint64_t position = ++community->size;
    log_put(decider->txn, community->number, position, &again, NULL);
    tree_append(decider->txn, community->number, position);
    struct community stored = *community;
    community_put(decider->txn, &stored);
    return txn_error(decider->txn);
}

// What a change that takes effect now asks of the hub is done now.
static enum err act_on(struct hub_acting *acting, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    struct hub_decider *decider = acting->decider;
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct record_key record;
    struct device asker;
    struct arena arena ARENA_CLEANUP;
    uint32_t community = decider->community->number;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = log_find(decider->txn, community, handle, seq, &position);
    if (!err)
        err = log_get(decider->txn, community, position, &entry);
    if (!err)
        err = log_get_body(decider->txn, community, position, &body);
    struct bytes fields = err ? (struct bytes){0} : arena_copy(&arena, body.fields);
    struct bytes copy = err ? (struct bytes){0} : arena_copy(&arena, entry.envelope);
    if (!err && (!fields.p || !copy.p))
        err = ERR_NOMEM;
    if (!err)
        err = merge_envelope(decider->txn, copy, &arena, &envelope);
    if (!err)
        err = device_get(decider->txn, community, handle, &asker);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    merge_record(&envelope, handle, seq, log_tag(&entry), &record);
    return hub_act(acting, &asker, &record, fields);
}

static enum err enter_all_again(struct hub_decider *decider, const uint8_t handle[HANDLE_SIZE],
                                const struct gathering *g, uint32_t *released)
{
    enum err err = OK;
    struct hub_acting acting;
    hub_act_begin(&acting, decider);
    for (size_t i = 0; i < g->n && !err; i++) {
        uint32_t seq = be32_get(g->changes.p + i * 8);
        uint32_t tag = be32_get(g->changes.p + i * 8 + 4);
        if (apart_get(decider->txn, decider->community->number, handle, seq, tag) != REASON_NONE)
            continue;
        err = enter_again(decider, handle, seq);
        if (!err)
            err = act_on(&acting, handle, seq);
        ++*released;
    }
    return hub_act_end(&acting, err);
}

enum err hub_release(struct hub_decider *decider, const struct record_key *asked,
                     const uint8_t handle[HANDLE_SIZE], uint32_t from, uint32_t to,
                     uint32_t *released)
{
    struct gathering g = {.decider = decider, .from = from, .to = to};
    *released = 0;
    apart_each(decider->txn, decider->community->number, handle, gather_refusal, &g);
    enum err err = withdraw_all(decider, asked, &g);
    if (!err)
        err = enter_all_again(decider, handle, &g, released);
    gathering_done(&g);
    return err;
}
