#include <criterion/criterion.h>

#include "base/sign.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/guest.h"
#include "tests/sync/network.h"

TestSuite(admit, .init = guest_set_up, .fini = guest_tear_down);

Test(admit, founds_a_community_whose_id_and_log_follow_from_its_keys)
{
    uint8_t id[COMMUNITY_SIZE];
    struct community community;
    struct device hub;
    struct log_entry entry;
    struct log_body body;
    struct wire_field field;
    struct incarnation incarnation = {0};
    struct buf transcript BUF_CLEANUP = {0};
    struct txn *txn = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(device_get(txn, world.community, community.log, &hub), OK);
    cr_expect_eq(hub.role, ROLE_HUB);
    cr_expect(memcmp(hub.identity, world.identity_key, KEY_SIZE) == 0);
    cr_assert_eq(log_get(txn, world.community, 1, &entry), OK);
    cr_expect(memcmp(entry.device, community.log, HANDLE_SIZE) == 0);
    cr_assert_eq(log_get_body(txn, world.community, 1, &body), OK);
    struct wire_reader reader = wire_reader(body.fields);
    cr_assert_eq(wire_next(&reader, &field), OK);
    cr_assert_eq(message_decode(&incarnation_message, field.bytes, &arena, &incarnation, NULL), OK);
    digest_community(world.identity_key, incarnation.nonce.p, id);
    cr_expect(memcmp(id, world.id, COMMUNITY_SIZE) == 0);
    digest_incarnation_transcript(world.id, hub.key, &incarnation, &transcript);
    cr_expect(!sign_verify(world.identity_key, buf_bytes(&transcript), incarnation.signature.p));
    txn_abort(&txn);
    buf_done(&transcript);
    expect_no_leaks();
}

Test(admit, refuses_names_of_communities_and_labels_that_are_no_text)
{
    struct community community;
    struct hub_found_random random = {{1}, {2}, {3}};
    static const struct bytes names[] = {{NULL, 0}, {(const uint8_t *)"\xff", 1}};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(hub_found(txn, world.identity_seed, names[i], 1, &random, &community, &fault),
                     ERR_MALFORMED);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_expect_eq(hub_invite(txn, &community, &(struct hub_invitation){ROLE_HUB, names[0], 1, 1},
                            guest.code, &fault),
                 ERR_MALFORMED);
    cr_expect_eq(hub_invite(txn, &community,
                            &(struct hub_invitation){ROLE_VOLUNTEER, names[1], 1, 1}, guest.code,
                            &fault),
                 ERR_MALFORMED);
}

Test(admit, enrols_an_invited_device_with_role_and_label)
{
    struct hub_caller caller;
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    cr_assert_eq(guest_authenticate(guest.token, &caller), OK);
    cr_expect_eq(caller.device.role, ROLE_VOLUNTEER);
    cr_expect_str_eq(caller.device.label, "phone");
    cr_expect(memcmp(caller.device.key, guest.key, KEY_SIZE) == 0);
    cr_expect_eq(caller.community.number, world.community);
    network_settle(&world);
    struct device known;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[0].store);
    cr_expect_eq(device_get(txn, world.devices[0].community, caller.device.handle, &known), OK);
    cr_expect_eq(known.role, ROLE_VOLUNTEER, "every device learns of it");
}

Test(admit, lets_an_invitation_be_used_once_but_again_by_the_same_device)
{
    struct hub_caller caller;
    uint8_t first[TOKEN_SIZE];
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    memcpy(first, guest.token, TOKEN_SIZE);
    guest.token[0] ^= 1;
    world.now += 5000; // the invitation expired, the challenge did not
    uint64_t size = world_caller(&world, 0).community.size;
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    cr_expect_eq(world_caller(&world, 0).community.size, size, "nothing was decided again");
    cr_expect_eq(guest_authenticate(guest.token, &caller), OK);
    cr_expect_eq(guest_authenticate(first, &caller), ERR_UNAUTHENTICATED,
                 "the older token is void");
    struct guest other = guest;
    dice_bytes(&world.dice, other.seed, sizeof other.seed);
    cr_assert_eq(sign_public_key(other.seed, other.key), OK);
    struct enrol_request second = guest_enrolment(&other);
    guest_expect_refused(&guest, &second, ERR_FORBIDDEN);
}

