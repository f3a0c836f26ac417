#include "tests/sync/finding.h"

#include <criterion/criterion.h>

struct world world;
struct arena arena;
struct search *search_of_hub;
struct fault fault;

void finding_begin(uint64_t seed)
{
    world_begin(&world, seed);
    finding_anew(seed);
}

void finding_anew(uint64_t seed)
{
    search_free(&search_of_hub);
    search_of_hub = search_new(world.community, seed);
    cr_assert_not_null(search_of_hub);
}

void finding_open(void)
{
    world_open(&world, DEVICES);
    arena_init(&arena, (size_t)1 << 30);
    finding_begin(5);
}

void finding_close(void)
{
    search_free(&search_of_hub);
    arena_done(&arena);
    world_close(&world);
}

void follow(void)
{
    bool is_behind = true;
    while (is_behind) {
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        cr_assert_eq(search_follow(search_of_hub, txn, &is_behind), OK);
    }
}

enum err ask(size_t device, const struct search_request *request, struct search_response *response)
{
    struct hub_caller caller;
    const struct hub_policy policy = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    fault = (struct fault){0};
    cr_assert_eq(hub_authenticate(txn, world.devices[device].token, CALL_SEARCH, &policy, world.now,
                                  &caller, &fault),
                 OK, "%s", fault.text);
    return hub_search(txn, &caller, search_of_hub, request, &arena, response, &fault);
}

struct hits find_paged(size_t device, const char *text, uint32_t kind, uint32_t page_size)
{
    struct hits hits = {.n = 0};
    struct search_request request = {bytes_of_text(text), kind, page_size, {NULL, 0}};
    do {
        struct search_response response;
        cr_assert_eq(ask(device, &request, &response), OK, "%s", fault.text);
        cr_assert(!response.damaged && !response.incomplete);
        for (size_t i = 0; i < response.records.n; i++, hits.n++) {
            const struct record_view *view = LIST_AT(struct record_view, response.records, i);
            cr_assert_lt(hits.n, sizeof hits.p / sizeof *hits.p);
            hits.p[hits.n].kind = view->kind;
            memcpy(hits.p[hits.n].id, view->id.p, ID_SIZE);
        }
        request.page = response.next_page;
        cr_assert_lt(hits.pages++, 1000);
    } while (request.page.n);
    return hits;
}

struct hits find(const char *text)
{
    follow();
    return find_paged(AUTHOR, text, 0, 0);
}

static bool fail_if_found(uint32_t document, bool in_title, bool whole, void *arg)
{
    (void)document;
    (void)in_title;
    (void)whole;
    *(bool *)arg = true;
    return false;
}

bool index_has(const char *word)
{
    bool has = false;
    for (size_t i = 0; i < search_of_hub->segments_n; i++)
        segment_each(search_of_hub->segments[i], bytes_of_text(word), true, fail_if_found, &has);
    return has;
}
