#include <criterion/criterion.h>

#include "daemon/service.h"
#include "tests/leaks.h"

static const struct service_method *find(const char *path)
{
    return service_find(bytes_of_text(path));
}

Test(service, knows_its_methods_by_their_exact_path)
{
    cr_assert(find("/folkmoot.v1.SyncService/Sync"));
    cr_assert(find("/folkmoot.v1.RecordService/List"));
    cr_assert_null(find("/folkmoot.v1.SyncService/sync"));
    cr_assert_null(find("/folkmoot.v1.SyncService/Sync/"));
    cr_assert_null(find("folkmoot.v1.SyncService/Sync"));
    cr_assert_null(find(""));
}

Test(service, asks_for_a_token_and_allows_get_where_the_protocol_says_so)
{
    static const struct {
        const char *path;
        bool has_token;
        bool may_get;
        size_t body_max;
    } rows[] = {{"/folkmoot.v1.InfoService/Info", false, false, 1 << 10},
                {"/folkmoot.v1.EnrolService/Enrol", false, false, 4 << 10},
                {"/folkmoot.v1.EnrolService/Login", false, false, 4 << 10},
                {"/folkmoot.v1.SyncService/Sync", true, false, 1 << 20},
                {"/folkmoot.v1.RecordService/Get", true, true, 4 << 10},
                {"/folkmoot.v1.RecordService/List", true, true, 4 << 10},
                {"/folkmoot.v1.RecordService/Search", true, true, 8 << 10},
                {"/folkmoot.v1.RecordService/Me", true, true, 4 << 10}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct service_method *method = find(rows[i].path);
        cr_assert(method, "%s", rows[i].path);
        cr_assert_eq(method->has_token, rows[i].has_token, "%s", rows[i].path);
        cr_assert_eq(method->may_get, rows[i].may_get, "%s", rows[i].path);
        cr_assert_eq(method->body_max, rows[i].body_max, "%s", rows[i].path);
    }
}

// The request of the most structs that its counts allow, and most of them empty.
static void put_widest_request(struct buf *body)
{
    struct buf run = {0};
    for (int i = 0; i < RUN_PACKS_MAX; i++)
        buf_put(&run, bytes_of("\x1a\x00", 2));
    buf_put(body, bytes_of("\x08\x01", 2));
    for (int i = 0; i < RUNS_MAX; i++) {
        buf_put(body, bytes_of("\x2a\x80\x04", 3));
        buf_put(body, buf_bytes(&run));
    }
    for (int i = 0; i < VECTOR_MAX; i++)
        buf_put(body, bytes_of("\x42\x00", 2));
    cr_assert_eq(run.n, 512);
    buf_done(&run);
}

Test(service, holds_the_widest_sync_within_its_arena_and_no_request_outgrows_one)
{
    struct buf body = {0};
    struct arena arena;
    struct sync_request request;
    struct fault fault = {0};
    put_widest_request(&body);
    cr_assert_lt(body.n, REQUEST_MAX);
    arena_init(&arena, find("/folkmoot.v1.SyncService/Sync")->arena_max);
    request = (struct sync_request){.version = 0};
    cr_assert_eq(message_decode(&sync_request_message, buf_bytes(&body), &arena, &request, &fault),
                 OK, "%s", fault.text);
    cr_assert(request.push.n == RUNS_MAX && request.vector.n == VECTOR_MAX);
    cr_assert_lt(arena.used, SERVICE_SYNC_ARENA / 8);
    arena_done(&arena);
    arena_init(&arena, 64 << 10);
    request = (struct sync_request){.version = 0};
    cr_assert_eq(message_decode(&sync_request_message, buf_bytes(&body), &arena, &request, &fault),
                 ERR_NOMEM);
    arena_done(&arena);
    buf_done(&body);
    expect_no_leaks();
}