// --- a second invitation ---

static enum role role_of(const struct guest *g)
{
    struct hub_caller caller;
    cr_assert_eq(guest_authenticate(g->token, &caller), OK);
    return caller.device.role;
}

static uint64_t log_size(void)
{
    return world_caller(&world, 0).community.size;
}

Test(admit, gives_an_enrolled_device_the_role_of_a_second_invitation_once)
{
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    cr_expect_eq(role_of(&guest), ROLE_VOLUNTEER);
    struct guest promoted = guest;
    dice_bytes(&world.dice, promoted.code, sizeof promoted.code);
    guest_invite(&promoted, ROLE_COORDINATOR, world.now + 1000);
    struct enrol_request second = guest_enrolment(&promoted);
    uint64_t size = log_size();
    cr_assert_eq(guest_ask_enrol(&promoted, &second), OK, "%s", fault.text);
    cr_expect_eq(role_of(&promoted), ROLE_COORDINATOR);
    cr_expect_eq(log_size(), size + 1, "one decision");
    cr_assert_eq(guest_ask_enrol(&promoted, &second), OK);
    cr_expect_eq(log_size(), size + 1, "and no other");

    // Whoever repeats the first one gets in, and it changes nothing.
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK, "%s", fault.text);
    cr_expect_eq(log_size(), size + 1);
    cr_expect_eq(role_of(&guest), ROLE_COORDINATOR);

    // One that gives less takes nothing away.
    struct guest moved = guest;
    dice_bytes(&world.dice, moved.code, sizeof moved.code);
    guest_invite(&moved, ROLE_OBSERVER, world.now + 1000);
    struct enrol_request third = guest_enrolment(&moved);
    cr_assert_eq(guest_ask_enrol(&moved, &third), OK, "%s", fault.text);
    cr_expect_eq(role_of(&guest), ROLE_COORDINATOR);

    struct guest thief = promoted;
    dice_bytes(&world.dice, thief.seed, sizeof thief.seed);
    cr_assert_eq(sign_public_key(thief.seed, thief.key), OK);
    struct enrol_request stolen = guest_enrolment(&thief);
    guest_expect_refused(&guest, &stolen, ERR_FORBIDDEN);
    network_settle(&world);
    struct device known;
    uint8_t handle[HANDLE_SIZE];
    digest_handle(world.id, guest.key, handle);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[0].store);
    cr_expect_eq(device_get(txn, world.devices[0].community, handle, &known), OK);
    cr_expect_eq(known.role, ROLE_COORDINATOR, "every device learns of it");
}

// --- labels ---

static bool holds(const struct buf *buf, const char *text)
{
    return memmem(buf->p, buf->n, text, strlen(text)) != NULL;
}

// A label may be somebody's name: it stays where it was written.
static enum err revoke_maker(struct hub_decider *decider, void *arg)
{
    return hub_revoke(decider, NULL, ((const struct world_device *)arg)->handle);
}

