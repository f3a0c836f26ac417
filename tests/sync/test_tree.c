#include <criterion/criterion.h>
#include <stdio.h>

#include "sync/digest.h"
#include "sync/frontier.h"
#include "sync/tree.h"
#include "tests/leaks.h"
#include "tests/sync/world.h"

enum { SIZE_UPTO = 300 };

static struct world world;
static uint8_t leaves[SIZE_UPTO][HASH_SIZE];

static void set_up(void)
{
    world_open(&world, 0);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(tree, .init = set_up, .fini = tear_down);

// RFC 9162 section 2.1.1, word for word: k is the largest power of two smaller than n.
static void naive_root(const uint8_t (*from)[HASH_SIZE], size_t n, uint8_t root[HASH_SIZE])
{
    struct hash hash;
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    size_t k = 1;
    if (n == 1) {
        memcpy(root, from[0], HASH_SIZE);
        return;
    }
    hash_begin_bare(&hash);
    if (n > 1) {
        while (2 * k < n)
            k *= 2;
        naive_root(from, k, left);
        naive_root(from + k, n - k, right);
        hash_put_u8(&hash, 1);
        hash_put(&hash, BYTES(left));
        hash_put(&hash, BYTES(right));
    }
    hash_end(&hash, root);
}

// The leaf as the table of docs/protocol.md says, byte by byte.
static void naive_leaf(uint64_t position, const struct log_entry *entry, uint8_t out[HASH_SIZE])
{
    struct buf buf BUF_CLEANUP = {0};
    struct hash hash;
    buf_put_u8(&buf, 0);
    buf_put(&buf, bytes_of("folkmoot log entry v1", 22));
    buf_put_be64(&buf, position);
    buf_put(&buf, BYTES(entry->device));
    buf_put_be32(&buf, entry->seq);
    buf_put(&buf, BYTES(entry->leaf));
    hash_begin_bare(&hash);
    hash_put(&hash, buf_bytes(&buf));
    hash_end(&hash, out);
}

static void append(struct txn *txn, uint64_t position)
{
    struct log_entry entry = {.form = LOG_BARE, .seq = (uint32_t)position};
    dice_bytes(&world.dice, entry.device, sizeof entry.device);
    dice_bytes(&world.dice, entry.leaf, sizeof entry.leaf);
    log_put(txn, 1, position, &entry, NULL);
    tree_append(txn, 1, position);
    naive_leaf(position, &entry, leaves[position - 1]);
}

Test(tree, has_the_root_of_the_rfc_at_every_size_while_it_grows)
{
    uint8_t root[HASH_SIZE];
    uint8_t expected[HASH_SIZE];
    struct txn *txn = txn_begin_write(world.hub);
    for (size_t n = 0; n <= SIZE_UPTO; n++) {
        if (n)
            append(txn, n);
        naive_root(leaves, n, expected);
        cr_assert_eq(tree_root(txn, 1, n, root), OK);
        cr_assert(memcmp(root, expected, HASH_SIZE) == 0, "at %zu", n);
    }
    txn_abort(&txn);
    expect_no_leaks();
}

Test(tree, remembers_the_root_of_every_earlier_size)
{
    uint8_t root[HASH_SIZE];
    uint8_t expected[HASH_SIZE];
    struct txn *txn = txn_begin_write(world.hub);
    for (size_t n = 1; n <= SIZE_UPTO; n++)
        append(txn, n);
    for (size_t n = 0; n <= SIZE_UPTO; n++) {
        naive_root(leaves, n, expected);
        cr_assert_eq(tree_root(txn, 1, n, root), OK);
        cr_assert(memcmp(root, expected, HASH_SIZE) == 0, "at %zu", n);
    }
    txn_abort(&txn);
}

Test(tree, says_so_when_an_entry_is_missing)
{
    uint8_t root[HASH_SIZE];
    struct txn *txn = txn_begin_write(world.hub);
    append(txn, 1);
    cr_expect_eq(tree_root(txn, 1, 2, root), ERR_DAMAGED);
    txn_abort(&txn);
}

// --- paths, consistency, growth ---

static void nodes_of(const struct buf *buf, struct bytes *nodes, struct list *list)
{
    cr_assert_eq(buf->n % HASH_SIZE, 0);
    *list = (struct list){nodes, buf->n / HASH_SIZE};
    for (size_t i = 0; i < list->n; i++)
        nodes[i] = bytes_of(buf->p + i * HASH_SIZE, HASH_SIZE);
}

enum { SIZE_PAIRS = 70 };

static struct txn *filled(void)
{
    struct txn *txn = txn_begin_write(world.hub);
    for (uint64_t position = 1; position <= SIZE_PAIRS; position++)
        append(txn, position);
    return txn;
}

Test(tree, proves_every_entry_and_every_beginning_of_every_size_and_nothing_else)
{
    struct txn *txn = filled();
    for (uint64_t n = 1; n <= SIZE_PAIRS; n++) {
        uint8_t root[HASH_SIZE];
        naive_root(leaves, n, root);
        for (uint64_t m = 1; m <= n; m++) {
            struct buf path BUF_CLEANUP = {0};
            struct buf proof BUF_CLEANUP = {0};
            struct bytes nodes[PATH_MAX_NODES];
            struct list list;
            uint8_t old[HASH_SIZE];
            cr_assert_eq(tree_path(txn, 1, m, n, &path), OK);
            nodes_of(&path, nodes, &list);
            cr_assert(frontier_path_holds(list, m - 1, n, leaves[m - 1], root), "%zu of %zu",
                      (size_t)m, (size_t)n);
            cr_assert_not(frontier_path_holds(list, m - 1, n, leaves[m], root));
            cr_assert_not(frontier_path_holds(list, m, n, leaves[m - 1], root));
            naive_root(leaves, m, old);
            cr_assert_eq(tree_consistency(txn, 1, m, n, &proof), OK);
            nodes_of(&proof, nodes, &list);
            cr_assert(frontier_is_consistent(list, m, old, n, root), "%zu to %zu", (size_t)m,
                      (size_t)n);
            old[5] ^= 1;
            cr_assert_not(frontier_is_consistent(list, m, old, n, root));
            old[5] ^= 1;
            root[5] ^= 1;
            cr_assert_not(frontier_is_consistent(list, m, old, n, root));
            root[5] ^= 1;
            if (list.n) {
                list.n--;
                cr_assert_not(frontier_is_consistent(list, m, old, n, root), "cut short");
            }
        }
    }
    txn_abort(&txn);
    expect_no_leaks();
}

Test(tree, grows_from_any_size_to_any_by_few_nodes)
{
    struct txn *txn = filled();
    for (uint64_t from = 0; from <= SIZE_PAIRS; from++) {
        struct frontier begun = {.size = 0};
        for (uint64_t i = 0; i < from; i++)
            frontier_append(&begun, 0, leaves[i]);
        for (uint64_t to = from; to <= SIZE_PAIRS; to++) {
            struct frontier frontier = begun;
            struct buf nodes BUF_CLEANUP = {0};
            uint8_t root[HASH_SIZE];
            uint8_t expected[HASH_SIZE];
            cr_assert_eq(tree_grow(txn, 1, from, to, &nodes), OK);
            for (size_t at = 0; at < nodes.n; at += HASH_SIZE)
                frontier_append(&frontier, frontier_level(frontier.size, to - frontier.size),
                                nodes.p + at);
            cr_assert_eq(frontier.size, to);
            frontier_root(&frontier, root);
            naive_root(leaves, to, expected);
            cr_assert_arr_eq(root, expected, HASH_SIZE, "%zu to %zu", (size_t)from, (size_t)to);
        }
    }
    txn_abort(&txn);
}
