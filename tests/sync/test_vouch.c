// Joining anew, a device shows that its earlier key vouches for the new one.

#include <criterion/criterion.h>

#include "tests/leaks.h"
#include "tests/sync/guest.h"

TestSuite(vouch, .init = guest_set_up, .fini = guest_tear_down);

static const uint8_t *first_of(const struct guest *g, struct device *device)
{
    uint8_t handle[HANDLE_SIZE];
    digest_handle(world.id, g->key, handle);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(device_get(txn, world.community, handle, device), OK);
    return device_first(device);
}

// Somebody else, who has come in.
static void enrol(struct guest *g)
{
    guest_init(g);
    guest_invite(g, ROLE_VOLUNTEER, world.now + 1000);
    struct enrol_request request = guest_enrolment(g);
    cr_assert_eq(guest_ask_enrol(g, &request), OK);
}

Test(vouch, takes_a_new_key_for_the_person_whose_key_vouches_for_it)
{
    struct guest earlier;
    struct device device;
    struct device before;
    enrol(&earlier);
    struct enrol_request request = guest_succession(&guest, &earlier);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    const uint8_t *first = first_of(&earlier, &before);
    cr_expect_arr_eq(first_of(&guest, &device), first, HANDLE_SIZE);
    cr_expect_arr_eq(device.first, first, HANDLE_SIZE);
    expect_no_leaks();
}

Test(vouch, refuses_a_vouching_that_is_not_signed_by_the_key_that_it_names)
{
    struct guest stranger;
    guest_init(&stranger);
    struct enrol_request request = guest_succession(&guest, &stranger);
    stranger.signature[3] ^= 1;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    guest_sign_for(&stranger, PURPOSE_ENROL, guest.key);
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    guest_sign_for(&stranger, PURPOSE_SUCCEED, stranger.key);
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    request.previous_signature.n = 0;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    expect_no_leaks();
}

Test(vouch, takes_a_new_key_for_itself_when_nobody_knows_the_key_that_vouches)
{
    struct guest stranger;
    struct device device;
    guest_init(&stranger);
    struct enrol_request request = guest_succession(&guest, &stranger);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    cr_expect(first_of(&guest, &device) == device.handle);
}

Test(vouch, never_makes_a_device_that_is_in_another_person)
{
    struct guest other;
    struct device device;
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    enrol(&other);
    dice_bytes(&world.dice, guest.code, sizeof guest.code);
    guest_invite(&guest, ROLE_COORDINATOR, world.now + 1000);
    request = guest_succession(&guest, &other);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    cr_expect(first_of(&guest, &device) == device.handle);
    cr_expect_eq(device.role, ROLE_COORDINATOR);
}
