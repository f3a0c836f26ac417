// Everything that a hub can be asked.

#include <assert.h>
#include <stdio.h>

#include "storage/erasure.h"
#include "tests/rot/rot.h"

enum { ARENA_MAX = 64 << 20, PROVED = 12 };

struct asking {
    struct town *town;
    struct answers *answers;
    struct txn *txn;
    struct hub_caller caller;
    struct arena arena;
    struct fault fault;
    struct buf bytes;
};

// One request in a transaction of its own.
static enum err begin(struct asking *a, enum role_call call)
{
    arena_init(&a->arena, ARENA_MAX);
    a->txn = txn_begin_read(hub_double_store(a->town->world.hub));
    buf_reset(&a->bytes);
    return hub_authenticate(a->txn, a->town->token, call, &(struct hub_policy){0},
                            WORLD_NOW + 86400000, &a->caller, &a->fault);
}

static void end(struct asking *a, const char *name, enum err err, bool is_named)
{
    txn_abort(&a->txn);
    arena_done(&a->arena);
    if (err)
        answers_add_err(a->answers, name, err);
    else
        answers_add(a->answers, name, buf_bytes(&a->bytes), is_named);
}

static void ask_me(struct asking *a)
{
    struct me_response response;
    enum err err = begin(a, CALL_ME);
    if (!err)
        err = hub_me(a->txn, &a->caller, &a->arena, &response, &a->fault);
    if (!err)
        message_encode(&me_response_message, &response, &a->bytes);
    end(a, "me", err, false);
}

static void ask_record(struct asking *a, const struct record_key *record)
{
    struct get_request request = {record->kind, BYTES(record->id)};
    struct get_response response;
    enum err err = begin(a, CALL_GET);
    if (!err)
        err = hub_get(a->txn, &a->caller, &request, &a->arena, &response, &a->fault);
    if (!err)
        message_encode(&get_response_message, &response, &a->bytes);
    end(a, "get", err, !err && response.record->damaged);
}

static void ask_list(struct asking *a, uint32_t kind, const struct record_key *about)
{
    struct ref ref = {.kind = about ? about->kind : 0};
    struct list_request request = {.kind = kind, .page_size = 5, .about = about ? &ref : NULL};
    uint8_t page[ID_SIZE];
    enum err err = OK;
    bool is_named = false;
    struct buf all BUF_CLEANUP = {0};
    if (about)
        ref.id = BYTES(about->id);
    for (int i = 0; i < 40 && !err; i++) {
        struct list_response response;
        err = begin(a, CALL_LIST);
        if (!err)
            err = hub_list(a->txn, &a->caller, &request, &a->arena, &response, &a->fault);
        if (!err) {
            message_encode(&list_response_message, &response, &all);
            is_named |= response.damaged;
            request.page = response.next_page;
        }
        if (!err && request.page.n) {
            memcpy(page, request.page.p, sizeof page);
            request.page = BYTES(page);
        }
        txn_abort(&a->txn);
        arena_done(&a->arena);
        if (request.page.n == 0)
            break;
    }
    if (err)
        answers_add_err(a->answers, "list", err);
    else
        answers_add(a->answers, "list", buf_bytes(&all), is_named);
}

static void ask_proof(struct asking *a, uint32_t seq)
{
    struct prove_request request = {.seq = seq, .old_size = 5};
    struct prove_response response = {.head = NULL};
    enum err err = begin(a, CALL_PROVE);
    request.device = BYTES(a->caller.device.handle);
    if (!err)
        err = hub_prove(a->txn, &a->caller, &request, &a->arena, &response, &a->fault);
    if (!err)
        message_encode(&prove_response_message, &response, &a->bytes);
    end(a, "prove", err, false);
}

// As a device that has nothing yet.
static void ask_pull(struct asking *a)
{
    struct sync_request request = {.version = 1,
                                   .packings = PACKINGS_KNOWN,
                                   .own_too = true,
                                   .has_answer_max = true,
                                   .answer_max = 4 << 20};
    struct sync_response response;
    struct list none = {NULL, 0};
    enum err err = begin(a, CALL_SYNC);
    if (!err)
        err =
            hub_pull(a->txn, &a->caller, 1, &request, none, &a->arena, NULL, &response, &a->fault);
    if (!err)
        message_encode(&sync_response_message, &response, &a->bytes);
    end(a, "pull", err, false);
}

