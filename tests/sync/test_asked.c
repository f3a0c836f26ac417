// What is asked of a hub, in a push, by an administrator or in a call: each for whoever may, and
// with what cannot be refused by name.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/hub.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { COORDINATOR, PHONE, OTHER, DEVICES };

static struct world world;
static struct arena arena;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 61);
    arena_init(&arena, 1 << 20);
    fault = (struct fault){0};
    network_settle(&world);
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(asked, .init = set_up, .fini = tear_down);

// --- in a Membership, in a Request ---

// A change of PHONE's that its revocation set apart.
static struct world_change late_need(void)
{
    said_membership(&world, COORDINATOR, PHONE, ROLE_NONE, 1);
    network_sync(&world, COORDINATOR);
    cr_assert_eq(network_log_in(&world, PHONE), ROLE_NONE);
    struct world_change late = said_need(&world, PHONE, "from outside", NULL);
    cr_assert_eq(network_sync(&world, PHONE).apart, 1);
    cr_assert_not(said_is_live(world.hub, world.community, &late.record));
    return late;
}

static void ask_for_release(size_t device, struct bytes handle, const struct world_change *change)
{
    struct buf fields BUF_CLEANUP = {0};
    struct world_change request;
    struct envelope envelope = {.kind = KIND_REQUEST, .time = world.now};
    struct change_ref ref = {handle, change->seq, change->tag};
    size_t mark = wire_open(&fields, FIELD_REQUEST_RELEASE);
    message_encode(&change_ref_message, &ref, &fields);
    wire_close(&fields, mark);
    cr_assert_eq(world_write(&world, device, &envelope, buf_bytes(&fields), &request), OK);
    network_sync(&world, device);
}

Test(asked, coordinator_has_released_what_a_revocation_set_apart)
{
    struct world_change late = late_need();
    ask_for_release(COORDINATOR, BYTES(world.devices[PHONE].handle), &late);
    cr_expect(said_is_live(world.hub, world.community, &late.record));
    expect_no_leaks();
}

Test(asked, nobody_else_has_anything_released)
{
    struct world_change late = late_need();
    ask_for_release(OTHER, BYTES(world.devices[PHONE].handle), &late);
    ask_for_release(COORDINATOR, (struct bytes){0}, &late);
    cr_expect_not(said_is_live(world.hub, world.community, &late.record));
    expect_no_leaks();
}

Test(asked, coordinator_takes_a_revocation_back_and_the_role_is_the_old_one)
{
    late_need();
    said_membership(&world, COORDINATOR, PHONE, ROLE_NONE, 0);
    said_membership(&world, COORDINATOR, PHONE, ROLE_NONE, 0); // is not revoked: no harm
    network_settle(&world);
    cr_expect_eq(world_caller(&world, PHONE).device.role, ROLE_VOLUNTEER);
    expect_no_leaks();
}

Test(asked, membership_of_nobody_changes_nobody)
{
    struct buf fields BUF_CLEANUP = {0};
    struct world_change change;
    struct envelope envelope = {.kind = KIND_MEMBERSHIP, .time = world.now};
    wire_put_uint(&fields, FIELD_MEMBERSHIP_REVOKED, 1);
    cr_assert_eq(world_write(&world, COORDINATOR, &envelope, buf_bytes(&fields), &change), OK);
    uint8_t stranger[HANDLE_SIZE] = {0xee};
    buf_reset(&fields);
    wire_put_bytes(&fields, FIELD_MEMBERSHIP_DEVICE, BYTES(stranger));
    wire_put_uint(&fields, FIELD_MEMBERSHIP_ROLE, ROLE_COORDINATOR);
    cr_assert_eq(world_write(&world, COORDINATOR, &envelope, buf_bytes(&fields), &change), OK);
    network_settle(&world);
    for (size_t i = 0; i < DEVICES; i++)
        cr_expect_eq(world_caller(&world, i).device.role, i ? ROLE_VOLUNTEER : ROLE_COORDINATOR);
    expect_no_leaks();
}

// The person is closed, and the record hangs on an open one too: it goes alone.
Test(asked, contact_of_an_erased_person_goes_when_it_arrives_late)
{
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, OTHER, "a bench", NULL);
    network_settle(&world);
    said_number(&world, COORDINATOR, &person, FIELD_SENSITIVITY, SENSITIVITY_SENSITIVE);
    said_erase_record(&world, COORDINATOR, &person);
    network_sync(&world, COORDINATOR);
    struct record_key about[] = {person, need.record};
    struct world_change contact = said_about(&world, PHONE, KIND_CONTACT, "0123", about, 2);
    network_settle(&world);
    cr_expect_not(said_is_live(world.hub, world.community, &contact.record));
    cr_expect_not(
        said_is_kept(world.hub, world.community, world.devices[PHONE].handle, contact.seq));
    cr_expect(said_is_live(world.hub, world.community, &need.record));
    expect_no_leaks();
}

// --- by the administrator ---

struct deciding {
    const uint8_t *handle;
    enum role role;
    enum err expected;
};

