#include "tests/sync/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/sign.h"
#include "sync/digest.h"

void network_ask(struct world *world, size_t index, const struct exchange_options *options,
                 struct buf *request)
{
    struct world_device *device = &world->devices[index];
    struct community community;
    struct device own;
    struct sync_request sync;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, WORLD_ARENA_MAX);
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    enum err err = exchange_request(txn, &community, &own, device->seed, options, &arena, &sync,
                                    &device->asked);
    world_must(!err, "no request could be made");
    message_encode(&sync_request_message, &sync, request);
    world_must(!request->err, "a request could not be encoded");
    if (sync.push.n)
        exchange_note_sent(txn, &community, true);
    world_must(!txn_commit(&txn), "that a push is sent was not noted");
}

// --- the hub ---

static enum err check(struct world *world, const struct hub_caller *caller,
                      const struct sync_request *request, struct arena *arena,
                      struct hub_push_plan **plan, struct fault *fault)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    return hub_check_push(txn, caller, request, arena, plan, fault);
}

enum err network_push(struct world *world, size_t device, const struct sync_request *request,
                      struct arena *arena, struct list *receipts, struct fault *fault)
{
    uint8_t random[32];
    struct hub_push_plan *plan;
    struct hub_caller caller = world_caller(world, device);
    *receipts = (struct list){0};
    dice_bytes(&world->dice, random, sizeof random);
    enum err err = check(world, &caller, request, arena, &plan, fault);
    if (err || !plan)
        return err;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world->hub);
    err = hub_push(txn, &caller, world->now, random, plan, arena, receipts,
                   &(struct hub_effects){0}, fault);
    if (!err)
        world_must(!txn_commit(&txn), "a push was not committed");
    return err;
}

enum err network_pull(struct world *world, size_t device, const struct sync_request *request,
                      struct list receipts, struct arena *arena, struct sync_response *response,
                      struct fault *fault)
{
    struct hub_caller caller = world_caller(world, device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    return hub_pull(txn, &caller, world->now, request, receipts, arena, NULL, response, fault);
}

enum err network_serve(struct world *world, size_t device, struct bytes bytes, struct buf *answer,
                       struct fault *fault)
{
    struct sync_request request = {0};
    struct sync_response response;
    struct list receipts;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, WORLD_ARENA_MAX);
    enum err err = message_decode(&sync_request_message, bytes, &arena, &request, fault);
    if (!err)
        err = network_push(world, device, &request, &arena, &receipts, fault);
    if (!err)
        err = network_pull(world, device, &request, receipts, &arena, &response, fault);
    if (err)
        return err;
    message_encode(&sync_response_message, &response, answer);
    world_must(!answer->err, "an answer could not be encoded");
    return OK;
}

// --- the device ---

struct ear {
    struct world_device *device;
    struct arena *arena;
    struct exchange_report *report;
    struct fault *fault;
};

static enum err hear_receipt(struct ear *ear, const struct receipt *receipt)
{
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_write(ear->device->store);
    world_self(txn, ear->device, &community, &own);
    enum err err = exchange_take_receipt(txn, &community, &own, receipt, ear->report);
    return err ? err : txn_commit(&txn);
}

static enum err hear_top(struct ear *ear, const struct sync_response *response)
{
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_write(ear->device->store);
    world_self(txn, ear->device, &community, &own);
    enum err err = exchange_take_top(txn, &community, &own, response, ear->report);
    return err ? err : txn_commit(&txn);
}

static enum err hear_piece(struct ear *ear, const struct piece *piece)
{
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_write(ear->device->store);
    world_self(txn, ear->device, &community, &own);
    enum err err =
        exchange_take_piece(txn, &community, &own, piece, ear->arena, ear->report, ear->fault);
    return err ? err : txn_commit(&txn);
}

// What a device does with a whole answer in the end.
static enum err check_log(struct world *world, struct ear *ear,
                          const struct sync_response *response)
{
    struct community community;
    struct device own;
    struct world_device *device = ear->device;
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    enum err err = proof_check_answer(txn, &community, &own, &device->asked, response,
                                      ear->report->receipt, world->now, &device->checked);
    if (device->checked.alarm)
        device->alarm = device->checked.alarm;
    world_must(world->may_alarm || !device->checked.alarm, "an honest hub raised an alarm");
    return err ? err : txn_commit(&txn);
}

enum err network_hear(struct world *world, size_t device, struct bytes answer, size_t pieces,
                      struct exchange_report *report, struct fault *fault)
{
    struct sync_response response = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, WORLD_ARENA_MAX);
    struct ear ear = {&world->devices[device], &arena, report, fault};
    enum err err = message_decode(&sync_response_message, answer, &arena, &response, fault);
    for (size_t i = 0; i < response.receipts.n && !err; i++)
        err = hear_receipt(&ear, LIST_AT(struct receipt, response.receipts, i));
    if (!err)
        err = hear_top(&ear, &response);
    for (size_t i = 0; i < response.pieces.n && i < pieces && !err; i++)
        err = hear_piece(&ear, LIST_AT(struct piece, response.pieces, i));
    return !err && pieces >= response.pieces.n ? check_log(world, &ear, &response) : err;
}

