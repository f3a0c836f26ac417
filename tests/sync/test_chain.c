#include <criterion/criterion.h>

#include "sync/chain.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"

enum { CHANGES = 40 };

static struct world world;
static uint8_t heads[CHANGES + 1][HASH_SIZE];

static void write_one(size_t device)
{
    static const uint8_t fields[] = {0x42, 1, 'x'};
    struct envelope envelope = {.kind = KIND_NEED, .time = world.now};
    struct world_change change;
    cr_assert_eq(world_write(&world, device, &envelope, BYTES(fields), &change), OK);
}

// Device 1 writes, and its heads are noted on the way.
static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 3);
    for (size_t i = 1; i <= CHANGES; i++) {
        struct community community;
        struct device own;
        write_one(1);
        struct txn *txn = txn_begin_read(world.devices[1].store);
        world_self(txn, &world.devices[1], &community, &own);
        memcpy(heads[i], own.head, HASH_SIZE);
        txn_abort(&txn);
    }
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(chain, .init = set_up, .fini = tear_down);

static void expect_heads(struct store *store, uint32_t number)
{
    struct community community;
    struct device device;
    uint8_t head[HASH_SIZE];
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(community_get_number(txn, number, &community), OK);
    cr_assert_eq(device_get(txn, number, world.devices[1].handle, &device), OK);
    cr_assert_eq(device.seq, CHANGES);
    for (uint32_t seq = 0; seq <= CHANGES; seq++) {
        cr_assert_eq(chain_head_at(txn, &community, &device, seq, head), OK);
        cr_assert(memcmp(head, heads[seq], HASH_SIZE) == 0, "at %u", seq);
    }
    cr_expect_eq(chain_head_at(txn, &community, &device, CHANGES + 1, head), ERR_NOT_FOUND);
}

Test(chain, tells_its_head_at_every_seq_on_the_device)
{
    expect_heads(world.devices[1].store, world.devices[1].community);
    expect_no_leaks();
}

Test(chain, tells_its_head_at_every_seq_on_the_hub_whatever_the_runs_were)
{
    struct exchange_options options = {60, 1 << 16};
    struct exchange_report report = {0};
    for (size_t i = 0; report.pushed < CHANGES; i++) {
        struct buf request BUF_CLEANUP = {0};
        struct buf answer BUF_CLEANUP = {0};
        options.push_max = 60 + 40 * (uint32_t)(i % 4);
        network_ask(&world, 1, &options, &request);
        cr_assert_eq(network_serve(&world, 1, buf_bytes(&request), &answer, NULL), OK);
        cr_assert_eq(network_hear(&world, 1, buf_bytes(&answer), 9, &report, NULL), OK);
        cr_assert_lt(i, 100);
    }
    expect_heads(world.hub, world.community);
    expect_heads(world.devices[1].store, world.devices[1].community);
}

Test(chain, goes_on_by_one_hash_of_the_table_a_change)
{
    struct hash hash;
    uint8_t head[HASH_SIZE] = {0};
    uint8_t leaf[HASH_SIZE] = {5};
    uint8_t key[KEY_SIZE] = {6};
    uint8_t expected[HASH_SIZE];
    uint8_t zeros[HASH_SIZE] = {0};
    hash_begin(&hash, "folkmoot head v1");
    hash_put(&hash, BYTES(world.id));
    hash_put(&hash, BYTES(key));
    hash_put_be32(&hash, 1);
    hash_put(&hash, BYTES(zeros));
    hash_put(&hash, BYTES(leaf));
    hash_end(&hash, expected);
    digest_head(world.id, key, 1, leaf, head);
    cr_expect(memcmp(head, expected, HASH_SIZE) == 0);
}
