// A husk says nothing, but it goes over what others said: who may not write the change may not push
// it as a husk either.

#include <criterion/criterion.h>

#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { COORDINATOR = 0, AUTHOR = 1 };

static struct world world;
static struct arena arena;
static struct fault fault;
static size_t other;

static void open_world(enum role role)
{
    world_open(&world, 2);
    world_begin(&world, 14);
    other = world_join(&world, role);
    arena_init(&arena, WORLD_ARENA_MAX);
}

static void close_world(void)
{
    arena_done(&arena);
    world_close(&world);
}

// Pushes a husk of a record that goes over an author's edit. Returns why it was set apart.
static enum reason push_husk(const struct world_change *over)
{
    static const uint8_t hash[HASH_SIZE] = {7};
    struct handmade run;
    struct sync_request request;
    struct list receipts;
    uint8_t leaf[HASH_SIZE];
    struct dot dot = {BYTES(world.devices[AUTHOR].handle), over->seq, 0, over->tag};
    struct envelope envelope = {.kind = over->record.kind,
                                .id = BYTES(over->record.id),
                                .time = INT64_MAX,
                                .over = {&dot, 1}};
    handmade_init(&run, &world, other, 1, &arena);
    uint8_t before[HASH_SIZE];
    memcpy(before, run.head, HASH_SIZE);
    (void)handmade_add(&run, handmade_envelope(&arena, &envelope), (struct bytes){NULL, 0});
    uint8_t key[KEY_SIZE];
    cr_assert_eq(sign_public_key(world.devices[other].seed, key), OK);
    digest_leaf(run.changes->envelope, hash, leaf);
    memcpy(run.head, before, HASH_SIZE);
    digest_head(world.id, key, run.first, leaf, run.head);
    run.changes->body_hash = BYTES(hash);
    buf_reset(&run.salts);
    handmade_close(&run, &request);
    enum err err = network_push(&world, other, &request, &arena, &receipts, &fault);
    handmade_done(&run);
    cr_assert_eq(err, OK, "%s", fault.text);
    const struct receipt *receipt = LIST_AT(struct receipt, receipts, 0);
    cr_assert_eq(receipt->standing, STANDING_OK);
    return receipt->set_apart.n
               ? (enum reason)LIST_AT(struct set_apart, receipt->set_apart, 0)->reason
               : REASON_NONE;
}

Test(husk, of_a_member_goes_over_nothing)
{
    open_world(ROLE_MEMBER);
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    cr_expect_eq(push_husk(&need), REASON_NOT_PERMITTED);
    cr_expect(said_is_live(world.hub, world.community, &need.record));
    network_settle(&world);
    for (size_t i = 0; i < world.devices_n; i++)
        cr_expect(said_is_live(world.devices[i].store, world.devices[i].community, &need.record));
    close_world();
    expect_no_leaks();
}

Test(husk, of_a_volunteer_goes_over_what_a_volunteer_may)
{
    open_world(ROLE_VOLUNTEER);
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    cr_expect_eq(push_husk(&need), REASON_NONE);
    cr_expect_not(said_is_live(world.hub, world.community, &need.record));
    close_world();
}