// A coordinator's phone is stolen; what it has made before is worth no more than the phone.
Test(admit, takes_no_invitation_of_a_device_that_was_revoked)
{
    struct guest friends[2];
    size_t maker = world_join(&world, ROLE_COORDINATOR);
    struct hub_caller caller = world_caller(&world, maker);
    struct hub_invitation invitation = {ROLE_COORDINATOR, bytes_of_text(""), world.now + 1000, 2};
    guest_init(&friends[0]);
    guest_init(&friends[1]);
    memcpy(friends[1].code, friends[0].code, sizeof friends[1].code);
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(hub_invite_as(txn, &caller, &invitation, friends[0].code, &fault), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    struct enrol_request request = guest_enrolment(&friends[0]);
    cr_expect_eq(guest_ask_enrol(&friends[0], &request), OK, "%s", fault.text);
    world_decide(&world, revoke_maker, &world.devices[maker]);
    cr_expect_eq(guest_ask_enrol(&friends[0], &request), OK, "the same device may finish: %s",
                 fault.text);
    request = guest_enrolment(&friends[1]);
    cr_expect_eq(guest_ask_enrol(&friends[1], &request), ERR_FORBIDDEN);
    cr_expect(strstr(fault.text, "may invite no more"), "%s", fault.text);
}

Test(admit, tells_nobody_the_label_of_a_device)
{
    static const char label[] = "Grandmother's old phone";
    struct hub_caller caller;
    struct community community;
    struct buf dump BUF_CLEANUP = {0};
    struct guest named;
    guest_init(&named);
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(hub_invite(txn, &community,
                            &(struct hub_invitation){ROLE_VOLUNTEER, bytes_of_text(label),
                                                     world.now + 1000, 1},
                            named.code, NULL),
                 OK);
    cr_assert_eq(txn_commit(&txn), OK);
    struct enrol_request request = guest_enrolment(&named);
    cr_assert_eq(guest_ask_enrol(&named, &request), OK, "%s", fault.text);
    cr_assert_eq(guest_authenticate(named.token, &caller), OK);
    cr_expect_str_eq(caller.device.label, label, "the hub itself knows it");
    size_t late = world_join(&world, ROLE_VOLUNTEER);
    struct sync_request pull = {.version = PROTOCOL_VERSION, .packings = 1 << PACKING_PLAIN};
    struct sync_response response;
    struct arena room ARENA_CLEANUP;
    arena_init(&room, WORLD_ARENA_MAX);
    cr_assert_eq(network_pull(&world, 0, &pull, (struct list){0}, &room, &response, &fault), OK);
    cr_expect_gt(response.pieces.n, 0);
    message_encode(&sync_response_message, &response, &dump);
    cr_expect(!holds(&dump, label), "a pull tells it");
    network_settle(&world);
    for (size_t i = 0; i <= late; i++) {
        struct device known;
        struct world_device *device = &world.devices[i];
        buf_reset(&dump);
        world_dump(device->store, &dump);
        cr_expect(!holds(&dump, label), "device %zu has it", i);
        txn = txn_begin_read(device->store);
        cr_expect_eq(device_get(txn, device->community, caller.device.handle, &known), OK);
        cr_expect_eq(known.label_n, 0);
        txn_abort(&txn);
    }
}

Test(admit, refuses_an_expired_or_unknown_invitation)
{
    struct enrol_request request = guest_enrolment(&guest);
    world.now += 1001;
    guest_expect_refused(&guest, &request, ERR_FORBIDDEN);
    world.now -= 1001;
    guest.code[0] ^= 1;
    request = guest_enrolment(&guest);
    guest_expect_refused(&guest, &request, ERR_FORBIDDEN);
}

Test(admit, refuses_a_challenge_that_expired_or_is_not_its_own)
{
    struct enrol_request request = guest_enrolment(&guest);
    world.now += 60001;
    guest_expect_refused(&guest, &request, ERR_WRONG_STATE);
    world.now -= 60001;
    guest.expires++;
    request = guest_enrolment(&guest);
    guest_expect_refused(&guest, &request, ERR_WRONG_STATE);
    guest.expires--;
    guest.challenge[0] ^= 1;
    request = guest_enrolment(&guest);
    guest_expect_refused(&guest, &request, ERR_WRONG_STATE);
    request.challenge = (struct bytes){0};
    guest_expect_refused(&guest, &request, ERR_WRONG_STATE);
}

Test(admit, refuses_a_signature_over_anything_else)
{
    struct enrol_request request = guest_enrolment(&guest);
    guest.signature[0] ^= 1;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    guest_sign(&guest, PURPOSE_LOGIN);
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    request = guest_enrolment(&guest);
    world.now += 1; // an answer to another challenge, replayed
    guest_challenge(&guest);
    request.expires = guest.expires;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    request = guest_enrolment(&guest);
    request.signature = (struct bytes){0};
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
}

Test(admit, refuses_keys_of_small_order)
{
    static const uint8_t small[][KEY_SIZE] = {{0}, {1}};
    struct enrol_request request = guest_enrolment(&guest);
    for (size_t i = 0; i < 2; i++) {
        request.device_key = BYTES(small[i]);
        guest_expect_refused(&guest, &request, ERR_MALFORMED);
    }
    request.device_key = (struct bytes){0};
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
}

Test(admit, keeps_communities_apart)
{
    struct community other;
    struct hub_found_random random = {{1}, {2}, {3}};
    struct enrol_request request = guest_enrolment(&guest);
    uint8_t nowhere[COMMUNITY_SIZE] = {1};
    request.community = BYTES(nowhere);
    guest_expect_refused(&guest, &request, ERR_NOT_FOUND);
    request.community = (struct bytes){0};
    guest_expect_refused(&guest, &request, ERR_NOT_FOUND);
    struct txn *txn = txn_begin_write(world.hub);
    cr_assert_eq(
        hub_found(txn, world.identity_seed, bytes_of_text("Hill"), 1, &random, &other, &fault), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    uint8_t dale[COMMUNITY_SIZE];
    memcpy(dale, world.id, COMMUNITY_SIZE);
    memcpy(world.id, other.id, COMMUNITY_SIZE);
    request = guest_enrolment(&guest);
    guest_expect_refused(&guest, &request, ERR_FORBIDDEN); // the invitation is for the other one
    memcpy(world.id, dale, COMMUNITY_SIZE);
    request = guest_enrolment(&guest);
    request.community = BYTES(other.id);
    guest_expect_refused(&guest, &request, ERR_MALFORMED); // signed for the other one
}

Test(admit, gives_a_new_token_at_login_and_voids_the_older_one)
{
    struct hub_caller caller;
    uint8_t first[TOKEN_SIZE];
    struct enrol_request request = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &request), OK);
    memcpy(first, guest.token, TOKEN_SIZE);
    cr_expect_eq(guest_authenticate(first, &caller), OK);
    guest.token[5] ^= 1;
    struct login_request again = guest_login(&guest);
    cr_assert_eq(guest_ask_login(&guest, &again), OK, "%s", fault.text);
    cr_expect_eq(guest_authenticate(guest.token, &caller), OK);
    cr_expect_eq(guest_authenticate(first, &caller), ERR_UNAUTHENTICATED);
    cr_expect_eq(guest_authenticate(world.devices[0].token, &caller), OK, "others keep theirs");
}