// --- the token ---

enum role network_log_in(struct world *world, size_t index)
{
    struct world_device *device = &world->devices[index];
    uint8_t key[KEY_SIZE];
    uint8_t challenge[16];
    uint8_t signature[SIGN_SIZE];
    uint8_t random[32] = {1};
    int64_t expires = world->now + 1000;
    struct buf message BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    struct admission admission;
    struct fault fault = {0};
    arena_init(&arena, 4096);
    dice_bytes(&world->dice, device->token, sizeof device->token);
    world_must(!sign_public_key(device->seed, key), "no key");
    hub_challenge(world->challenge_secret, expires, challenge);
    struct enrol_transcript transcript = {PURPOSE_LOGIN, world->identity_key, world->id, key,
                                          NULL,          BYTES(challenge),    expires};
    digest_enrol_transcript(&transcript, &message);
    world_must(!sign_make(device->seed, buf_bytes(&message), signature), "unsigned");
    struct login_request request = {BYTES(world->id), BYTES(key), BYTES(challenge), expires,
                                    BYTES(signature)};
    struct hub_admitting admitting = {world->identity_key, world->challenge_secret, world->now,
                                      device->token, random};
    struct txn *txn = txn_begin_write(world->hub);
    enum err err = hub_login(txn, &admitting, &request, &arena, &admission, &fault);
    world_must(!err, fault.text);
    world_must(!txn_commit(&txn), "a login was not committed");
    return (enum role)admission.role;
}

// --- whole exchanges ---

struct exchange_report network_sync(struct world *world, size_t device)
{
    struct buf request BUF_CLEANUP = {0};
    struct buf answer BUF_CLEANUP = {0};
    struct exchange_report report = {0};
    struct exchange_options options = {256 << 10, 256 << 10};
    struct fault fault = {0};
    network_ask(world, device, &options, &request);
    enum err err = network_serve(world, device, buf_bytes(&request), &answer, &fault);
    if (!err)
        err = network_hear(world, device, buf_bytes(&answer), SIZE_MAX, &report, &fault);
    world_must(!err, fault.text);
    return report;
}

void network_settle(struct world *world)
{
    size_t quiet = 0;
    for (size_t i = 0; quiet < world->devices_n; i++) {
        struct exchange_report report = network_sync(world, i % world->devices_n);
        bool busy = report.pushed || report.pulled || report.more || report.gap;
        quiet = busy ? 0 : quiet + 1;
        world_must(i < 1000, "devices and hub never come to rest");
    }
}

// --- a bad line ---

static void take_out(struct network *network, size_t i)
{
    buf_done(&network->messages[i].bytes);
    network->messages[i] = network->messages[--network->n];
}

static void put_in(struct network *network, bool is_answer, size_t device,
                   const struct proof_asked *asked, struct buf *bytes)
{
    network->messages[network->n++] = (struct message_under_way){is_answer, device, *asked, *bytes};
    *bytes = (struct buf){0};
}

static void some_device_asks(struct network *network, struct world *world)
{
    static const uint32_t sizes[] = {0, 1, 200, 2000, 65536};
    struct buf request = {0};
    size_t device = dice_below(&world->dice, world->devices_n);
    struct exchange_options options = {sizes[dice_below(&world->dice, 5)],
                                       sizes[dice_below(&world->dice, 5)]};
    network_ask(world, device, &options, &request);
    put_in(network, false, device, &world->devices[device].asked, &request);
}

static void arrive(struct network *network, struct world *world, size_t i)
{
    struct message_under_way *message = &network->messages[i];
    struct exchange_report report = {0};
    struct fault fault = {0};
    struct buf answer = {0};
    enum err err;
    if (message->is_answer) {
        bool cut = dice_percent(&world->dice, 30);
        size_t pieces = cut ? dice_below(&world->dice, 4) : SIZE_MAX;
        world->devices[message->device].asked = message->asked;
        err = network_hear(world, message->device, buf_bytes(&message->bytes), pieces, &report,
                           &fault);
        world_must(!report.forked, "a device that is no copy was told that it is one");
    } else {
        err = network_serve(world, message->device, buf_bytes(&message->bytes), &answer, &fault);
        if (!err && network->n < NETWORK_MAX)
            put_in(network, true, message->device, &message->asked, &answer);
        buf_done(&answer);
    }
    world_must(!err, fault.text);
}

void network_stir(struct network *network, struct world *world)
{
    bool ask = network->n == 0 || (network->n < NETWORK_MAX && dice_percent(&world->dice, 35));
    if (ask) {
        some_device_asks(network, world);
        return;
    }
    size_t i = dice_below(&world->dice, network->n);
    bool lost = dice_percent(&world->dice, 20);
    bool again = dice_percent(&world->dice, 15);
    if (!lost)
        arrive(network, world, i);
    if (!again)
        take_out(network, i);
}

void network_done(struct network *network)
{
    while (network->n)
        take_out(network, 0);
}
