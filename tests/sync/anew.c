#include "tests/sync/anew.h"

static bool take_order(const struct store_order *order, void *arg)
{
    buf_put(arg, bytes_of(order, sizeof *order));
    return true;
}

enum err anew_begin(struct store *hub, uint32_t number, const uint8_t identity_seed[SIGN_SEED_SIZE],
                    int64_t now, const struct hub_found_random *found, const uint8_t *salts,
                    struct community *community)
{
    struct buf orders BUF_CLEANUP = {0};
    struct fault fault = {0};
    uint64_t erased = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_write(hub);
    store_orders_lost(txn);
    enum err err = txn_commit(&txn);
    if (!err)
        err = store_orders_each(hub, take_order, &orders);
    txn = txn_begin_write(hub);
    if (!err)
        err = orders.err ? orders.err : community_get_number(txn, number, community);
    if (!err)
        err = hub_begin_anew(txn, identity_seed, now, found, community, &fault);
    struct hub_decider decider = {
        .txn = txn, .community = community, .now = now, .random = salts, .fault = &fault};
    if (!err)
        err = hub_erase_again(&decider, (const struct store_order *)(const void *)orders.p,
                              orders.n / sizeof(struct store_order), &erased);
    if (!err)
        err = hub_roles_again(&decider, (const struct store_order *)(const void *)orders.p,
                              orders.n / sizeof(struct store_order));
    if (!err)
        (void)store_orders_known(txn);
    return err ? err : txn_commit(&txn);
}
