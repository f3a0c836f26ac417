// Joining anew, while something of it fails: what is carried over arrives whole, or still waits.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/erase_own.h"
#include "sync/rejoin.h"
#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/field.h"

static struct community community;
static struct device own;
static size_t copy;
static struct arena arena;
static struct buf answer;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 34);
    arena_init(&arena, 16 << 20);
    copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    work(copy);
    cr_assert(network_sync(&world, copy).forked);
}

static void tear_down(void)
{
    buf_done(&answer);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(failing_rejoin, .init = set_up, .fini = tear_down);

static void look_again(void)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[copy].store);
    world_self(txn, &world.devices[copy], &community, &own);
}

static enum err begin(struct failing *f, void *arg)
{
    (void)arg;
    return rejoin_begin(f->txn, &community, &own);
}

Test(failing_rejoin, begins_or_leaves_the_old_chain_as_it_is)
{
    look_again();
    failing_writes(world.devices[copy].store, begin, NULL);
    expect_no_leaks();
}

static enum err meet(struct failing *f, void *arg)
{
    struct exchange_report report = {0};
    struct community mine = community;
    const struct sync_response *response = arg;
    enum err err = exchange_take_top(f->txn, &mine, &own, response, &report);
    for (size_t i = 0; !err && i < response->pieces.n; i++)
        err = exchange_take_piece(f->txn, &mine, &own, LIST_AT(struct piece, response->pieces, i),
                                  f->arena, &report, f->fault);
    return err;
}

Test(failing_rejoin, meets_the_other_branch_of_the_old_chain_or_takes_nothing_in)
{
    struct buf asked BUF_CLEANUP = {0};
    struct fault fault = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    struct sync_response response = {0};
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    network_ask(&world, copy, &options, &asked);
    cr_assert_eq(network_serve(&world, copy, buf_bytes(&asked), &answer, &fault), OK);
    cr_assert_eq(
        message_decode(&sync_response_message, buf_bytes(&answer), &arena, &response, NULL), OK);
    look_again();
    failing_writes(world.devices[copy].store, meet, &response);
    expect_no_leaks();
}

static enum err write_anew(struct failing *f, void *arg)
{
    static const uint8_t random[32] = {6};
    struct community mine = community;
    struct device me = own;
    struct author author = {&mine, &me, NULL};
    uint32_t carried;
    (void)arg;
    return rejoin_finish(f->txn, &author, random, &carried, f->fault);
}

static enum err erase(struct failing *f, void *arg)
{
    f->forgives = true; // words that are damaged are erased, too
    return erase_own(f->txn, &community, &own, arg, NULL, NULL);
}

// What waits to be written anew, and stands where it stood or gave way to the hub's branch.
Test(failing_rejoin, erases_what_waits_or_lets_it_wait)
{
    struct record_key need = seek(copy, "a bench at the market").record;
    struct ref ref = {KIND_NEED, BYTES(need.id)};
    struct list records = {&ref, 1};
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    look_again();
    failing_writes(world.devices[copy].store, erase, &records);
    pull_all(copy);
    look_again();
    failing_writes(world.devices[copy].store, erase, &records);
    expect_no_leaks();
}

static void count_one(const struct change_ref *ref, void *arg)
{
    (void)ref;
    ++*(size_t *)arg;
}

Test(failing_rejoin, that_was_erased_is_not_written_anew)
{
    size_t n = 0;
    struct record_key need = seek(copy, "a bench at the market").record;
    struct ref ref = {KIND_NEED, BYTES(need.id)};
    struct list records = {&ref, 1};
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    look_again();
    uint32_t before = waiting(copy);
    struct txn *txn = txn_begin_write(world.devices[copy].store);
    cr_assert_eq(erase_own(txn, &community, &own, &records, count_one, &n), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect_geq(n, (size_t)2, "the need and what it was renamed to");
    cr_expect_lt(waiting(copy), before);
    finish(copy, true);
    network_settle(&world);
    expect_gone("a bench");
    expect_gone("a bench at the market");
    expect_no_leaks();
}

static void name(struct txn *txn, const char *text, const struct record_key *record)
{
    name_put(txn, community.number, bytes_of_text(text), record->kind, record->id);
}

Test(failing_rejoin, writes_everything_anew_or_lets_it_wait)
{
    struct record_key need = seek(copy, "a bench at the market").record;
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    look_again();
    struct txn *txn = txn_begin_write(world.devices[copy].store);
    name(txn, "row 1", &need);
    cr_assert_eq(txn_commit(&txn), OK);
    failing_writes(world.devices[copy].store, write_anew, NULL);
    expect_no_leaks();
}