static enum err try_grant(struct hub_decider *decider, void *arg)
{
    const struct deciding *d = arg;
    cr_expect_eq(hub_grant(decider, NULL, d->handle, d->role), d->expected);
    cr_expect_gt(strlen(decider->fault->text), (size_t)10);
    cr_expect_eq(decider->effects.first, 0, "nothing was decided");
    return OK;
}

Test(asked, roles_are_given_to_devices_that_there_are_and_that_can_have_them)
{
    uint8_t stranger[HANDLE_SIZE] = {0xee};
    uint8_t hub[HANDLE_SIZE];
    struct community community;
    struct txn *txn = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    txn_abort(&txn);
    memcpy(hub, community.log, HANDLE_SIZE);
    const uint8_t *phone = world.devices[PHONE].handle;
    struct deciding rows[] = {{stranger, ROLE_MEMBER, ERR_NOT_FOUND},
                              {hub, ROLE_MEMBER, ERR_MALFORMED},
                              {phone, ROLE_NONE, ERR_MALFORMED},
                              {phone, ROLE_HUB, ERR_MALFORMED},
                              {phone, (enum role)ROLE_COUNT, ERR_MALFORMED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        world_decide(&world, try_grant, &rows[i]);
    expect_no_leaks();
}

static enum err invite(enum role role, struct bytes label, uint32_t uses)
{
    static const uint8_t code[CODE_SIZE] = {1};
    struct community community;
    struct hub_invitation invitation = {role, label, world.now + 1000, uses};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    return hub_invite(txn, &community, &invitation, code, &fault);
}

Test(asked, invitation_is_for_a_role_and_so_many_devices_and_has_a_name_that_can_be_read)
{
    static char long_label[4096];
    memset(long_label, 'l', sizeof long_label);
    struct bytes label = bytes_of_text("a phone");
    cr_expect_eq(invite(ROLE_MEMBER, label, 1), OK);
    cr_expect_eq(invite(ROLE_OBSERVER, label, INVITATION_USES_MAX), OK);
    cr_expect_eq(invite(ROLE_NONE, label, 1), ERR_MALFORMED);
    cr_expect_eq(invite(ROLE_HUB, label, 1), ERR_MALFORMED);
    cr_expect_eq(invite(ROLE_MEMBER, label, 0), ERR_LIMIT);
    cr_expect_eq(invite(ROLE_MEMBER, label, INVITATION_USES_MAX + 1), ERR_LIMIT);
    cr_expect_neq(invite(ROLE_MEMBER, bytes_of("\xff", 1), 1), OK);
    cr_expect_neq(invite(ROLE_MEMBER, bytes_of(long_label, sizeof long_label), 1), OK);
    expect_no_leaks();
}

Test(asked, community_is_founded_with_a_name_that_can_be_read)
{
    static const struct hub_found_random random = {{1}, {2}, {3}};
    static char name[4096];
    struct community made;
    memset(name, 'n', sizeof name);
    struct bytes names[] = {{0}, bytes_of("\xff", 1), bytes_of(name, sizeof name)};
    for (size_t i = 0; i < 3; i++) {
        struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
        cr_expect_eq(
            hub_found(txn, world.identity_seed, names[i], world.now, &random, &made, &fault),
            ERR_MALFORMED);
    }
    expect_no_leaks();
}

// --- in a call ---

Test(asked, record_has_a_kind_and_an_id)
{
    uint8_t id[ID_SIZE] = {1};
    struct get_response response;
    struct hub_caller caller = world_caller(&world, PHONE);
    struct get_request requests[] = {{0, BYTES(id)}, {KIND_MAX + 1, BYTES(id)}, {KIND_NEED, {0}}};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(hub_get(txn, &caller, &requests[i], &arena, &response, &fault), ERR_MALFORMED);
    struct get_request absent = {KIND_NEED, BYTES(id)};
    cr_expect_eq(hub_get(txn, &caller, &absent, &arena, &response, &fault), ERR_NOT_FOUND);
    expect_no_leaks();
}

Test(asked, list_is_about_a_record_that_can_be)
{
    uint8_t id[ID_SIZE] = {1};
    struct list_response response;
    struct hub_caller caller = world_caller(&world, PHONE);
    struct ref abouts[] = {{0, BYTES(id)}, {KIND_MAX + 1, BYTES(id)}, {KIND_NEED, bytes_of(id, 3)}};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    for (size_t i = 0; i < 3; i++) {
        struct list_request request = {.kind = KIND_VOICE, .about = &abouts[i]};
        cr_expect_eq(hub_list(txn, &caller, &request, &arena, &response, &fault), ERR_MALFORMED);
    }
    expect_no_leaks();
}

Test(asked, proof_is_of_a_log_as_long_as_it_is)
{
    struct prove_response response;
    struct hub_caller caller = world_caller(&world, PHONE);
    struct prove_request request = {.old_size = world_log_size(&world) + 1};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_expect_eq(hub_prove(txn, &caller, &request, &arena, &response, &fault), ERR_MALFORMED);
    cr_expect_gt(strlen(fault.text), (size_t)10);
    request.old_size--;
    cr_expect_eq(hub_prove(txn, &caller, &request, &arena, &response, &fault), OK);
    expect_no_leaks();
}