static bool put_device(const struct device *device, void *arg)
{
    struct asking *a = arg;
    buf_put(&a->bytes, BYTES(device->handle));
    buf_put(&a->bytes, BYTES(device->key));
    buf_put(&a->bytes, BYTES(device->head));
    buf_put_be32(&a->bytes, (uint32_t)device->role);
    buf_put_be32(&a->bytes, device->seq);
    buf_put(&a->bytes, bytes_of(device->label, device->label_n));
    return true;
}

static bool put_apart(const struct apart *apart, void *arg)
{
    struct asking *a = arg;
    buf_put(&a->bytes, BYTES(apart->device));
    buf_put_be32(&a->bytes, apart->seq);
    buf_put_be32(&a->bytes, apart->tag);
    buf_put_be32(&a->bytes, (uint32_t)apart->reason);
    return true;
}

static bool put_order(const struct store_order *order, void *arg)
{
    struct asking *a = arg;
    buf_put(&a->bytes, bytes_of(order, sizeof *order));
    return true;
}

static void ask_admin(struct asking *a)
{
    enum err err = begin(a, CALL_ME);
    if (!err)
        device_each(a->txn, a->caller.community.number, put_device, a);
    end(a, "devices", err ? err : txn_error(a->txn), false);
    err = begin(a, CALL_ME);
    if (!err)
        apart_each(a->txn, a->caller.community.number, NULL, put_apart, a);
    end(a, "apart", err ? err : txn_error(a->txn), false);
    err = begin(a, CALL_ME);
    if (!err)
        err = store_orders_each(hub_double_store(a->town->world.hub), put_order, a);
    end(a, "orders", err, false);
}

static void ask_sync(struct asking *a)
{
    struct hub_answer answer = {.status = 0};
    hub_double_serve(a->town->world.hub, &a->town->asked, &answer);
    answers_add(a->answers, "sync", buf_bytes(&answer.body),
                answer.status >= 500 || answer.status == 401);
    buf_done(&answer.body);
}

static bool can_open(const char *path, struct answers *answers)
{
    struct store_options options = {.map_size = 256 << 20, .keeps_orders = true};
    struct store *store = NULL;
    struct fault fault = {0};
    enum err err = store_open(path, &options, &store, &fault);
    store_close(&store);
    answers_add_err(answers, "open", err);
    return !err;
}

void ask_hub(struct town *town, const char *path, const struct known *known,
             struct answers *answers)
{
    struct asking a = {.town = town, .answers = answers};
    answers->of = "hub:";
    if (!can_open(path, answers))
        return;
    hub_double_open(town->world.hub, path);
    ask_me(&a);
    ask_admin(&a);
    for (size_t i = 0; i < known->n; i++)
        ask_record(&a, &known->records[i]);
    for (uint32_t kind = 1; kind <= 14; kind++)
        ask_list(&a, kind, NULL);
    for (size_t i = 0; i < known->n; i++) {
        if (known->records[i].kind == KIND_NEED)
            ask_list(&a, KIND_VOICE, &known->records[i]);
    }
    for (uint32_t seq = 1; seq <= PROVED; seq++)
        ask_proof(&a, seq);
    ask_pull(&a);
    ask_me(&a);
    ask_sync(&a);
    answers_sync_was_last(answers);
    answers->of = "hub after a sync:";
    ask_pull(&a);
    ask_me(&a);
    buf_done(&a.bytes);
    hub_double_close(town->world.hub);
}

static void note_all(struct known *known, struct txn *txn)
{
    struct record_key record;
    enum err err = live_next(txn, 1, NULL, &record);
    while (!err) {
        assert(known->n < sizeof known->records / sizeof *known->records);
        known->records[known->n++] = record;
        err = live_next(txn, 1, &record, &record);
    }
}

void known_of_store(struct known *known, const char *path)
{
    struct store_options options = {.map_size = 256 << 20};
    struct store *store = NULL;
    struct fault fault = {0};
    enum err err = store_open(path, &options, &store, &fault);
    assert(!err);
    struct txn *txn = txn_begin_read(store);
    known->n = 0;
    note_all(known, txn);
    txn_abort(&txn);
    store_close(&store);
}
