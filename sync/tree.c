#include "sync/tree.h"

#include "sync/digest.h"

static enum err leaf_node(struct txn *txn, uint32_t community, uint64_t position,
                          uint8_t node[HASH_SIZE])
{
    struct log_entry entry;
    enum err err = log_get(txn, community, position, &entry);
    if (!err)
        digest_log_leaf(position, entry.device, entry.seq, entry.leaf, node);
    return err;
}

// Level 0 is made from the entries, the levels above are stored.
static enum err node_at(struct txn *txn, uint32_t community, unsigned level, uint64_t index,
                        uint8_t node[HASH_SIZE])
{
    return level == 0 ? leaf_node(txn, community, index + 1, node)
                      : log_get_node(txn, community, level, index, node);
}

void tree_append(struct txn *txn, uint32_t community, uint64_t position,
                 const struct log_entry *entry)
{
    uint8_t node[HASH_SIZE];
    uint8_t left[HASH_SIZE];
    uint64_t index = position - 1;
    digest_log_leaf(position, entry->device, entry->seq, entry->leaf, node);
    for (unsigned level = 0; index & 1; level++) {
        enum err err = node_at(txn, community, level, index - 1, left);
        if (err) {
            txn_fail(txn, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
            return;
        }
        digest_log_node(left, node, node);
        index >>= 1;
        log_put_node(txn, community, level + 1, index, node);
    }
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
