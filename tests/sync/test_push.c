#include <criterion/criterion.h>

#include "base/sign.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"

static struct world world;
static struct arena arena;
static struct handmade made;
static struct sync_request request;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 1);
    arena_init(&arena, 512 << 20);
    handmade_init(&made, &world, 1, 10000, &arena);
}

static void tear_down(void)
{
    handmade_done(&made);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(push, .init = set_up, .fini = tear_down);

static struct run *run_of(struct sync_request *of)
{
    return LIST_AT(struct run, of->push, 0);
}

// Pushes as device 1; the receipt, if there is one.
static enum err push(struct receipt *receipt)
{
    struct list receipts;
    enum err err = network_push(&world, 1, &request, &arena, &receipts, &fault);
    *receipt = receipts.n ? *LIST_AT(struct receipt, receipts, 0) : (struct receipt){0};
    return err;
}

// The push is refused with this error and a sentence, and the hub's store is as it was.
static void expect_refused(enum err expected)
{
    struct receipt receipt;
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    fault = (struct fault){0};
    world_dump(world.hub, &before);
    enum err err = push(&receipt);
    world_dump(world.hub, &after);
    cr_expect_eq(err, expected, "%s: %s", err_text(err), fault.text);
    cr_expect_gt(strlen(fault.text), 10);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
}

// The push is answered with this standing, and the hub's store is as it was.
static void expect_standing(enum standing expected, uint32_t seq)
{
    struct receipt receipt;
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(world.hub, &before);
    cr_assert_eq(push(&receipt), OK, "%s", fault.text);
    world_dump(world.hub, &after);
    cr_expect_eq(receipt.standing, expected);
    cr_expect_eq(receipt.seq, seq);
    cr_expect((expected == STANDING_OK) == (receipt.message.n == 0));
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
}

static void expect_taken(uint32_t seq)
{
    struct receipt receipt;
    cr_assert_eq(push(&receipt), OK, "%s", fault.text);
    cr_expect_eq(receipt.standing, STANDING_OK);
    cr_expect_eq(receipt.seq, seq);
    cr_expect_eq(receipt.set_apart.n, 0);
}

static void make_three(void)
{
    handmade_need(&made, "a bench", NULL);
    handmade_need(&made, "a roof", NULL);
    handmade_need(&made, "a lamp", NULL);
    handmade_close(&made, &request);
}

Test(push, takes_a_run_and_says_so_once_and_again)
{
    make_three();
    expect_taken(3);
    expect_standing(STANDING_OK, 3);
    expect_no_leaks();
}

Test(push, takes_what_is_new_of_an_overlapping_run)
{
    struct handmade longer;
    make_three();
    expect_taken(3);
    longer = made;
    longer.salts = (struct buf){0};
    buf_put(&longer.salts, buf_bytes(&made.salts)); // shares all but this
    handmade_need(&longer, "a bin", NULL);
    handmade_close(&longer, &request);
    handmade_done(&longer);
    expect_taken(4);
}

Test(push, answers_a_gap_with_the_seq_to_go_on_from)
{
    make_three();
    made.first = 3;
    handmade_close(&made, &request);
    expect_standing(STANDING_GAP, 0);
}

Test(push, refuses_a_wrong_signature)
{
    make_three();
    struct run *run = run_of(&request);
    uint8_t signature[SIGN_SIZE];
    memcpy(signature, run->signature.p, SIGN_SIZE);
    signature[3] ^= 1;
    run->signature = BYTES(signature);
    expect_refused(ERR_MALFORMED);
    run->signature = (struct bytes){0};
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_a_signature_by_another_key)
{
    make_three();
    handmade_sign(&made, world.devices[0].seed, run_of(&request));
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_a_run_signed_for_another_community)
{
    made.community[0] ^= 1;
    make_three();
    expect_refused(ERR_MALFORMED);
    handmade_done(&made);
    handmade_init(&made, &world, 1, 10, &arena);
    make_three();
    uint8_t other[COMMUNITY_SIZE] = {7};
    request.community = BYTES(other);
    expect_refused(ERR_FORBIDDEN);
}

Test(push, refuses_changes_put_under_the_signature_of_others)
{
    make_three();
    struct run *run = run_of(&request);
    struct bytes signature = run->signature;
    made.changes[1].fields = handmade_text(&arena, FIELD_TITLE, bytes_of_text("a rook"));
    handmade_close(&made, &request);
    run_of(&request)->signature = signature;
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_changes_in_another_order)
{
    make_three();
    struct change first = made.changes[0];
    made.changes[0] = made.changes[1];
    made.changes[1] = first;
    handmade_close(&made, &request);
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_a_seen_log_head_that_was_not_signed)
{
    uint8_t root[HASH_SIZE] = {1};
    struct log_head head = {BYTES(world.devices[0].handle), 4, BYTES(root)};
    make_three();
    run_of(&request)->seen = &head;
    expect_refused(ERR_MALFORMED);
    handmade_sign(&made, world.devices[1].seed, run_of(&request));
    expect_taken(3);
}

Test(push, refuses_a_run_of_another_device)
{
    make_three();
    run_of(&request)->device = BYTES(world.devices[0].handle);
    expect_refused(ERR_FORBIDDEN);
    run_of(&request)->device = BYTES(world.devices[1].handle);
    expect_taken(3);
}

Test(push, keeps_the_chain_across_a_bare_leaf)
{
    handmade_need(&made, "a bench", NULL);
    handmade_leaf(&made, 9);
    handmade_need(&made, "a roof", NULL);
    handmade_close(&made, &request);
    expect_taken(3);
    expect_standing(STANDING_OK, 3);
    network_settle(&world);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[0].store);
    uint64_t position;
    uint32_t number = world.devices[0].community;
    cr_expect_eq(log_find(txn, number, world.devices[1].handle, 1, &position), OK);
    cr_expect_eq(log_find(txn, number, world.devices[1].handle, 2, &position), ERR_NOT_FOUND);
    cr_expect_eq(log_find(txn, number, world.devices[1].handle, 3, &position), OK);
}

