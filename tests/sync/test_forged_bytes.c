// Every bit of an honest run, altered on its way: nothing is taken but what its author signed.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/leaks.h"
#include "tests/sync/forge.h"

static struct forge f;

static void set_up(void)
{
    forge_begin(&f);
}

static void tear_down(void)
{
    forge_end(&f);
}

TestSuite(forged_bytes, .init = set_up, .fini = tear_down);

// Takes it as the hub would, and takes that back. The receipt lives in the arena.
static enum err try_bytes(struct bytes bytes, struct arena *of, struct receipt *receipt)
{
    static const uint8_t random[32];
    struct sync_request request = {0};
    struct hub_push_plan *plan = NULL;
    struct hub_effects effects = {0};
    struct list receipts = {0};
    struct hub_caller caller = world_caller(&f.world, FORGE_AUTHOR);
    f.fault = (struct fault){0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(f.world.hub);
    enum err err = message_decode(&sync_request_message, bytes, of, &request, &f.fault);
    if (!err)
        err = hub_check_push(txn, &caller, &request, of, &plan, &f.fault);
    if (!err && plan)
        err = hub_push(txn, &caller, f.world.now, random, plan, of, &receipts, &effects, &f.fault);
    *receipt = receipts.n ? *LIST_AT(struct receipt, receipts, 0) : (struct receipt){0};
    txn_abort(&txn);
    return err;
}

enum outcome {
    REFUSED,   // with a sentence
    GAP,       // it begins elsewhere, so that its signature is not looked at
    NO_RUN,    // it is a field that nobody knows
    AS_SIGNED, // what was altered is no part of any change
    TAKEN,     // what nobody signed
    OUTCOMES,
};

static enum outcome outcome_of(enum err err, const struct receipt *receipt)
{
    bool is_fault = err == ERR_MALFORMED || err == ERR_LIMIT || err == ERR_FORBIDDEN;
    if (err)
        return is_fault && strlen(f.fault.text) > 10 ? REFUSED : TAKEN;
    if (!receipt->head.p)
        return NO_RUN;
    if (receipt->standing == STANDING_GAP && receipt->seq == f.made.first - 1)
        return GAP;
    bool is_signed = receipt->standing == STANDING_OK && receipt->set_apart.n == 0 &&
                     bytes_equal(receipt->head, bytes_of(f.made.head, CUT_SIZE));
    return is_signed ? AS_SIGNED : TAKEN;
}

// Every bit of every byte of the run in the request.
static void alter_each(struct bytes encoded, size_t from, size_t counts[OUTCOMES])
{
    for (size_t i = from * 8; i < encoded.n * 8; i++) {
        struct receipt receipt;
        struct arena scratch ARENA_CLEANUP;
        arena_init(&scratch, 16 << 20);
        uint8_t *copy = arena_alloc(&scratch, 1, encoded.n);
        cr_assert_not_null(copy);
        memcpy(copy, encoded.p, encoded.n);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        enum err err = try_bytes(bytes_of(copy, encoded.n), &scratch, &receipt);
        enum outcome outcome = outcome_of(err, &receipt);
        counts[outcome]++;
        cr_expect_neq(outcome, TAKEN, "bit %zu: %s, standing %u, seq %u: %s", i, err_text(err),
                      receipt.standing, receipt.seq, f.fault.text);
    }
}

// The run in a pack of this packing.
static void close_run(enum packing packing)
{
    char title[200] = {0};
    memset(title, 'a', sizeof title - 1);
    handmade_done(&f.made);
    forge_start(&f, &f.made, FORGE_AUTHOR);
    for (size_t i = 0; i < FORGE_RUN; i++)
        handmade_need(&f.made, packing == PACKING_PLAIN ? "a bench" : title, NULL);
    f.made.packings = 1u << packing;
    handmade_close(&f.made, &f.forged);
    f.forged.packings = 0;
    const struct pack *pack = LIST_AT(struct pack, forge_run(&f.forged)->packs, 0);
    cr_assert_eq(pack->packing, packing);
}

static void expect_honest_taken(void)
{
    struct receipt receipt;
    cr_expect_eq(forge_push(&f, &f.forged, &receipt), OK, "%s", f.fault.text);
    cr_expect_eq(receipt.seq, f.made.first + FORGE_RUN - 1);
    forge_next(&f);
}

static void alter(enum packing packing)
{
    static const char *const names[] = {
        [PACKING_PLAIN] = "plain", [PACKING_ZSTD] = "zstd", [PACKING_COLUMNS] = "columns"};
    size_t counts[OUTCOMES] = {0};
    struct buf encoded BUF_CLEANUP = {0};
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    close_run(packing);
    message_encode(&sync_request_message, &(struct sync_request){.version = PROTOCOL_VERSION},
                   &encoded);
    size_t from = encoded.n; // version alone
    buf_reset(&encoded);
    message_encode(&sync_request_message, &f.forged, &encoded);
    world_dump(f.world.hub, &before);
    alter_each(buf_bytes(&encoded), from, counts);
    world_dump(f.world.hub, &after);
    printf("%s, %zu bytes: of %zu alterations %zu refused, %zu after a gap, %zu no run, %zu as "
           "signed\n",
           names[packing], encoded.n - from, 8 * (encoded.n - from), counts[REFUSED], counts[GAP],
           counts[NO_RUN], counts[AS_SIGNED]);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
    cr_expect_eq(counts[REFUSED] + counts[GAP] + counts[NO_RUN] + counts[AS_SIGNED],
                 8 * (encoded.n - from));
    cr_expect_gt(counts[REFUSED], 7 * (encoded.n - from));
    expect_honest_taken();
}

Test(forged_bytes, change_nothing_of_what_is_taken)
{
    alter(PACKING_PLAIN);
    alter(PACKING_ZSTD);
    alter(PACKING_COLUMNS);
    expect_no_leaks();
}
