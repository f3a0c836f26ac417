#include "sync/tree.h"

#include "sync/digest.h"
#include "sync/frontier.h"

static enum err leaf_node(struct txn *txn, uint32_t community, uint64_t position,
                          uint8_t node[HASH_SIZE])
{
    struct log_entry entry;
    enum err err = log_get(txn, community, position, &entry);
    if (!err)
        digest_log_leaf(position, entry.device, entry.seq, entry.leaf, node);
    return err;
}

// The lowest levels are made from the entries, those above are stored.
static enum err node_at(struct txn *txn, uint32_t community, unsigned level, uint64_t index,
                        uint8_t node[HASH_SIZE])
{
    uint8_t nodes[1 << (LOG_LOWEST_LEVEL - 1)][HASH_SIZE];
    if (level >= LOG_LOWEST_LEVEL)
        return log_get_node(txn, community, level, index, node);
    size_t n = (size_t)1 << level;
    enum err err = OK;
    for (size_t i = 0; i < n && !err; i++)
        err = leaf_node(txn, community, (index << level) + i + 1, nodes[i]);
    for (; n > 1 && !err; n /= 2) {
        for (size_t i = 0; i < n / 2; i++)
            digest_log_node(nodes[2 * i], nodes[2 * i + 1], nodes[i]);
    }
    if (!err)
        memcpy(node, nodes[0], HASH_SIZE);
    return err;
}

// The subtree of that level that is complete with this entry: of its two halves.
static enum err join(struct txn *txn, uint32_t community, unsigned level, uint64_t index,
                     const uint8_t right[HASH_SIZE], uint8_t node[HASH_SIZE])
{
    uint8_t left[HASH_SIZE];
    enum err err = node_at(txn, community, level - 1, 2 * index, left);
    if (!err)
        digest_log_node(left, right, node);
    return err;
}

void tree_append(struct txn *txn, uint32_t community, uint64_t position)
{
    struct buf nodes BUF_CLEANUP = {0};
    uint8_t node[HASH_SIZE];
    unsigned level = LOG_LOWEST_LEVEL;
    uint64_t index = (position >> level) - 1;
    if (position >> level << level != position)
        return;
    enum err err = node_at(txn, community, level - 1, 2 * index + 1, node);
    for (;; level++, index >>= 1) {
        if (!err)
            err = join(txn, community, level, index, node, node);
        buf_put(&nodes, BYTES(node));
        if (err || !(index & 1))
            break;
    }
    if (!err)
        err = nodes.err;
    if (err)
        txn_fail(txn, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
    else
        log_put_nodes(txn, community, position, buf_bytes(&nodes));
}

// The complete subtrees of the first `size` entries, from the right: the lowest bit of size is the
// rightmost.
enum err tree_root(struct txn *txn, uint32_t community, uint64_t size, uint8_t root[HASH_SIZE])
{
    struct hash hash;
    uint8_t node[HASH_SIZE];
    bool begun = false;
    hash_begin_bare(&hash);
    hash_end(&hash, root);
    for (unsigned level = 0; level < 64 && size >> level; level++) {
        if (!(size >> level & 1))
            continue;
        enum err err = node_at(txn, community, level, (size >> level) - 1, node);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
        if (begun)
            digest_log_node(node, root, root);
        else
            memcpy(root, node, HASH_SIZE);
        begun = true;
    }
    return OK;
}

enum err tree_grow(struct txn *txn, uint32_t community, uint64_t from, uint64_t to,
                   struct buf *nodes)
{
    uint8_t node[HASH_SIZE];
    while (from < to) {
        unsigned level = frontier_level(from, to - from);
        enum err err = node_at(txn, community, level, from >> level, node);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
        buf_put(nodes, BYTES(node));
        from += (uint64_t)1 << level;
    }
    return nodes->err;
}

// MTH(D[lo:hi]) of RFC 9162, where lo is a multiple of a power of two that is not less than hi -
// lo.
static enum err range_root(struct txn *txn, uint32_t community, uint64_t lo, uint64_t hi,
                           uint8_t root[HASH_SIZE])
{
    struct buf nodes BUF_CLEANUP = {0};
    enum err err = tree_grow(txn, community, lo, hi, &nodes);
    if (!err && nodes.n < HASH_SIZE)
        err = ERR_DAMAGED;
    if (err)
        return err;
    size_t at = nodes.n - HASH_SIZE;
    memcpy(root, nodes.p + at, HASH_SIZE);
    for (; at > 0; at -= HASH_SIZE)
        digest_log_node(nodes.p + at - HASH_SIZE, root, root);
    return OK;
}

// The largest power of two below n.
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k << 1 < n)
        k <<= 1;
    return k;
}

// What a path or a proof gathers on its way down, and gives from the bottom up.
struct climb {
    struct txn *txn;
    uint32_t community;
    uint8_t nodes[PATH_MAX_NODES][HASH_SIZE];
    size_t n;
    enum err err;
};

static void gather(struct climb *climb, uint64_t lo, uint64_t hi)
{
    if (!climb->err && climb->n == PATH_MAX_NODES)
        climb->err = ERR_LIMIT;
    if (!climb->err)
        climb->err = range_root(climb->txn, climb->community, lo, hi, climb->nodes[climb->n++]);
}

static enum err give(struct climb *climb, struct buf *nodes)
{
    for (size_t i = climb->n; !climb->err && i > 0; i--)
        buf_put(nodes, BYTES(climb->nodes[i - 1]));
    return climb->err ? climb->err : nodes->err;
}

enum err tree_path(struct txn *txn, uint32_t community, uint64_t position, uint64_t size,
                   struct buf *nodes)
{
    struct climb climb = {.txn = txn, .community = community};
    uint64_t index = position - 1;
    uint64_t lo = 0;
    uint64_t hi = size;
    while (hi - lo > 1 && !climb.err) {
        uint64_t k = split(hi - lo);
        if (index < lo + k) {
            gather(&climb, lo + k, hi);
            hi = lo + k;
        } else {
            gather(&climb, lo, lo + k);
            lo += k;
        }
    }
    return give(&climb, nodes);
}

enum err tree_consistency(struct txn *txn, uint32_t community, uint64_t old_size, uint64_t size,
                          struct buf *nodes)
{
    struct climb climb = {.txn = txn, .community = community};
    uint64_t lo = 0;
    uint64_t hi = size;
    while (old_size > 0 && old_size != hi && !climb.err) {
        uint64_t k = split(hi - lo);
        if (old_size <= lo + k) {
            gather(&climb, lo + k, hi);
            hi = lo + k;
        } else {
            gather(&climb, lo, lo + k);
            lo += k;
        }
    }
    if (old_size > 0 && lo > 0)
        gather(&climb, lo, hi);
    return give(&climb, nodes);
}
