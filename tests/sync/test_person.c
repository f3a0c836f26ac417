// Whoever joins anew stays the same person: the key that they had vouches for the new one.

#include <criterion/criterion.h>

#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/field.h"

static size_t member;
static struct world_change need;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 5);
    need = said_need(&world, PHONE, "a crossing", NULL);
    network_settle(&world);
    member = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(person, .init = set_up, .fini = tear_down);

// Who speaks by a device, as another store has heard.
static struct record_key person_in(struct store *store, uint32_t community, size_t index)
{
    struct device device;
    struct record_key person = {.kind = KIND_PERSON};
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(device_get(txn, community, world.devices[index].handle, &device), OK);
    digest_member(world.id, device_first(&device), person.id);
    return person;
}

static struct record_key person_of(size_t index)
{
    struct world_device *device = &world.devices[index];
    struct record_key own = person_in(device->store, device->community, index);
    struct record_key told = person_in(world.hub, world.community, index);
    cr_expect_arr_eq(own.id, told.id, ID_SIZE, "the device and the hub agree who speaks");
    return own;
}

static bool is_same(const struct record_key *a, const struct record_key *b)
{
    return memcmp(a->id, b->id, ID_SIZE) == 0;
}

// The member speaks; a copy of the phone speaks, too, and finds that it is one.
static size_t part_member(struct record_key *person)
{
    size_t copy = world_clone(&world, member);
    *person = person_of(member);
    said_voice(&world, member, &need.record, person, "it is dangerous");
    network_sync(&world, member);
    said_voice(&world, copy, &need.record, person, "for the children");
    cr_expect(network_sync(&world, copy).forked);
    return copy;
}

Test(person, of_a_copied_phone_has_one_voice_whichever_phone_speaks)
{
    struct record_key person;
    size_t copy = part_member(&person);
    join_anew(copy, ROLE_MEMBER);
    struct record_key now = person_of(copy);
    cr_expect(is_same(&now, &person));
    cr_expect_eq(tally_of(&need.record).for_, 1);
    said_voice(&world, copy, &need.record, &now, "and for the old");
    network_settle(&world);
    cr_expect_eq(tally_of(&need.record).for_, 1);
    for (size_t i = 0; i < world.devices_n; i++) {
        struct world_device *device = &world.devices[i];
        struct record_key heard = person_in(device->store, device->community, copy);
        cr_expect(is_same(&heard, &person), "device %zu has heard who speaks", i);
    }
    expect_all_the_same();
    expect_no_leaks();
}

Test(person, stays_over_any_number_of_keys)
{
    struct record_key person;
    size_t copy = part_member(&person);
    join_anew(copy, ROLE_MEMBER);
    size_t second = world_clone(&world, copy);
    said_voice(&world, copy, &need.record, &person, "one");
    network_sync(&world, copy);
    said_voice(&world, second, &need.record, &person, "two");
    cr_expect(network_sync(&world, second).forked);
    join_anew(second, ROLE_MEMBER);
    struct record_key now = person_of(second);
    cr_expect(is_same(&now, &person));
    cr_expect_arr_eq(world.devices[second].first, world.devices[member].handle, HANDLE_SIZE);
    cr_expect_eq(tally_of(&need.record).for_, 1);
}

static enum err revoke_member(struct hub_decider *decider, void *arg)
{
    (void)arg;
    return hub_revoke(decider, NULL, world.devices[member].handle);
}

// Whoever has a stolen phone and an invitation could otherwise say that they are its owner.
Test(person, is_not_vouched_for_by_a_revoked_key)
{
    struct record_key person = person_of(member);
    said_voice(&world, member, &need.record, &person, "it is dangerous");
    network_settle(&world);
    world_decide(&world, revoke_member, NULL);
    join_anew(member, ROLE_MEMBER);
    struct record_key now = person_of(member);
    cr_expect_not(is_same(&now, &person));
    struct device device;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(device_get(txn, world.community, world.devices[member].handle, &device), OK);
    cr_expect(device_first(&device) == device.handle);
}

// A member speaks as no other, whatever a phone claims to be.
Test(person, of_another_is_not_for_a_member_to_speak_as)
{
    size_t other = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
    struct record_key person;
    size_t copy = part_member(&person);
    join_anew(copy, ROLE_MEMBER);
    uint8_t id[ID_SIZE];
    digest_member(world.id, world.devices[copy].handle, id);
    cr_expect(memcmp(id, person.id, ID_SIZE) != 0);
    struct device device;
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(device_get(txn, world.community, world.devices[other].handle, &device), OK);
    uint8_t subject[4 + ID_SIZE] = {0, 0, 0, KIND_NEED};
    struct bytes parts[] = {BYTES(subject), BYTES(person.id)};
    struct envelope envelope = {.kind = KIND_VOICE, .parts = {parts, 2}};
    cr_expect_eq(role_judge(ROLE_MEMBER, world.id, &device, &envelope), REASON_NOT_PERMITTED);
    cr_assert_eq(device_get(txn, world.community, world.devices[copy].handle, &device), OK);
    cr_expect_eq(role_judge(ROLE_MEMBER, world.id, &device, &envelope), REASON_NONE);
    parts[1] = BYTES(id);
    cr_expect_eq(role_judge(ROLE_MEMBER, world.id, &device, &envelope), REASON_NOT_PERMITTED,
                 "nor as the one that its own key would make");
}
