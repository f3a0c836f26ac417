// A role that is lost takes with it what was seen by it; one that is gained brings it.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, PHONE, OTHER, DEVICES };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 21);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(narrow, .init = set_up, .fini = tear_down);

static enum role wanted;

static enum err grant(struct hub_decider *decider, void *arg)
{
    return hub_grant(decider, NULL, world.devices[*(size_t *)arg].handle, wanted);
}

static void give_role(size_t device, enum role role)
{
    wanted = role;
    world_decide(&world, grant, &device);
    network_settle(&world);
}

static bool keeps(size_t device, size_t author, const struct world_change *change)
{
    const struct world_device *of = &world.devices[device];
    return said_is_kept(of->store, of->community, world.devices[author].handle, change->seq);
}

static bool shows(size_t device, const struct world_change *change)
{
    const struct world_device *of = &world.devices[device];
    return said_is_live(of->store, of->community, &change->record);
}

// What the merge holds, but for where in the log it comes from.
static void dump_merge(size_t device, struct buf *out)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[device].store);
    enum table tables[] = {TABLE_LIVE, TABLE_COVER, TABLE_APART};
    for (size_t i = 0; i < 3; i++) {
        struct walk walk WALK_CLEANUP;
        walk_begin(&walk, txn, tables[i], bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk))
            buf_put(out, walk.key);
    }
    cr_assert_eq(out->err, OK);
}

static void expect_same_merge(size_t a, size_t b)
{
    struct buf x BUF_CLEANUP = {0};
    struct buf y BUF_CLEANUP = {0};
    dump_merge(a, &x);
    dump_merge(b, &y);
    cr_expect(bytes_equal(buf_bytes(&x), buf_bytes(&y)), "devices %zu and %zu differ", a, b);
}

Test(narrow, that_a_coordinator_was_leaves_nothing_personal_of_others)
{
    struct record_key person = said_person(1);
    struct world_change contact =
        said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    size_t second = world_join(&world, ROLE_COORDINATOR);
    network_settle(&world);
    cr_assert(keeps(second, PHONE, &contact));
    give_role(second, ROLE_VOLUNTEER);
    cr_expect_not(keeps(second, PHONE, &contact));
    cr_expect_not(shows(second, &contact));
    cr_expect(keeps(second, PHONE, &need));
    cr_expect(keeps(COORDINATOR, PHONE, &contact));
    expect_same_merge(second, OTHER);
    expect_no_leaks();
}

Test(narrow, view_keeps_what_the_device_itself_wrote_or_began)
{
    struct record_key person = said_person(1);
    size_t second = world_join(&world, ROLE_COORDINATOR);
    network_settle(&world);
    struct world_change own = said_about(&world, second, KIND_CONTACT, "the red door", &person, 1);
    network_settle(&world);
    struct world_change edit = said_number(&world, COORDINATOR, &own.record, FIELD_SENSITIVITY, 2);
    struct world_change theirs =
        said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    network_settle(&world);
    struct world_change mine = said_number(&world, second, &theirs.record, FIELD_SENSITIVITY, 2);
    network_settle(&world);
    give_role(second, ROLE_VOLUNTEER);
    cr_expect(keeps(second, second, &own));
    cr_expect(keeps(second, COORDINATOR, &edit), "of a record that was begun here");
    cr_expect(keeps(second, second, &mine));
    cr_expect_not(keeps(second, PHONE, &theirs));
}

// What somebody else went over, in a change that is seen no more, is as it was before.
Test(narrow, view_takes_back_what_went_over_others_words)
{
    struct record_key person = said_person(1);
    size_t second = world_join(&world, ROLE_COORDINATOR);
    network_settle(&world);
    struct world_change theirs = said_need(&world, PHONE, "x", NULL);
    struct world_change contact =
        said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    network_settle(&world);
    struct world_change mine = said_number(&world, second, &contact.record, FIELD_SENSITIVITY, 1);
    network_settle(&world);
    struct dot dot = {BYTES(world.devices[second].handle), mine.seq, 0, mine.tag};
    struct envelope over = {.kind = KIND_CONTACT,
                            .id = BYTES(contact.record.id),
                            .class = CLASS_PERSONAL,
                            .time = world.now,
                            .over = {&dot, 1}};
    struct world_change change;
    cr_assert_eq(world_write(&world, COORDINATOR, &over, (struct bytes){0}, &change), OK);
    network_settle(&world);
    give_role(second, ROLE_VOLUNTEER);
    cr_expect(shows(second, &contact), "the own edit is live again");
    cr_expect(shows(second, &theirs));
}

Test(narrow, view_that_widens_again_brings_everything_back)
{
    struct record_key person = said_person(1);
    struct world_change contact =
        said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    size_t second = world_join(&world, ROLE_COORDINATOR);
    network_settle(&world);
    give_role(second, ROLE_VOLUNTEER);
    give_role(second, ROLE_COORDINATOR);
    cr_expect(keeps(second, PHONE, &contact));
    cr_expect(shows(second, &contact));
    expect_same_merge(second, COORDINATOR);
}

Test(narrow, view_of_a_volunteer_who_becomes_a_coordinator_has_all_that_one_has)
{
    struct record_key person = said_person(1);
    struct world_change contact =
        said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    said_again(&world, PHONE, &need, PHONE, "another bench"); // a husk on the others
    network_settle(&world);
    give_role(OTHER, ROLE_COORDINATOR);
    cr_expect(keeps(OTHER, PHONE, &contact));
    expect_same_merge(OTHER, COORDINATOR);
}