Test(push, refuses_an_empty_change_and_an_empty_run)
{
    make_three();
    made.changes[2] = (struct change){0};
    handmade_close(&made, &request);
    expect_refused(ERR_LIMIT);
    run_of(&request)->packs.n = 0;
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_missing_and_superfluous_salts)
{
    make_three();
    struct run *run = run_of(&request);
    struct bytes salts = run->salts;
    run->salts.n -= SALT_SIZE;
    expect_refused(ERR_MALFORMED);
    run->salts.n = salts.n - 1;
    expect_refused(ERR_MALFORMED);
    buf_put(&made.salts, bytes_of(salts.p, SALT_SIZE));
    run->salts = buf_bytes(&made.salts);
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_another_version)
{
    make_three();
    request.version = 2;
    expect_refused(ERR_VERSION);
    request.version = 0;
    expect_refused(ERR_VERSION);
}

Test(push, refuses_a_run_without_a_beginning_or_past_the_end_of_all_seqs)
{
    make_three();
    run_of(&request)->first = 0;
    expect_refused(ERR_MALFORMED);
    run_of(&request)->first = UINT32_MAX - 1;
    expect_refused(ERR_LIMIT);
}

Test(push, takes_as_many_changes_as_a_run_may_have_and_no_more)
{
    for (size_t i = 0; i < RUN_CHANGES_MAX; i++)
        handmade_leaf(&made, (uint8_t)i);
    struct handmade more = made;
    handmade_close(&made, &request);
    expect_taken(RUN_CHANGES_MAX);
    handmade_leaf(&more, 1);
    handmade_close(&more, &request);
    expect_refused(ERR_LIMIT);
}

