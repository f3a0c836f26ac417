// An answer that is made in slices is the answer that is made at once.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"

enum { COORDINATOR = 0, AUTHOR = 1, OTHER = 2, MANY = 700 };

static struct world world;
static struct arena arena;
static struct sync_request request;
static struct fault fault;
static struct kept *kept; // NULL: nothing is

static void set_up(void)
{
    world_open(&world, 5);
    world_begin(&world, 4);
    arena_init(&arena, 512 << 20);
    request = (struct sync_request){.version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN};
}

static void tear_down(void)
{
    kept_free(&kept);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(slices, .init = set_up, .fini = tear_down);

static void write_needs(size_t n, size_t words_n)
{
    static char words[4000];
    for (size_t i = 0; i < n; i++) {
        struct world_change change;
        struct buf fields BUF_CLEANUP = {0};
        struct envelope envelope = {.kind = KIND_NEED, .time = 1};
        for (size_t at = 0; at < words_n; at++)
            words[at] = (char)('a' + dice_below(&world.dice, 26));
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of(words, words_n));
        cr_assert_eq(world_write(&world, AUTHOR, &envelope, buf_bytes(&fields), &change), OK);
    }
    network_settle(&world);
}

static enum err slice(size_t device, struct hub_pulled *pulled, struct sync_response *response)
{
    struct hub_caller caller = world_caller(&world, device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_pull(txn, &caller, world.now, &request, (struct list){0}, &arena, pulled, response,
                    &fault);
}

static unsigned pull_in_slices(size_t device, struct sync_response *response)
{
    struct hub_pulled pulled = {.kept = kept};
    unsigned slices = 0;
    do {
        cr_assert_eq(slice(device, &pulled, response), OK, "%s", fault.text);
        slices++;
    } while (pulled.is_unfinished);
    return slices;
}

static void expect_the_same(const struct sync_response *a, const struct sync_response *b)
{
    struct buf x BUF_CLEANUP = {0};
    struct buf y BUF_CLEANUP = {0};
    message_encode(&sync_response_message, a, &x);
    message_encode(&sync_response_message, b, &y);
    cr_expect(bytes_equal(buf_bytes(&x), buf_bytes(&y)), "%zu bytes and %zu", x.n, y.n);
}

static unsigned expect_the_same_of(size_t device)
{
    struct sync_response whole, sliced;
    cr_assert_eq(slice(device, NULL, &whole), OK, "%s", fault.text);
    unsigned slices = pull_in_slices(device, &sliced);
    expect_the_same(&whole, &sliced);
    return slices;
}

Test(slices, make_the_answer_that_is_made_at_once)
{
    write_needs(MANY, 1000);
    request.has_answer_max = true;
    request.answer_max = ANSWER_MAX;
    cr_expect_gt(expect_the_same_of(OTHER), 8);
    request.answer_max = 100000;
    cr_expect_gt(expect_the_same_of(OTHER), 2);
    expect_no_leaks();
}

Test(slices, of_little_are_one)
{
    write_needs(20, 100);
    cr_expect_eq(expect_the_same_of(OTHER), 1);
    request.has_answer_max = true;
    cr_expect_eq(expect_the_same_of(OTHER), 1);
}

Test(slices, of_what_is_not_wanted_come_to_an_end)
{
    write_needs((size_t)3 * MANY, 4);
    cr_expect_gt(expect_the_same_of(AUTHOR), 1);
}

Test(slices, give_what_came_meanwhile_too)
{
    struct hub_pulled pulled = {.is_begun = false};
    struct sync_response response, whole;
    write_needs(MANY, 1000);
    request.has_answer_max = true;
    request.answer_max = ANSWER_MAX;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(slice(OTHER, &pulled, &response), OK);
    cr_assert(pulled.is_unfinished && response.pieces.n == 2);
    write_needs(1, 1000);
    while (pulled.is_unfinished)
        cr_assert_eq(slice(OTHER, &pulled, &response), OK);
    cr_assert_eq(slice(OTHER, NULL, &whole), OK);
    cr_expect_eq(response.head->size, whole.head->size);
    cr_expect_eq(LIST_AT(struct piece, response.pieces, response.pieces.n - 1)->position,
                 whole.head->size);
}

Test(slices, end_where_the_caller_has_another_view_by_now)
{
    struct hub_pulled pulled = {.is_begun = false};
    struct sync_response response;
    write_needs(MANY, 1000);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(slice(OTHER, &pulled, &response), OK);
    pulled.view++;
    cr_assert_eq(slice(OTHER, &pulled, &response), OK);
    cr_expect_not(pulled.is_unfinished);
    cr_expect(response.more);
    cr_expect_eq(response.pieces.n, 2);
}

// --- what was packed for others ---

static struct piece *last_of(const struct sync_response *response)
{
    return LIST_AT(struct piece, response->pieces, response->pieces.n - 1);
}

// Pieces of the two, which must be the same ones; how many of b's were packed for a.
static void expect_same_pieces(const struct sync_response *a, const struct sync_response *b)
{
    cr_assert_eq(a->pieces.n, b->pieces.n);
    for (size_t i = 0; i < a->pieces.n; i++) {
        const struct piece *x = LIST_AT(struct piece, a->pieces, i);
        const struct piece *y = LIST_AT(struct piece, b->pieces, i);
        cr_expect_eq(x->position, y->position);
        cr_expect(bytes_equal(x->root, y->root));
        cr_expect(bytes_equal(x->pack->data, y->pack->data));
    }
}

static void ask_for_much(void)
{
    request.has_answer_max = true;
    request.answer_max = ANSWER_MAX;
    kept = kept_new(16 << 20);
}

Test(slices, of_kept_pieces_are_few_and_give_the_same)
{
    struct sync_response first, second;
    write_needs(MANY, 1000);
    ask_for_much();
    unsigned slices = pull_in_slices(OTHER, &first);
    cr_expect_gt(slices, 8);
    cr_expect_leq(pull_in_slices(OTHER, &second), 3);
    expect_the_same(&first, &second);
    expect_the_same_of(OTHER);
    kept_free(&kept);
    expect_no_leaks();
}

Test(slices, of_kept_pieces_are_not_for_whoever_wrote_in_them)
{
    struct sync_response others, own;
    write_needs(MANY, 1000);
    ask_for_much();
    (void)pull_in_slices(OTHER, &others);
    (void)pull_in_slices(AUTHOR, &own);
    cr_expect_lt(own.pieces.n, others.pieces.n);
    // Nor is what was made for one of them for the others.
    kept_free(&kept);
    kept = kept_new(16 << 20);
    (void)pull_in_slices(AUTHOR, &own);
    (void)pull_in_slices(OTHER, &own);
    expect_same_pieces(&others, &own);
    request.own_too = true;
    (void)pull_in_slices(AUTHOR, &own);
    expect_same_pieces(&others, &own);
}

Test(slices, of_kept_pieces_are_of_one_view_and_one_packing)
{
    struct sync_response plain, packed, seen;
    write_needs(MANY, 1000);
    ask_for_much();
    (void)pull_in_slices(OTHER, &packed);
    request.packings = 1 << PACKING_PLAIN;
    (void)pull_in_slices(OTHER, &plain);
    cr_expect_eq(last_of(&plain)->pack->packing, PACKING_PLAIN);
    request.packings = PACKINGS_KNOWN;
    cr_expect_gt(pull_in_slices(COORDINATOR, &seen), 8, "made anew");
}

Test(slices, of_kept_pieces_are_forgotten_when_they_are_told_to_and_with_time)
{
    struct sync_response response;
    write_needs(MANY, 1000);
    ask_for_much();
    (void)pull_in_slices(OTHER, &response);
    kept_forget(kept, world.community + 1);
    cr_expect_leq(pull_in_slices(OTHER, &response), 3);
    kept_forget(kept, world.community);
    cr_expect_gt(pull_in_slices(OTHER, &response), 8);
    cr_expect_leq(pull_in_slices(OTHER, &response), 3);
    world.now += 360000;
    cr_expect_gt(pull_in_slices(OTHER, &response), 8, "they are as old as that");
}

Test(slices, of_kept_pieces_stay_within_their_room)
{
    struct sync_response response;
    write_needs(MANY, 1000);
    ask_for_much();
    kept_free(&kept);
    kept = kept_new(100 << 10);
    for (int i = 0; i < 3; i++) {
        (void)pull_in_slices(OTHER, &response);
        expect_the_same_of(OTHER);
    }
    kept_free(&kept);
    expect_no_leaks();
}

Test(slices, of_one_log_bear_one_signature_until_it_grows)
{
    struct sync_response first, second, grown;
    write_needs(3, 100);
    ask_for_much();
    (void)pull_in_slices(OTHER, &first);
    (void)pull_in_slices(AUTHOR, &second);
    cr_expect(bytes_equal(first.head_signature, second.head_signature));
    write_needs(1, 100);
    (void)pull_in_slices(OTHER, &grown);
    cr_expect_not(bytes_equal(first.head_signature, grown.head_signature));
    // What is given is what is kept: whoever else asked has had it made.
    struct kept_head head = {.size = grown.head->size};
    uint8_t kept_one[SIGN_SIZE];
    struct hub_caller caller = world_caller(&world, OTHER);
    memcpy(head.community, caller.community.id, COMMUNITY_SIZE);
    memcpy(head.log, grown.head->log.p, HANDLE_SIZE);
    memcpy(head.root, grown.head->root.p, HASH_SIZE);
    cr_assert(kept_get_signature(kept, &head, kept_one));
    cr_expect(bytes_equal(grown.head_signature, BYTES(kept_one)));
    kept_put_signature(kept, &head, (uint8_t[SIGN_SIZE]){1});
    (void)pull_in_slices(AUTHOR, &grown);
    cr_expect_eq(grown.head_signature.p[0], 1);
}
