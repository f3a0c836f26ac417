#include <criterion/criterion.h>
#include <stdio.h>

#include "sync/digest.h"
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
    tree_append(txn, 1, position, &entry);
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