Test(push, takes_several_runs_that_follow_each_other)
{
    struct run runs[2];
    struct sync_request second;
    make_three();
    runs[0] = *run_of(&request);
    made.first += 3;
    made.n = 0;
    buf_reset(&made.salts);
    handmade_need(&made, "a bin", NULL);
    handmade_close(&made, &second);
    runs[1] = *run_of(&second);
    request.push = (struct list){runs, 2};
    expect_taken(4);
}

Test(push, takes_nothing_when_a_later_run_is_bad)
{
    struct run runs[2];
    make_three();
    runs[0] = *run_of(&request);
    runs[1] = runs[0];
    runs[1].signature = (struct bytes){0};
    request.push = (struct list){runs, 2};
    expect_refused(ERR_MALFORMED);
}

static struct bytes many_edits(size_t n)
{
    struct buf buf BUF_CLEANUP = {0};
    for (size_t i = 0; i < n; i++)
        wire_put_uint(&buf, 500, i);
    return arena_copy(&arena, buf_bytes(&buf));
}

Test(push, takes_as_many_edits_as_a_change_may_have_and_no_more)
{
    struct envelope envelope = {.kind = KIND_NEED};
    struct bytes bytes = handmade_envelope(&arena, &envelope);
    struct handmade more;
    handmade_add(&made, bytes, many_edits(EDITS_MAX));
    handmade_close(&made, &request);
    expect_taken(1);
    handmade_init(&more, &world, 1, 4, &arena);
    handmade_add(&more, bytes, many_edits(EDITS_MAX + 1));
    handmade_close(&more, &request);
    handmade_done(&more);
    expect_refused(ERR_LIMIT);
}

Test(push, refuses_a_change_over_64_kib_and_takes_the_largest)
{
    struct envelope envelope = {.kind = 900};
    struct bytes bytes = handmade_envelope(&arena, &envelope);
    struct bytes text = {arena_alloc(&arena, 1, CHANGE_MAX), CHANGE_MAX - bytes.n - 4};
    struct bytes largest = handmade_text(&arena, 1, text);
    struct handmade more;
    cr_assert_eq(bytes.n + largest.n, CHANGE_MAX);
    handmade_add(&made, bytes, largest);
    handmade_close(&made, &request);
    expect_taken(1);
    text.n++;
    handmade_init(&more, &world, 1, 4, &arena);
    handmade_add(&more, bytes, handmade_text(&arena, 1, text));
    handmade_close(&more, &request);
    handmade_done(&more);
    expect_refused(ERR_LIMIT);
}

Test(push, refuses_more_than_4_mib_unpacked)
{
    struct envelope envelope = {.kind = 900};
    struct bytes bytes = handmade_envelope(&arena, &envelope);
    struct bytes text = {arena_alloc(&arena, 1, CHANGE_MAX), 60000};
    for (size_t i = 0; i < 72; i++)
        handmade_add(&made, bytes, handmade_text(&arena, 1, text));
    handmade_close(&made, &request);
    expect_refused(ERR_LIMIT);
}

Test(push, refuses_packs_that_lie_about_their_size)
{
    make_three();
    struct pack *pack = LIST_AT(struct pack, run_of(&request)->packs, 0);
    struct pack sound = *pack;
    pack->size = PACK_MAX + 1;
    expect_refused(ERR_LIMIT);
    pack->size = sound.size + 1;
    expect_refused(ERR_MALFORMED);
    *pack = sound;
    pack->packing = 9;
    expect_refused(ERR_MALFORMED);
    *pack = sound;
    pack->data.n -= 1;
    expect_refused(ERR_MALFORMED);
}

