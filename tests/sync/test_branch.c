// Chains that part: a cloned or restored phone is told so, and the proof of both branches is kept,
// without words. And husks, whose words their author erased before anybody saw them.

#include <criterion/criterion.h>

#include "base/sign.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "storage/erasure.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

static struct world world;
static struct arena arena;
static struct handmade made;
static struct sync_request request;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 1);
    arena_init(&arena, 64 << 20);
    handmade_init(&made, &world, 1, 10, &arena);
}

static void tear_down(void)
{
    handmade_done(&made);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(branch, .init = set_up, .fini = tear_down);

static void make_three(void)
{
    handmade_need(&made, "a bench", NULL);
    handmade_need(&made, "a crossing", NULL);
    handmade_need(&made, "a roof", NULL);
    handmade_close(&made, &request);
}

static struct receipt push(void)
{
    struct list receipts;
    cr_assert_eq(network_push(&world, 1, &request, &arena, &receipts, &fault), OK, "%s",
                 fault.text);
    cr_assert_eq(receipts.n, 1);
    return *LIST_AT(struct receipt, receipts, 0);
}

static void expect_refused(enum err expected)
{
    struct list receipts;
    uint64_t before = world_log_size(&world);
    cr_expect_eq(network_push(&world, 1, &request, &arena, &receipts, &fault), expected);
    cr_expect_eq(world_log_size(&world), before);
}

// The push is of another branch: it is told so, and the chain is as it was. The proof is kept once.
static void expect_fork(uint32_t seq)
{
    for (uint64_t times = 0; times < 2; times++) {
        uint64_t before = world_log_size(&world);
        struct receipt receipt = push();
        cr_expect_eq(receipt.standing, STANDING_FORK);
        cr_expect_eq(receipt.seq, seq);
        cr_expect_gt(receipt.message.n, 0);
        cr_expect_eq(world_log_size(&world), before + (times == 0),
                     "a decision names the fork, once");
    }
}

struct proofs {
    size_t n;
};

// The husks lead to the head that the device's key signed; nothing of them is words.
static bool check_proof(const uint8_t head[HASH_SIZE], struct bytes bytes, void *arg)
{
    struct proofs *proofs = arg;
    struct run run = {.first = 0};
    struct changes changes = {{0}};
    struct bytes unpacked;
    uint8_t at[HASH_SIZE] = {0};
    struct buf transcript BUF_CLEANUP = {0};
    struct hub_caller caller = world_caller(&world, 1);
    cr_assert_eq(message_decode(&run_message, bytes, &arena, &run, NULL), OK);
    cr_assert_eq(pack_open(run.packs.p, &arena, &unpacked, NULL), OK);
    cr_assert_eq(message_decode(&changes_message, unpacked, &arena, &changes, NULL), OK);
    cr_assert_eq(run.first, 1, "these begin where the chain begins");
    for (uint32_t i = 0; i < changes.changes.n; i++) {
        uint8_t leaf[HASH_SIZE];
        const struct change *change = LIST_AT(struct change, changes.changes, i);
        cr_expect_eq(change->fields.n, 0, "no words");
        digest_leaf(change->envelope, change->body_hash.p, leaf);
        digest_head(world.id, caller.device.key, i + 1, leaf, at);
    }
    cr_expect_arr_eq(at, head, HASH_SIZE);
    digest_run_transcript(world.id, caller.device.key, (uint32_t)changes.changes.n, at, run.seen,
                          &transcript);
    cr_expect(!sign_verify(caller.device.key, buf_bytes(&transcript), run.signature.p));
    proofs->n++;
    return true;
}

Test(branch, that_parted_is_named_and_proved_and_what_was_there_stays)
{
    struct handmade other;
    struct proofs proofs = {0};
    handmade_init(&other, &world, 1, 4, &arena);
    make_three();
    cr_assert_eq(push().standing, STANDING_OK);
    handmade_need(&other, "a bench", NULL);
    handmade_need(&other, "something else", NULL);
    handmade_close(&other, &request);
    expect_fork(3);
    handmade_need(&other, "a roof", NULL);
    handmade_need(&other, "beyond the end", NULL);
    handmade_close(&other, &request);
    expect_fork(3);
    struct txn *txn = txn_begin_read(world.hub);
    evidence_each(txn, world.community, world.devices[1].handle, check_proof, &proofs);
    cr_expect_eq(txn_error(txn), OK);
    txn_abort(&txn);
    cr_expect_eq(proofs.n, 2);
    handmade_done(&other);
    expect_no_leaks();
}

Test(branch, takes_a_husk_whose_words_its_author_erased)
{
    make_three();
    struct change *change = &made.changes[1];
    uint8_t body_hash[HASH_SIZE];
    digest_body(made.salts.p + SALT_SIZE, change->fields, body_hash);
    *change = (struct change){.envelope = change->envelope, .body_hash = BYTES(body_hash)};
    memmove(made.salts.p + SALT_SIZE, made.salts.p + (size_t)2 * SALT_SIZE, SALT_SIZE);
    made.salts.n -= SALT_SIZE;
    handmade_close(&made, &request);
    uint64_t before = world_log_size(&world);
    cr_expect_eq(push().seq, 3);
    cr_expect_eq(world_log_size(&world), before + 4, "a decision says that the words are erased");
    cr_expect_not(said_is_kept(world.hub, world.community, world.devices[1].handle, 2));
    cr_expect(said_is_kept(world.hub, world.community, world.devices[1].handle, 3));
}

Test(branch, refuses_a_husk_without_an_envelope_or_with_words)
{
    uint8_t body_hash[HASH_SIZE] = {1};
    make_three();
    made.changes[1].body_hash = BYTES(body_hash);
    handmade_close(&made, &request);
    expect_refused(ERR_MALFORMED);
    made.changes[1].fields = (struct bytes){0};
    made.changes[1].envelope = (struct bytes){0};
    handmade_close(&made, &request);
    expect_refused(ERR_LIMIT);
}
