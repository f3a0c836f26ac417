// What a push may hold in all, how its runs stand to each other, and what it says of its author.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"

enum { AUTHOR = 1 };

static struct world world;
static struct arena arena;
static struct handmade made;
static struct sync_request request;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 13);
    arena_init(&arena, 512 << 20);
    handmade_init(&made, &world, AUTHOR, RUN_CHANGES_MAX, &arena);
}

static void tear_down(void)
{
    handmade_done(&made);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(bounds, .init = set_up, .fini = tear_down);

static enum err push(struct receipt *receipt)
{
    struct list receipts;
    fault = (struct fault){0};
    enum err err = network_push(&world, AUTHOR, &request, &arena, &receipts, &fault);
    *receipt = receipts.n ? *LIST_AT(struct receipt, receipts, 0) : (struct receipt){0};
    return err;
}

// The push is refused with this error and a sentence, and the hub's store is as it was.
static void expect_refused(enum err expected)
{
    struct receipt receipt;
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(world.hub, &before);
    enum err err = push(&receipt);
    world_dump(world.hub, &after);
    cr_expect_eq(err, expected, "%s: %s", err_text(err), fault.text);
    cr_expect_gt(strlen(fault.text), 10);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
}

static void expect_receipt(enum standing standing, uint32_t seq)
{
    struct receipt receipt;
    cr_assert_eq(push(&receipt), OK, "%s", fault.text);
    cr_expect_not_null(receipt.head.p, "no receipt");
    cr_expect_eq(receipt.standing, standing);
    cr_expect_eq(receipt.seq, seq);
}

// --- edits and dots ---

static struct bytes many_edits(size_t n)
{
    struct buf buf BUF_CLEANUP = {0};
    for (size_t i = 0; i < n; i++)
        wire_put_uint(&buf, 500, i);
    return arena_copy(&arena, buf_bytes(&buf));
}

static void add_change(size_t edits, size_t dots)
{
    static struct dot over[OVER_MAX];
    for (size_t i = 0; i < dots; i++)
        over[i] = (struct dot){.seq = 1, .index = (uint32_t)i % EDITS_MAX, .tag = 1};
    struct envelope envelope = {.kind = KIND_NEED, .time = 1, .over = {over, dots}};
    handmade_add(&made, handmade_envelope(&arena, &envelope), many_edits(edits));
}

static void start_anew(void)
{
    handmade_done(&made);
    handmade_init(&made, &world, AUTHOR, RUN_CHANGES_MAX, &arena);
}

// As many as a request may have, in changes of these many edits and dots.
static void fill(size_t edits, size_t dots)
{
    start_anew();
    for (size_t n = 0; n < REQUEST_EDITS_MAX; n += edits + dots)
        add_change(edits, dots);
}

Test(bounds, hold_for_edits_and_dots_of_a_request_together)
{
    static const size_t rows[][2] = {{EDITS_MAX, 0}, {128, 128}, {64, 192}};
    for (size_t i = 0; i < 3; i++) {
        fill(rows[i][0], rows[i][1]);
        add_change(i == 1, i != 1);
        handmade_close(&made, &request);
        expect_refused(ERR_LIMIT);
        fill(rows[i][0], rows[i][1]);
        handmade_close(&made, &request);
        expect_receipt(STANDING_OK, made.first + (uint32_t)made.n - 1);
    }
    expect_no_leaks();
}

Test(bounds, of_edits_count_over_all_runs_of_a_request)
{
    struct run runs[2];
    struct sync_request second;
    fill(EDITS_MAX, 0);
    handmade_close(&made, &request);
    runs[0] = *LIST_AT(struct run, request.push, 0);
    made.first += (uint32_t)made.n;
    made.n = 0;
    buf_reset(&made.salts);
    add_change(1, 0);
    handmade_close(&made, &second);
    runs[1] = *LIST_AT(struct run, second.push, 0);
    request.push = (struct list){runs, 2};
    expect_refused(ERR_LIMIT);
}

// --- runs ---

// One run of `n` needs that goes on where the last one ended.
static struct run make_run(size_t n)
{
    struct sync_request one;
    made.first += (uint32_t)made.n;
    made.n = 0;
    buf_reset(&made.salts);
    for (size_t i = 0; i < n; i++)
        handmade_need(&made, "a bench", NULL);
    handmade_close(&made, &one);
    request = one;
    return *LIST_AT(struct run, one.push, 0);
}

static void send(struct run *runs, size_t n)
{
    request.push = (struct list){runs, n};
}

Test(bounds, of_runs_meet)
{
    struct run runs[3];
    for (size_t i = 0; i < 3; i++)
        runs[i] = make_run(3);
    struct run gap[2] = {runs[0], runs[2]};
    struct run twice[2] = {runs[0], runs[0]};
    struct run backward[2] = {runs[1], runs[0]};
    struct run lost[3] = {runs[2], runs[0], runs[1]};
    send(gap, 2);
    expect_refused(ERR_MALFORMED);
    send(twice, 2);
    expect_refused(ERR_MALFORMED);
    send(backward, 2);
    expect_refused(ERR_MALFORMED);
    send(lost, 3);
    expect_refused(ERR_MALFORMED);
    send(runs + 1, 2);
    expect_receipt(STANDING_GAP, 0);
    send(runs, 3);
    expect_receipt(STANDING_OK, 9);
}

// --- the caller's own point ---

Test(bounds, of_a_chain_told_without_its_head_are_answered_by_a_receipt)
{
    struct receipt receipt;
    struct chain_point own = {.seq = 3};
    (void)make_run(3);
    expect_receipt(STANDING_OK, 3);
    request.push.n = 0;
    request.own = &own;
    expect_receipt(STANDING_OK, 3);
    own.seq = 2;
    expect_receipt(STANDING_OK, 3);
    own.device = BYTES(world.devices[AUTHOR].handle);
    own.seq = 3;
    own.head = bytes_of(made.head, CUT_SIZE);
    cr_assert_eq(push(&receipt), OK);
    cr_expect_null(receipt.head.p, "it is as it says");
}

Test(bounds, of_a_chain_of_somebody_else_are_refused)
{
    struct chain_point own = {.device = BYTES(world.devices[0].handle), .seq = 0};
    (void)make_run(3);
    request.own = &own;
    expect_refused(ERR_FORBIDDEN);
    own.seq = 3;
    expect_refused(ERR_FORBIDDEN);
    own.head = bytes_of(made.head, CUT_SIZE);
    expect_refused(ERR_FORBIDDEN);
}

// --- the forms of a change ---

// A leaf has nothing beside it, and of words there is the hash or they themselves.
Test(bounds, change_that_has_two_forms_at_once_is_refused)
{
    uint8_t hash[HASH_SIZE] = {1};
    for (int way = 0; way < 4; way++) {
        handmade_done(&made);
        handmade_init(&made, &world, AUTHOR, 1, &arena);
        handmade_need(&made, "a bench", NULL);
        struct change *change = &made.changes[0];
        struct bytes envelope = change->envelope;
        struct bytes fields = change->fields;
        *change = (struct change){.leaf = BYTES(hash)};
        if (way == 0)
            change->envelope = envelope;
        else if (way == 1)
            change->fields = fields;
        else if (way == 2)
            change->body_hash = BYTES(hash);
        else
            *change =
                (struct change){.envelope = envelope, .fields = fields, .body_hash = BYTES(hash)};
        handmade_close(&made, &request);
        expect_refused(ERR_MALFORMED);
        cr_expect_not_null(strstr(fault.text, "seq 1"), "%s", fault.text);
    }
    expect_no_leaks();
}

Test(bounds, fault_of_a_push_is_found_also_by_who_wants_no_sentence)
{
    struct hub_push_plan *plan;
    struct hub_caller caller = world_caller(&world, AUTHOR);
    uint8_t hash[HASH_SIZE] = {1};
    handmade_need(&made, "a bench", NULL);
    made.changes[0].leaf = BYTES(hash);
    handmade_close(&made, &request);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_expect_eq(hub_check_push(txn, &caller, &request, &arena, &plan, NULL), ERR_MALFORMED);
    expect_no_leaks();
}