Test(push, refuses_envelopes_in_other_than_their_canonical_form)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t n;
    } rows[] = {
        {"no kind", "\x20\x01", 2},
        {"a kind of 0", "\x08\x00", 2},
        {"a kind over 65535", "\x08\x80\x80\x04", 4},
        {"a varint longer than need be", "\x08\x81\x00", 3},
        {"fields out of order", "\x20\x01\x08\x01", 4},
        {"a field twice", "\x08\x01\x08\x01", 4},
        {"a group", "\x08\x01\x0b\x0c", 4},
        {"cut off", "\x08", 1},
        {"an id too short", "\x08\x01\x12\x01x", 5},
        {"a dot without seq", "\x08\x01\x32\x02\x18\x01", 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct handmade bad;
        handmade_init(&bad, &world, 1, 2, &arena);
        handmade_need(&bad, "sound", NULL);
        handmade_add(&bad, bytes_of(rows[i].bytes, rows[i].n),
                     handmade_text(&arena, FIELD_TITLE, bytes_of_text("x")));
        handmade_close(&bad, &request);
        handmade_done(&bad);
        cr_log_info("%s", rows[i].what);
        expect_refused(ERR_MALFORMED);
    }
}

Test(push, gives_a_receipt_without_a_push_when_the_ends_differ)
{
    struct receipt receipt;
    struct chain_point own = {.seq = 0};
    make_three();
    expect_taken(3);
    uint8_t head[CUT_SIZE];
    memcpy(head, made.head, CUT_SIZE);
    request.push.n = 0;
    request.own = &own;
    expect_standing(STANDING_OK, 3);
    own = (struct chain_point){.seq = 3, .head = BYTES(head)};
    cr_assert_eq(push(&receipt), OK);
    cr_expect_null(receipt.head.p, "nothing differs, so nothing is said");
    own.seq = 9;
    expect_standing(STANDING_OK, 3);
    own.seq = 3;
    head[0] ^= 1;
    expect_standing(STANDING_FORK, 3);
}

// --- two at once ---

Test(push, two_plans_made_at_once_do_not_disturb_each_other)
{
    uint8_t random[32] = {1};
    struct hub_push_plan *plans[2];
    struct list receipts;
    struct hub_caller caller = world_caller(&world, 1);
    make_three();
    for (size_t i = 0; i < 2; i++) {
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        cr_assert_eq(hub_check_push(txn, &caller, &request, &arena, &plans[i], &fault), OK);
    }
    struct txn *txn = txn_begin_write(world.hub);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(hub_push(txn, &caller, 1, random, plans[i], &arena, &receipts,
                              &(struct hub_effects){0}, &fault),
                     OK);
        cr_expect_eq(LIST_AT(struct receipt, receipts, 0)->seq, 3);
        cr_expect_eq(LIST_AT(struct receipt, receipts, 0)->standing, STANDING_OK);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    struct hub_caller now = world_caller(&world, 1);
    cr_expect_eq(now.device.seq, 3);
}

Test(push, of_two_branches_checked_at_once_takes_the_first_alone)
{
    uint8_t random[32] = {1};
    struct hub_push_plan *plans[2];
    struct list receipts;
    struct handmade other;
    struct hub_caller caller = world_caller(&world, 1);
    handmade_init(&other, &world, 1, 4, &arena);
    make_three();
    for (size_t i = 0; i < 2; i++) {
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        cr_assert_eq(hub_check_push(txn, &caller, &request, &arena, &plans[i], &fault), OK);
        handmade_need(&other, "on another branch", NULL);
        handmade_close(&other, &request);
    }
    handmade_done(&other);
    for (size_t i = 0; i < 2; i++) {
        struct txn *txn = txn_begin_write(world.hub);
        cr_assert_eq(hub_push(txn, &caller, 1, random, plans[i], &arena, &receipts,
                              &(struct hub_effects){0}, &fault),
                     OK);
        cr_assert_eq(txn_commit(&txn), OK);
        struct receipt *receipt = LIST_AT(struct receipt, receipts, 0);
        cr_expect_eq(receipt->seq, 3);
        cr_expect_eq(receipt->standing, i == 0 ? STANDING_OK : STANDING_FORK);
    }
}
