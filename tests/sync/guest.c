#include "tests/sync/guest.h"

#include <criterion/criterion.h>

#include "base/sign.h"

struct world world;
struct arena arena;
struct fault fault;
uint8_t chance[32];
struct guest guest;

void guest_challenge(struct guest *g)
{
    g->expires = world.now + 60000;
    hub_challenge(world.challenge_secret, g->expires, g->challenge);
}

void guest_invite(struct guest *g, enum role role, int64_t expires)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(hub_invite(txn, &community,
                            &(struct hub_invitation){role, bytes_of_text("phone"), expires, 1},
                            g->code, NULL),
                 OK);
    cr_assert_eq(txn_commit(&txn), OK);
}

void guest_init(struct guest *g)
{
    dice_bytes(&world.dice, g, sizeof *g);
    cr_assert_eq(sign_public_key(g->seed, g->key), OK);
    guest_challenge(g);
}

void guest_set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 6);
    arena_init(&arena, 1 << 20);
    guest_init(&guest);
    guest_invite(&guest, ROLE_VOLUNTEER, world.now + 1000);
}

void guest_tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

void guest_sign_for(struct guest *g, enum enrol_purpose purpose, const uint8_t key[KEY_SIZE])
{
    uint8_t hash[HASH_SIZE];
    struct buf message BUF_CLEANUP = {0};
    digest_invitation(g->code, hash);
    struct enrol_transcript transcript = {purpose,
                                          world.identity_key,
                                          world.id,
                                          key,
                                          purpose == PURPOSE_LOGIN ? NULL : hash,
                                          BYTES(g->challenge),
                                          g->expires};
    digest_enrol_transcript(&transcript, &message);
    cr_assert_eq(sign_make(g->seed, buf_bytes(&message), g->signature), OK);
}

void guest_sign(struct guest *g, enum enrol_purpose purpose)
{
    guest_sign_for(g, purpose, g->key);
}

struct hub_admitting guest_admitting(struct guest *g)
{
    return (struct hub_admitting){world.identity_key, world.challenge_secret, world.now, g->token,
                                  chance};
}

struct enrol_request guest_enrolment(struct guest *g)
{
    guest_sign(g, PURPOSE_ENROL);
    return (struct enrol_request){.community = BYTES(world.id),
                                  .device_key = BYTES(g->key),
                                  .invitation = BYTES(g->code),
                                  .challenge = BYTES(g->challenge),
                                  .expires = g->expires,
                                  .signature = BYTES(g->signature)};
}

struct enrol_request guest_succession(struct guest *g, struct guest *before)
{
    struct enrol_request request = guest_enrolment(g);
    memcpy(before->code, g->code, sizeof g->code);
    memcpy(before->challenge, g->challenge, sizeof g->challenge);
    before->expires = g->expires;
    guest_sign_for(before, PURPOSE_SUCCEED, g->key);
    request.previous_key = BYTES(before->key);
    request.previous_signature = BYTES(before->signature);
    return request;
}

struct login_request guest_login(struct guest *g)
{
    guest_sign(g, PURPOSE_LOGIN);
    return (struct login_request){BYTES(world.id), BYTES(g->key), BYTES(g->challenge), g->expires,
                                  BYTES(g->signature)};
}

enum err guest_ask_enrol(struct guest *g, const struct enrol_request *request)
{
    struct admission admission;
    struct hub_admitting admitting = guest_admitting(g);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    enum err err = hub_enrol(txn, &admitting, request, &arena, &admission, &fault);
    return err ? err : txn_commit(&txn);
}

enum err guest_ask_login(struct guest *g, const struct login_request *request)
{
    struct admission admission;
    struct hub_admitting admitting = guest_admitting(g);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    enum err err = hub_login(txn, &admitting, request, &arena, &admission, &fault);
    return err ? err : txn_commit(&txn);
}

enum err guest_authenticate(const uint8_t token[TOKEN_SIZE], struct hub_caller *caller)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    return hub_authenticate(txn, token, CALL_SYNC, &(struct hub_policy){0}, world.now, caller,
                            &fault);
}

void guest_expect_refused(struct guest *g, const struct enrol_request *request, enum err expected)
{
    struct admission admission;
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    struct hub_admitting admitting = guest_admitting(g);
    world_dump(world.hub, &before);
    fault = (struct fault){0};
    struct txn *txn = txn_begin_write(world.hub);
    enum err err = hub_enrol(txn, &admitting, request, &arena, &admission, &fault);
    cr_expect_eq(txn_commit(&txn), OK);
    world_dump(world.hub, &after);
    cr_expect_eq(err, expected, "%s", err_text(err));
    cr_expect_gt(strlen(fault.text), 10);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
}
