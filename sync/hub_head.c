// The log's head, signed, and how the log grew since somebody saw it.

#include "storage/log.h"
#include "sync/digest.h"
#include "sync/frontier.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/tree.h"

static enum err sign(struct txn *txn, const struct community *community,
                     const struct kept_head *head, uint8_t signature[SIGN_SIZE])
{
    struct device hub;
    struct secret secret;
    struct buf transcript BUF_CLEANUP = {0};
    enum err err = hub_own_device(txn, community, &hub, &secret);
    if (err)
        return err;
    digest_head_transcript(head->community, head->log, head->size, head->root, &transcript);
    err =
        transcript.err ? transcript.err : sign_make(secret.seed, buf_bytes(&transcript), signature);
    bytes_wipe(&secret, sizeof secret);
    return err;
}

enum err hub_sign_head(struct txn *txn, const struct community *community, uint64_t size,
                       struct kept *kept, struct arena *arena, struct log_head *head,
                       struct bytes *signature)
{
    struct kept_head of = {.size = size};
    uint8_t signed_head[SIGN_SIZE];
    memcpy(of.community, community->id, COMMUNITY_SIZE);
    memcpy(of.log, community->log, HANDLE_SIZE);
    enum err err = tree_root(txn, community->number, size, of.root);
    if (!err && !(kept && kept_get_signature(kept, &of, signed_head))) {
        err = sign(txn, community, &of, signed_head);
        if (!err && kept)
            kept_put_signature(kept, &of, signed_head);
    }
    if (err)
        return err;
    *head = (struct log_head){arena_copy(arena, BYTES(of.log)), size,
                              arena_copy(arena, BYTES(of.root))};
    *signature = arena_copy(arena, BYTES(signed_head));
    return head->log.p && head->root.p && signature->p ? OK : ERR_NOMEM;
}

struct growing {
    struct txn *txn;
    uint32_t community;
    const struct device *device;
    uint64_t at; // the growth leads up to here
    uint64_t to;
    struct buf nodes;
    struct own_entries own[GROWTH_OWN_MAX];
    size_t own_n;
    bool full; // it leads only as far as fits
};

static enum err position_of(struct growing *g, uint32_t seq, uint64_t *position)
{
    enum err err = log_find(g->txn, g->community, g->device->handle, seq, position);
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

// The first of the device's changes behind a position: seqs and positions ascend together.
static enum err first_behind(struct growing *g, uint64_t position, uint32_t *seq)
{
    uint32_t low = 1;
    uint32_t high = g->device->seq + 1;
    while (low < high) {
        uint64_t at;
        uint32_t middle = low + (high - low) / 2;
        enum err err = position_of(g, middle, &at);
        if (err)
            return err;
        if (at > position)
            high = middle;
        else
            low = middle + 1;
    }
    *seq = low;
    return OK;
}

// Nodes up to a position, or as many as fit.
static enum err grow_to(struct growing *g, uint64_t to)
{
    while (g->at < to) {
        uint64_t next = g->at + ((uint64_t)1 << frontier_level(g->at, to - g->at));
        if (g->nodes.n >= (size_t)GROWTH_NODES_MAX * HASH_SIZE) {
            g->full = true;
            return OK;
        }
        enum err err = tree_grow(g->txn, g->community, g->at, next, &g->nodes);
        if (err)
            return err;
        g->at = next;
    }
    return OK;
}

static bool joins_last(const struct growing *g, uint64_t position, uint32_t seq)
{
    if (g->own_n == 0)
        return false;
    const struct own_entries *last = &g->own[g->own_n - 1];
    return last->position + last->count == position && last->seq + last->count == seq;
}

static enum err take_own(struct growing *g, uint64_t position, uint32_t seq)
{
    enum err err = grow_to(g, position - 1);
    if (err || g->full)
        return err;
    if (joins_last(g, position, seq)) {
        g->own[g->own_n - 1].count++;
    } else if (g->own_n == GROWTH_OWN_MAX) {
        g->full = true;
        return OK;
    } else {
        g->own[g->own_n++] = (struct own_entries){position, seq, 1};
    }
    g->at = position;
    return OK;
}

static enum err grow(struct growing *g)
{
    uint32_t seq = 0;
    enum err err = first_behind(g, g->at, &seq);
    for (; !err && !g->full && seq <= g->device->seq; seq++) {
        uint64_t position;
        err = position_of(g, seq, &position);
        if (!err && position > g->to)
            break;
        if (!err)
            err = take_own(g, position, seq);
    }
    return err || g->full ? err : grow_to(g, g->to);
}

static enum err give_growth(const struct growing *g, struct arena *arena, struct growth *growth)
{
    size_t n = g->nodes.n / HASH_SIZE;
    struct bytes nodes = arena_copy(arena, buf_bytes(&g->nodes));
    growth->nodes = (struct list){arena_alloc(arena, n + 1, sizeof(struct bytes)), n};
    growth->own = (struct list){arena_alloc(arena, g->own_n + 1, sizeof *g->own), g->own_n};
    if (!growth->nodes.p || !growth->own.p || (n && !nodes.p))
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        *LIST_AT(struct bytes, growth->nodes, i) = bytes_of(nodes.p + i * HASH_SIZE, HASH_SIZE);
    memcpy(growth->own.p, g->own, g->own_n * sizeof *g->own);
    return OK;
}

enum err hub_grow(struct txn *txn, const struct community *community, const struct device *device,
                  uint64_t from, struct arena *arena, struct growth *growth, uint64_t *to)
{
    struct growing *g = arena_alloc(arena, 1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct growing){.txn = txn,
                          .community = community->number,
                          .device = device,
                          .at = from,
                          .to = community->size};
    enum err err = grow(g);
    if (!err)
        err = give_growth(g, arena, growth);
    *to = g->at;
    buf_done(&g->nodes);
    return err;
}
