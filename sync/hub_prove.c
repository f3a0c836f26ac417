// Proofs of one change and of consistency, all to one signed head.

#include "proto/change.h"
#include "storage/log.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/eye.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/merge.h"
#include "sync/tree.h"

struct proving {
    struct txn *txn;
    const struct hub_caller *caller;
    const struct community *community;
    struct arena *arena;
    struct change_proof *proof;
    struct device author;
};

static enum err give_nodes(struct proving *p, const struct buf *nodes, struct list *list)
{
    size_t n = nodes->n / HASH_SIZE;
    struct bytes copy = arena_copy(p->arena, buf_bytes(nodes));
    *list = (struct list){arena_alloc(p->arena, n + 1, sizeof(struct bytes)), n};
    if (!list->p || (n && !copy.p))
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        *LIST_AT(struct bytes, *list, i) = bytes_of(copy.p + i * HASH_SIZE, HASH_SIZE);
    return OK;
}

// Whether the caller may see it at all.
static enum err check_sight(struct proving *p, const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct eye eye = {.role = p->caller->device.role, .device = p->caller->device.handle};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (entry->form == LOG_BARE)
        return ERR_NOT_FOUND;
    enum err err = merge_envelope(p->txn, entry->envelope, &arena, &envelope);
    if (err)
        return err;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    return eye_sees(&eye, envelope.class, entry->device, &record) ? OK : ERR_NOT_FOUND;
}

// The salt leads from the words to the leaf; where they are not, their hash does.
static enum err give_body(struct proving *p, uint64_t position, const struct log_entry *entry)
{
    struct log_body body;
    uint8_t body_hash[HASH_SIZE];
    memcpy(body_hash, entry->body_hash, HASH_SIZE);
    if (entry->form == LOG_WHOLE) {
        enum err err = log_get_body(p->txn, p->community->number, position, &body);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
        digest_body(body.salt, body.fields, body_hash);
        p->proof->salt = arena_copy(p->arena, BYTES(body.salt));
    }
    p->proof->body_hash = arena_copy(p->arena, BYTES(body_hash));
    bool made = p->proof->body_hash.p && (p->proof->salt.p || entry->form != LOG_WHOLE);
    return made ? OK : ERR_NOMEM;
}

static enum err give_leaves(struct proving *p, uint32_t seq, uint32_t last)
{
    struct buf leaves BUF_CLEANUP = {0};
    for (uint32_t next = seq + 1; next > seq && next <= last; next++) {
        uint64_t position;
        struct log_entry entry;
        enum err err = log_find(p->txn, p->community->number, p->author.handle, next, &position);
        if (!err)
            err = log_get(p->txn, p->community->number, position, &entry);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
        buf_put(&leaves, BYTES(entry.leaf));
    }
    return leaves.err ? leaves.err : give_nodes(p, &leaves, &p->proof->leaves);
}

static enum err give_run(struct proving *p, uint32_t seq)
{
    struct log_run run;
    uint8_t before[HASH_SIZE] = {0};
    struct change_proof *proof = p->proof;
    enum err err = chain_head_at(p->txn, p->community, &p->author, seq - 1, before);
    if (!err)
        err = log_run_from(p->txn, p->community->number, p->author.handle, seq, &run);
    if (!err && run.last - seq >= RUN_CHANGES_MAX)
        err = ERR_DAMAGED;
    if (!err)
        err = give_leaves(p, seq, run.last);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    proof->key = arena_copy(p->arena, BYTES(p->author.key));
    proof->head_before = arena_copy(p->arena, BYTES(before));
    proof->signature = arena_copy(p->arena, BYTES(run.signature));
    proof->seen = arena_alloc(p->arena, 1, sizeof *proof->seen);
    if (!proof->key.p || !proof->head_before.p || !proof->signature.p || !proof->seen)
        return ERR_NOMEM;
    *proof->seen = (struct log_head){arena_copy(p->arena, BYTES(run.seen_log)), run.seen_size,
                                     arena_copy(p->arena, BYTES(run.seen_root))};
    return proof->seen->log.p && proof->seen->root.p ? OK : ERR_NOMEM;
}

static enum err give_path(struct proving *p, uint64_t position)
{
    struct buf path BUF_CLEANUP = {0};
    enum err err = tree_path(p->txn, p->community->number, position, p->community->size, &path);
    return err ? err : give_nodes(p, &path, &p->proof->path);
}

static enum err prove_change(struct proving *p, const uint8_t *handle, uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = device_get(p->txn, p->community->number, handle, &p->author);
    if (!err)
        err = log_find(p->txn, p->community->number, handle, seq, &position);
    if (!err)
        err = log_get(p->txn, p->community->number, position, &entry);
    if (!err)
        err = check_sight(p, &entry);
    if (err)
        return err;
    p->proof->position = position;
    err = give_body(p, position, &entry);
    if (!err)
        err = give_path(p, position);
    return err ? err : give_run(p, seq);
}

enum err hub_prove(struct txn *txn, const struct hub_caller *caller,
                   const struct prove_request *request, struct arena *arena,
                   struct prove_response *response, struct fault *fault)
{
    struct community community;
    struct buf consistency BUF_CLEANUP = {0};
    struct proving p = {.txn = txn, .caller = caller, .community = &community, .arena = arena};
    enum err err = community_get_number(txn, caller->community.number, &community);
    if (err)
        return err;
    if (request->old_size > community.size)
        return fault_set(fault, ERR_MALFORMED, "ProveRequest: the log has %llu entries, not %llu",
                         (unsigned long long)community.size, (unsigned long long)request->old_size);
    *response = (struct prove_response){.head = arena_alloc(arena, 1, sizeof *response->head)};
    err = response->head ? hub_sign_head(txn, &community, community.size, NULL, arena,
                                         response->head, &response->head_signature)
                         : ERR_NOMEM;
    if (!err && request->device.n) {
        response->change = p.proof = arena_alloc(arena, 1, sizeof *p.proof);
        err = p.proof ? prove_change(&p, request->device.p, request->seq) : ERR_NOMEM;
    }
    if (!err && request->old_size)
        err = tree_consistency(txn, community.number, request->old_size, community.size,
                               &consistency);
    if (!err)
        err = give_nodes(&p, &consistency, &response->consistency);
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "no such change");
    return err ? fault_set(fault, err, "the log could not be read: %s", err_text(err)) : OK;
}
