#include "tests/fuzz/moot.h"

#include <assert.h>

#include "proto/schema.h"
#include "storage/record.h"
#include "sync/author.h"
#include "sync/digest.h"
#include "sync/view.h"
#include "tests/fuzz/stores.h"

static const uint8_t identity_seed[SIGN_SEED_SIZE] = "the identity of a hub for fuzz.";
static const uint8_t challenge_secret[32] = "a process's secret";

static struct moot the_moot;

static void found(struct txn *txn, struct community *community)
{
    static const struct hub_found_random random = {"nonce", "a chain's seed", "salt"};
    enum err err =
        hub_found(txn, identity_seed, bytes_of_text("Fuzz"), MOOT_NOW, &random, community, NULL);
    assert(!err);
    memcpy(the_moot.community, community->id, COMMUNITY_SIZE);
}

static void sign_enrolment(const struct moot_device *device, const struct hub_admitting *admitting,
                           const uint8_t code[CODE_SIZE], struct enrol_request *request,
                           uint8_t signature[SIGN_SIZE])
{
    uint8_t hash[HASH_SIZE];
    struct buf message BUF_CLEANUP = {0};
    digest_invitation(code, hash);
    struct enrol_transcript transcript = {
        PURPOSE_ENROL, admitting->identity_key, the_moot.community, request->device_key.p,
        hash,          request->challenge,      request->expires};
    digest_enrol_transcript(&transcript, &message);
    enum err err = sign_make(device->seed, buf_bytes(&message), signature);
    assert(!err);
    request->signature = bytes_of(signature, SIGN_SIZE);
}

static void enrol(struct txn *txn, const struct community *community, struct moot_device *device,
                  enum role role)
{
    uint8_t key[KEY_SIZE];
    uint8_t identity_key[KEY_SIZE];
    uint8_t challenge[16];
    uint8_t signature[SIGN_SIZE];
    uint8_t code[CODE_SIZE] = {(uint8_t)role};
    static const uint8_t random[32];
    struct arena arena ARENA_CLEANUP;
    struct admission admission;
    arena_init(&arena, 4096);
    enum err err = sign_public_key(identity_seed, identity_key);
    if (!err)
        err = sign_public_key(device->seed, key);
    if (!err)
        err = hub_invite(txn, community,
                         &(struct hub_invitation){role, bytes_of_text("card"), MOOT_NOW, 1}, code,
                         NULL);
    assert(!err);
    digest_handle(community->id, key, device->handle);
    hub_challenge(challenge_secret, MOOT_NOW, challenge);
    struct hub_admitting admitting = {identity_key, challenge_secret, MOOT_NOW, device->token,
                                      random};
    struct enrol_request request = {.community = BYTES(community->id),
                                    .device_key = BYTES(key),
                                    .invitation = BYTES(code),
                                    .challenge = BYTES(challenge),
                                    .expires = MOOT_NOW};
    sign_enrolment(device, &admitting, code, &request, signature);
    err = hub_enrol(txn, &admitting, &request, &arena, &admission, NULL);
    assert(!err && admission.role == (uint32_t)role);
}

static void write_one(struct txn *txn, const struct moot_device *device,
                      const struct envelope *envelope, const char *words, struct record_key *record)
{
    static const uint8_t salt[SALT_SIZE] = "salt";
    struct community community;
    struct device row;
    struct buf fields BUF_CLEANUP = {0};
    moot_rows(txn, &the_moot, device, &community, &row);
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text(words));
    struct author author = {&community, &row, device->seed};
    enum err err = author_write(txn, &author, envelope, buf_bytes(&fields), salt, record, NULL);
    assert(!err);
}

// Two changes, the same ones wherever it is called, so that there is something to overlap with.
static void write_some(struct txn *txn, const struct moot_device *device)
{
    struct record_key record;
    struct envelope first = {.kind = KIND_NEED, .time = MOOT_NOW};
    write_one(txn, device, &first, "a bus on Sundays", &record);
    struct envelope second = {.kind = KIND_NEED, .id = BYTES(record.id), .time = MOOT_NOW};
    write_one(txn, device, &second, "a bus every day", NULL);
}

