// Answering what a device asks of the log: whether its cursor holds, the pieces after it, the head.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "storage/record.h"
#include "sync/eye.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/hub_pull_private.h"
#include "sync/lineage.h"
#include "sync/merge.h"
#include "sync/narrow.h"
#include "sync/tree.h"

static uint32_t view_number(const struct eye *eye)
{
    return role_may_see(eye->role, KIND_CONTACT, CLASS_PERSONAL) == REACH_ALL ? VIEW_OF_COORDINATORS
                                                                              : VIEW_OF_ALL;
}

// --- the cursor ---

// Whether this log has what was seen of one up to that size: this one, or one that it goes on from.
static bool is_within(const struct pulling *p, struct bytes log, uint64_t size)
{
    uint64_t most;
    return log.n == HANDLE_SIZE && lineage_reaches(p->txn, &p->community, log.p, &most) &&
           size <= most && size <= p->community.size;
}

static enum err cursor_holds(struct pulling *p, const struct cursor *cursor, bool *holds)
{
    uint8_t root[HASH_SIZE];
    *holds = false;
    if (cursor->view != view_number(&p->eye) || !is_within(p, cursor->log, cursor->position))
        return OK;
    enum err err = tree_root(p->txn, p->community.number, cursor->position, root);
    if (!err)
        *holds = bytes_equal(cursor->root, bytes_of(root, CUT_SIZE));
    return err;
}

// Nothing of a chain is known whose change at that seq is another one here.
static enum err check_point(struct pulling *p, struct chain_point *point)
{
    uint64_t position;
    struct log_entry entry;
    if (point->tag == 0 || point->device.n != HANDLE_SIZE)
        return OK;
    enum err err = log_find(p->txn, p->community.number, point->device.p, point->seq, &position);
    if (!err)
        err = log_get(p->txn, p->community.number, position, &entry);
    if (!err && log_tag(&entry) != point->tag)
        point->seq = 0;
    return err == ERR_NOT_FOUND ? OK : err;
}

// A copy in the order of handles: it is asked for every entry.
static enum err sort_vector(struct pulling *p)
{
    struct list vector = p->request->vector;
    if (vector.n == 0)
        return OK;
    p->vector =
        (struct list){arena_alloc(p->arena, vector.n, sizeof(struct chain_point)), vector.n};
    if (!p->vector.p)
        return ERR_NOMEM;
    memcpy(p->vector.p, vector.p, vector.n * sizeof(struct chain_point));
    qsort(p->vector.p, vector.n, sizeof(struct chain_point), hub_by_device);
    enum err err = OK;
    for (size_t i = 0; i < vector.n && !err; i++)
        err = check_point(p, LIST_AT(struct chain_point, p->vector, i));
    return err;
}

// --- the answer ---

// What the caller has checked of this log; false when it is of another, or beyond its end.
static bool seen_size(const struct pulling *p, uint64_t *size)
{
    const struct log_head *seen = p->request->seen;
    const struct cursor *cursor = p->request->cursor;
    struct bytes log = seen && seen->log.n ? seen->log : cursor ? cursor->log : (struct bytes){0};
    *size = seen ? seen->size : cursor ? cursor->position : 0;
    return *size == 0 || is_within(p, log, *size);
}

// The head, and what leads to it from what was seen. Where that is too much for one answer the head
// is one on the way.
static enum err give_head(struct pulling *p, bool holds)
{
    struct sync_response *response = p->response;
    uint64_t from = 0;
    uint64_t to = p->community.size;
    enum err err = OK;
    response->head = arena_alloc(p->arena, 1, sizeof *response->head);
    if (!response->head)
        return ERR_NOMEM;
    if (seen_size(p, &from) && from < to) {
        struct device now; // the caller's chain may have grown since it was authenticated
        response->growth = arena_alloc(p->arena, 1, sizeof *response->growth);
        err = response->growth
                  ? device_get(p->txn, p->community.number, p->caller->device.handle, &now)
                  : ERR_NOMEM;
        if (!err)
            err = hub_grow(p->txn, &p->community, &now, from, p->arena, response->growth, &to);
    }
    if (!err)
        err = hub_sign_head(p->txn, &p->community, to, p->pulled->kept, p->arena, response->head,
                            &response->head_signature);
    response->more |= to < p->community.size;
    // Left out where it is the cursor's.
    const struct cursor *cursor = p->request->cursor;
    if (!err && cursor && holds && bytes_equal(cursor->log, BYTES(p->community.log)))
        response->head->log = (struct bytes){0};
    return err;
}

static enum err give(struct pulling *p)
{
    const struct sync_request *request = p->request;
    uint64_t from = request->cursor ? request->cursor->position : 0;
    uint64_t size = p->community.size;
    uint64_t seen = 0;
    bool holds = true;
    enum err err = request->cursor ? cursor_holds(p, request->cursor, &holds) : OK;
    bool is_renamed =
        request->cursor && !bytes_equal(request->cursor->log, BYTES(p->community.log));
    bool news = !holds || from < size || !request->cursor || is_renamed;
    p->response->cursor_lost = !holds;
    p->response->more = !holds || from < size;
    if (!err && p->pulled->is_begun)
        err = hub_go_on_with_pieces(p);
    else if (!err && holds && p->pulled->budget > 0 && from < size)
        err = hub_begin_pieces(p, from);
    p->pulled->pieces = p->response->pieces;
    if (!err && !p->pulled->is_unfinished && (news || !seen_size(p, &seen) || seen != size))
        err = give_head(p, holds);
    return err;
}

static size_t budget_of(const struct sync_request *request)
{
    size_t budget = request->has_answer_max ? request->answer_max : ANSWER_DEFAULT;
    return budget < ANSWER_MAX ? budget : ANSWER_MAX;
}

enum err hub_pull(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const struct sync_request *request, struct list receipts, struct arena *arena,
                  struct hub_pulled *pulled, struct sync_response *response, struct fault *fault)
{
    struct hub_pulled whole = {.is_begun = false};
    *response = (struct sync_response){.receipts = receipts};
    if (caller->device.role == ROLE_NONE)
        return OK;
    response->clock = now;
    uint64_t damage = txn_damage(txn);
    struct pulling p = {.txn = txn,
                        .caller = caller,
                        .request = request,
                        .arena = arena,
                        .response = response,
                        .now = now,
                        .pulled = pulled ? pulled : &whole,
                        .is_sliced = pulled};
    p.eye = (struct eye){.role = caller->device.role, .device = caller->device.handle};
    if (!p.pulled->is_begun)
        p.pulled->budget = p.pulled->wanted = budget_of(request);
    response->view = view_number(&p.eye);
    if (request->packings != PACKINGS_KNOWN)
        response->packings = PACKINGS_KNOWN;
    enum err err = community_get_number(txn, caller->community.number, &p.community);
    if (!err)
        err = sort_vector(&p);
    if (!err)
        err = give(&p);
    if (!err)
        err = txn_error(txn);
    // What is left out here would be taken for never said.
    if (!err && txn_damage(txn) != damage)
        err = ERR_DAMAGED;
    buf_done(&p.entries);
    buf_done(&p.devices);
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    return OK;
}
