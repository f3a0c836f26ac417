// Serves one request of Sync out of a hub's database as folkmootd does, in this process, so that
// callgrind can count what it takes: --toggle-collect=serve. The database is left as it was.
//
//   folkmoot-serve-once DATABASE HANDLE REQUEST    HANDLE in hexadecimal, REQUEST a file

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "storage/store.h"
#include "sync/hub.h"
#include "tests/e2e/check.h"

enum { ARENA_MAX = 64 << 20, FILE_MAX = 1 << 20 };

struct serving {
    struct store *store;
    struct hub_caller caller;
    struct buf request;
    struct buf answer;
};

static void must(enum err err, const struct fault *fault)
{
    CHECK(err == OK, "%s: %s", err_text(err), fault ? fault->text : "");
}

static void check_push(struct serving *serving, const struct sync_request *request,
                       struct arena *arena, struct hub_push_plan **plan)
{
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_read(serving->store);
    must(hub_check_push(txn, &serving->caller, request, arena, plan, &fault), &fault);
}

// All but the commit, which is the kernel's: so it can be done again.
static void answer(struct serving *serving)
{
    struct sync_request request = {0};
    struct sync_response response = {0};
    struct hub_push_plan *plan = NULL;
    struct list receipts = {0};
    struct fault fault = {0};
    const uint8_t random[32] = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    must(message_decode(&sync_request_message, buf_bytes(&serving->request), &arena, &request,
                        &fault),
         &fault);
    check_push(serving, &request, &arena, &plan);
    struct txn *txn TXN_CLEANUP = txn_begin_write(serving->store);
    if (plan)
        must(hub_push(txn, &serving->caller, serving->caller.now, random, plan, &arena, &receipts,
                      &(struct hub_effects){0}, &fault),
             &fault);
    must(hub_pull(txn, &serving->caller, serving->caller.now, &request, receipts, &arena, NULL,
                  &response, &fault),
         &fault);
    message_encode(&sync_response_message, &response, &serving->answer);
    must(serving->answer.err, NULL);
}

__attribute__((noinline)) void serve(struct serving *serving);

void serve(struct serving *serving)
{
    answer(serving);
}

static void read_request(struct serving *serving, const char *path)
{
    FILE *file = fopen(path, "re");
    CHECK(file, "%s cannot be read", path);
    uint8_t *room = buf_room(&serving->request, FILE_MAX);
    CHECK(room, "out of memory");
    serving->request.n += fread(room, 1, FILE_MAX, file);
    fclose(file);
}

static void find_caller(struct serving *serving, const char *hex)
{
    uint8_t handle[HANDLE_SIZE];
    struct hub_caller *caller = &serving->caller;
    struct txn *txn TXN_CLEANUP = txn_begin_read(serving->store);
    CHECK(text_unhex(bytes_of_text(hex), handle, sizeof handle) == OK, "%s is no handle", hex);
    must(community_get_number(txn, 1, &caller->community), NULL);
    must(device_get(txn, 1, handle, &caller->device), NULL);
    caller->now = INT64_C(1800000000000);
}

int main(int argc, char **argv)
{
    struct serving serving = {0};
    struct fault fault = {0};
    CHECK(argc == 4, "usage: folkmoot-serve-once DATABASE HANDLE REQUEST");
    must(store_open(argv[1], &(struct store_options){.keeps_orders = true}, &serving.store, &fault),
         &fault);
    find_caller(&serving, argv[2]);
    read_request(&serving, argv[3]);
    answer(&serving); // what libraries do once
    buf_reset(&serving.answer);
    serve(&serving);
    printf("%zu\n", serving.answer.n);
    buf_done(&serving.request);
    buf_done(&serving.answer);
    store_close(&serving.store);
    return 0;
}