// The rows that a device has after it joined.
static void put_device_rows(struct txn *txn, const struct moot_device *device)
{
    struct community community = {.is_hub = false};
    struct device row = {.role = ROLE_NONE};
    struct secret secret = {0};
    memcpy(community.id, the_moot.community, COMMUNITY_SIZE);
    memcpy(row.handle, device->handle, HANDLE_SIZE);
    memcpy(secret.seed, device->seed, sizeof secret.seed);
    enum err err = sign_public_key(identity_seed, secret.hub_key);
    if (!err)
        err = sign_public_key(device->seed, row.key);
    assert(!err);
    community_put(txn, &community);
    secret_put(txn, community.number, &secret);
    device_put(txn, community.number, &row);
}

static void make_hub(void)
{
    static const enum role roles[MOOT_DEVICES] = {ROLE_COORDINATOR, ROLE_VOLUNTEER};
    struct community community;
    struct txn *txn = txn_begin_write(the_moot.hub);
    found(txn, &community);
    for (unsigned i = 0; i < MOOT_DEVICES; i++) {
        memset(the_moot.devices[i].seed, (int)i + 1, SIGN_SEED_SIZE);
        memset(the_moot.devices[i].token, (int)i + 1, TOKEN_SIZE);
        enrol(txn, &community, &the_moot.devices[i], roles[i]);
    }
    for (unsigned i = 0; i < MOOT_DEVICES; i++)
        write_some(txn, &the_moot.devices[i]);
    enum err err = txn_commit(&txn);
    assert(!err);
}

static void make(void)
{
    struct store *stores[MOOT_DEVICES + 1];
    stores_open(stores, MOOT_DEVICES + 1);
    the_moot.hub = stores[MOOT_DEVICES];
    make_hub();
    for (unsigned i = 0; i < MOOT_DEVICES; i++) {
        the_moot.devices[i].store = stores[i];
        struct txn *txn = txn_begin_write(stores[i]);
        put_device_rows(txn, &the_moot.devices[i]);
        write_some(txn, &the_moot.devices[i]);
        enum err err = txn_commit(&txn);
        assert(!err);
    }
}

const struct moot *moot_get(void)
{
    if (!the_moot.hub)
        make();
    return &the_moot;
}

void moot_caller(struct txn *hub, const struct moot_device *device, struct hub_caller *caller)
{
    enum err err = hub_authenticate(hub, device->token, CALL_SYNC, &(struct hub_policy){0},
                                    MOOT_NOW, caller, NULL);
    assert(!err);
}

void moot_rows(struct txn *txn, const struct moot *moot, const struct moot_device *device,
               struct community *community, struct device *row)
{
    enum err err = community_get(txn, moot->community, community);
    if (!err)
        err = device_get(txn, community->number, device->handle, row);
    assert(!err);
}

static void check_record(struct txn *txn, const struct community *community,
                         const struct record_key *record, const struct eye *eye)
{
    struct arena arena ARENA_CLEANUP;
    struct record_view view;
    arena_init(&arena, 16 << 20);
    enum err err = view_record(txn, community, record, eye, &arena, &view);
    assert(err == OK || err == ERR_LIMIT ||
           (err == ERR_NOT_FOUND && eye->role != ROLE_COORDINATOR));
}

void moot_check_records(struct txn *txn, const struct community *community,
                        const uint8_t handle[HANDLE_SIZE])
{
    // One kind more than is known, for what a later version may send.
    for (uint32_t kind = 1; kind <= KIND_REQUEST + 1; kind++) {
        struct record_key record;
        enum err err = live_next_record(txn, community->number, kind, NULL, &record);
        while (!err) {
            check_record(txn, community, &record,
                         &(struct eye){.role = ROLE_COORDINATOR, .device = handle});
            check_record(txn, community, &record,
                         &(struct eye){.role = ROLE_VOLUNTEER, .device = handle});
            uint8_t after[ID_SIZE];
            memcpy(after, record.id, ID_SIZE);
            err = live_next_record(txn, community->number, kind, after, &record);
        }
        assert(err == ERR_NOT_FOUND);
    }
    enum err err = txn_error(txn);
    assert(!err);
}
