#include "sync/frontier.h"

#include <assert.h>

#include "sync/digest.h"

unsigned frontier_level(uint64_t size, uint64_t n)
{
    unsigned level = 0;
    while (level < 62 && (size >> level & 1) == 0 && n >> (level + 1))
        level++;
    return level;
}

void frontier_append(struct frontier *frontier, unsigned level, const uint8_t node[HASH_SIZE])
{
    uint8_t root[HASH_SIZE];
    uint64_t size = frontier->size;
    assert(level < 63 && size % ((uint64_t)1 << level) == 0);
    memcpy(root, node, HASH_SIZE);
    frontier->size += (uint64_t)1 << level;
    for (; size >> level & 1; level++)
        digest_log_node(frontier->nodes[--frontier->n], root, root);
    assert(frontier->n < FRONTIER_MAX);
    memcpy(frontier->nodes[frontier->n++], root, HASH_SIZE);
}

void frontier_root(const struct frontier *frontier, uint8_t root[HASH_SIZE])
{
    struct hash hash;
    if (frontier->n == 0) {
        hash_begin_bare(&hash);
        hash_end(&hash, root);
        return;
    }
    memcpy(root, frontier->nodes[frontier->n - 1], HASH_SIZE);
    for (size_t i = frontier->n - 1; i > 0; i--)
        digest_log_node(frontier->nodes[i - 1], root, root);
}

static const uint8_t *node_at(struct list list, size_t i)
{
    const struct bytes *node = LIST_AT(struct bytes, list, i);
    return node->n == HASH_SIZE ? node->p : NULL;
}

static bool are_nodes(struct list list)
{
    for (size_t i = 0; i < list.n; i++) {
        if (!node_at(list, i))
            return false;
    }
    return true;
}

bool frontier_path_holds(struct list path, uint64_t index, uint64_t size,
                         const uint8_t leaf[HASH_SIZE], const uint8_t root[HASH_SIZE])
{
    uint8_t r[HASH_SIZE];
    if (index >= size || !are_nodes(path))
        return false;
    uint64_t fn = index;
    uint64_t sn = size - 1;
    memcpy(r, leaf, HASH_SIZE);
    for (size_t i = 0; i < path.n; i++) {
        const uint8_t *p = node_at(path, i);
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            digest_log_node(p, r, r);
            for (; !(fn & 1); fn >>= 1) // it is odd, or sn, which is not 0
                sn >>= 1;
        } else {
            digest_log_node(r, p, r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, HASH_SIZE) == 0;
}

struct consistency {
    uint64_t fn;
    uint64_t sn;
    uint8_t fr[HASH_SIZE];
    uint8_t sr[HASH_SIZE];
};

// False: the proof is too long.
static bool step(struct consistency *c, const uint8_t node[HASH_SIZE])
{
    if (c->sn == 0)
        return false;
    if (c->fn & 1 || c->fn == c->sn) {
        digest_log_node(node, c->fr, c->fr);
        digest_log_node(node, c->sr, c->sr);
        for (; !(c->fn & 1); c->fn >>= 1) // it is odd, or sn, which is not 0
            c->sn >>= 1;
    } else {
        digest_log_node(c->sr, node, c->sr);
    }
    c->fn >>= 1;
    c->sn >>= 1;
    return true;
}

bool frontier_is_consistent(struct list proof, uint64_t old_size, const uint8_t old_root[HASH_SIZE],
                            uint64_t size, const uint8_t root[HASH_SIZE])
{
    struct consistency c = {.fn = old_size - 1, .sn = size - 1};
    if (old_size == size)
        return proof.n == 0 && memcmp(old_root, root, HASH_SIZE) == 0;
    if (old_size == 0 || old_size > size || !are_nodes(proof))
        return old_size == 0 && proof.n == 0;
    bool is_power = (old_size & (old_size - 1)) == 0;
    if (!is_power && proof.n == 0)
        return false;
    const uint8_t *first = is_power ? old_root : node_at(proof, 0);
    for (; c.fn & 1; c.fn >>= 1)
        c.sn >>= 1;
    memcpy(c.fr, first, HASH_SIZE);
    memcpy(c.sr, first, HASH_SIZE);
    for (size_t i = is_power ? 0 : 1; i < proof.n; i++) {
        if (!step(&c, node_at(proof, i)))
            return false;
    }
    return c.sn == 0 && memcmp(c.fr, old_root, HASH_SIZE) == 0 &&
           memcmp(c.sr, root, HASH_SIZE) == 0;
}