Test(admit, lets_nobody_log_in_who_is_not_enrolled_or_replays_an_enrolment)
{
    struct login_request request = guest_login(&guest);
    cr_expect_eq(guest_ask_login(&guest, &request), ERR_FORBIDDEN);
    struct enrol_request enrolment = guest_enrolment(&guest);
    cr_assert_eq(guest_ask_enrol(&guest, &enrolment), OK);
    cr_expect_eq(guest_ask_login(&guest, &request), ERR_MALFORMED,
                 "signed to enrol, not to log in");
    request = guest_login(&guest);
    world.now += 60001;
    cr_expect_eq(guest_ask_login(&guest, &request), ERR_WRONG_STATE);
}

Test(admit, knows_no_token_that_it_did_not_give)
{
    struct hub_caller caller;
    uint8_t token[TOKEN_SIZE] = {0};
    cr_expect_eq(guest_authenticate(token, &caller), ERR_UNAUTHENTICATED);
}

Test(admit, lets_nobody_in_without_a_key_or_by_a_code_that_is_none)
{
    struct enrol_request request = guest_enrolment(&guest);
    request.device_key.n--;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    request = guest_enrolment(&guest);
    request.invitation.n--;
    guest_expect_refused(&guest, &request, ERR_MALFORMED);
    struct login_request login = guest_login(&guest);
    login.device_key.n--;
    cr_expect_eq(guest_ask_login(&guest, &login), ERR_MALFORMED);
    expect_no_leaks();
}

// Two keys of one handle are not to be found; a hub's chain is no device's.
Test(admit, lets_nobody_in_under_the_handle_of_another_device_or_of_a_hub)
{
    for (int is_hub = 0; is_hub < 2; is_hub++) {
        struct device known = {.role = is_hub ? ROLE_HUB : ROLE_MEMBER, .key = {1}};
        struct txn *txn = txn_begin_write(world.hub);
        digest_handle(world.id, guest.key, known.handle);
        if (is_hub)
            memcpy(known.key, guest.key, KEY_SIZE);
        device_put(txn, world.community, &known);
        cr_assert_eq(txn_commit(&txn), OK);
        struct enrol_request request = guest_enrolment(&guest);
        guest_expect_refused(&guest, &request, ERR_EXISTS);
        struct login_request login = guest_login(&guest);
        cr_expect_neq(guest_ask_login(&guest, &login), OK);
    }
    expect_no_leaks();
}
