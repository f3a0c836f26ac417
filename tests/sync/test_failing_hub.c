// What a hub tells, while something of it fails: the answer is whole, or there is none.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/hub.h"
#include "sync/lineage.h"
#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/field.h"

static struct hub_caller caller;
static struct field_work said;
static size_t observer;

static void be(size_t device)
{
    struct fault fault = {0};
    struct hub_policy policy = {.observer_secret = {7}};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_authenticate(txn, world.devices[device].token, CALL_LIST, &policy, world.now,
                                  &caller, &fault),
                 OK, "%s", fault.text);
}

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 31);
    said = work(PHONE);
    said_number(&world, PHONE, &said.need.record, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    said_number(&world, COORDINATOR, &said.constraint.record, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    network_settle(&world);
    observer = world_join(&world, ROLE_OBSERVER);
    be(COORDINATOR);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(failing_hub, .init = set_up, .fini = tear_down);

// --- records ---

static enum err get(struct failing *f, void *arg)
{
    struct get_response response;
    const struct record_key *record = arg;
    struct get_request request = {record->kind, bytes_of(record->id, ID_SIZE)};
    enum err err = hub_get(f->txn, &caller, &request, f->arena, &response, f->fault);
    if (!err)
        failing_say(f, &get_response_message, &response);
    return !err && response.record->damaged ? ERR_DAMAGED : err;
}

struct listing {
    uint32_t kind;
    const struct ref *about;
};

// All pages.
static enum err list(struct failing *f, void *arg)
{
    const struct listing *listing = arg;
    struct list_response response;
    struct list_request request = {
        .kind = listing->kind, .page_size = 2, .about = (struct ref *)listing->about};
    enum err err = OK;
    do {
        err = hub_list(f->txn, &caller, &request, f->arena, &response, f->fault);
        for (size_t i = 0; !err && i < response.records.n; i++)
            failing_say(f, &record_view_message, LIST_AT(struct record_view, response.records, i));
        if (!err && response.damaged)
            return ERR_DAMAGED;
        request.page = response.next_page;
    } while (!err && request.page.n);
    return err;
}

static enum err me(struct failing *f, void *arg)
{
    struct me_response response;
    (void)arg;
    enum err err = hub_me(f->txn, &caller, f->arena, &response, f->fault);
    if (!err)
        failing_say(f, &me_response_message, &response);
    return err;
}

Test(failing_hub, shows_a_record_whole_or_not_at_all)
{
    failing_reads(world.hub, get, &said.need.record);
    failing_reads(world.hub, get, &said.voices[1].record);
    expect_no_leaks();
}

static void expect_listed(uint32_t kind, const struct ref *about)
{
    struct listing listing = {kind, about};
    failing_reads(world.hub, list, &listing);
    expect_no_leaks();
}

Test(failing_hub, lists_records_by_pages_or_not_at_all)
{
    expect_listed(KIND_VOICE, NULL);
}

Test(failing_hub, lists_what_is_about_a_record_or_nothing)
{
    struct ref about = {KIND_NEED, BYTES(said.need.record.id)};
    expect_listed(KIND_CONSTRAINT, &about);
}

Test(failing_hub, shows_an_observer_what_is_masked_or_nothing)
{
    be(observer);
    expect_listed(KIND_NEED, NULL);
    expect_listed(KIND_CONSTRAINT, NULL);
    expect_listed(KIND_VOICE, NULL);
}

Test(failing_hub, tells_a_device_its_state_or_nothing)
{
    failing_reads(world.hub, me, NULL);
    expect_no_leaks();
}

// --- words ---

// The log is followed and all pages are asked for.
static enum err search_pages(struct failing *f, struct search *search,
                             struct search_request request)
{
    struct search_response response;
    bool is_behind = true;
    enum err err = OK;
    while (!err && is_behind)
        err = search_follow(search, f->txn, &is_behind);
    while (!err) {
        err = hub_search(f->txn, &caller, search, &request, f->arena, &response, f->fault);
        for (size_t i = 0; !err && i < response.records.n; i++)
            failing_say(f, &record_view_message, LIST_AT(struct record_view, response.records, i));
        if (!err && response.damaged)
            return ERR_DAMAGED;
        if (err || response.next_page.n == 0)
            break;
        request.page = response.next_page;
    }
    return err;
}

static enum err find(struct failing *f, void *arg)
{
    const struct search_request *request = arg;
    struct search *search = search_new(world.community, 1);
    enum err err = search ? search_pages(f, search, *request) : ERR_NOMEM;
    search_free(&search);
    return err;
}

Test(failing_hub, finds_all_that_has_the_words_or_says_that_it_did_not)
{
    struct search_request voices = {.text = bytes_of_text("Rest, so"), .page_size = 1};
    struct search_request needs = {.text = bytes_of_text("benc"), .kind = KIND_NEED};
    failing_reads(world.hub, find, &voices);
    be(observer);
    failing_reads(world.hub, find, &needs);
    expect_no_leaks();
}

// --- the log ---

static enum err prove(struct failing *f, void *arg)
{
    struct prove_response response;
    enum err err = hub_prove(f->txn, &caller, arg, f->arena, &response, f->fault);
    if (!err)
        failing_say(f, &prove_response_message, &response);
    return err;
}

Test(failing_hub, proves_a_change_or_says_nothing)
{
    struct prove_request request = {
        .device = BYTES(world.devices[PHONE].handle), .seq = 3, .old_size = 5};
    failing_reads(world.hub, prove, &request);
    expect_no_leaks();
}

static enum err pull(struct failing *f, void *arg)
{
    struct sync_response response;
    enum err err = hub_pull(f->txn, &caller, world.now, arg, (struct list){0}, f->arena, NULL,
                            &response, f->fault);
    if (!err)
        failing_say(f, &sync_response_message, &response);
    return err;
}

Test(failing_hub, gives_everything_or_nothing)
{
    struct sync_request request = {.version = 1, .community = BYTES(world.id)};
    failing_reads(world.hub, pull, &request);
    request.own_too = true;
    be(PHONE);
    failing_reads(world.hub, pull, &request);
    expect_no_leaks();
}

// With a vector the answer leaves out what the device has.
Test(failing_hub, goes_by_a_vector_or_gives_nothing)
{
    struct chain_point points[2];
    for (size_t i = 0; i < 2; i++) {
        struct device device;
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        cr_assert_eq(device_get(txn, world.community, world.devices[i].handle, &device), OK);
        points[i] =
            (struct chain_point){.device = BYTES(world.devices[i].handle), .seq = device.seq - 1};
    }
    struct sync_request request = {
        .version = 1, .community = BYTES(world.id), .vector = {points, 2}};
    failing_reads(world.hub, pull, &request);
    expect_no_leaks();
}

static enum err request_bytes(size_t device, struct buf *out)
{
    struct exchange_options options = {1 << 16, 1 << 16};
    network_ask(&world, device, &options, out);
    return out->err;
}

struct pushing {
    struct bytes request;
    bool erases; // also words that are damaged
};

static enum err push(struct failing *f, void *arg)
{
    const struct pushing *pushing = arg;
    static const uint8_t random[32] = {5};
    struct sync_request request = {0};
    struct hub_push_plan *plan = NULL;
    struct list receipts = {0};
    struct hub_effects effects = {0};
    enum err err =
        message_decode(&sync_request_message, pushing->request, f->arena, &request, f->fault);
    if (!err)
        err = hub_check_push(f->txn, &caller, &request, f->arena, &plan, f->fault);
    f->forgives = pushing->erases;
    if (!err)
        err = hub_push(f->txn, &caller, world.now, random, plan, f->arena, &receipts, &effects,
                       f->fault);
    struct sync_response response = {.receipts = receipts};
    if (!err)
        failing_say(f, &sync_response_message, &response);
    return err;
}

static void expect_taken_whole(size_t device, bool erases)
{
    struct buf bytes BUF_CLEANUP = {0};
    cr_assert_eq(request_bytes(device, &bytes), OK);
    be(device);
    struct pushing pushing = {buf_bytes(&bytes), erases};
    failing_writes(world.hub, push, &pushing);
    expect_no_leaks();
}

Test(failing_hub, takes_a_push_whole_or_nothing_of_it)
{
    work(PHONE);
    expect_taken_whole(PHONE, false);
}

Test(failing_hub, decides_what_a_push_asks_for_or_takes_nothing_of_it)
{
    said_erase_record(&world, PHONE, &said.remark.record);
    said_erase(&world, PHONE, PHONE, &said.voices[0]);
    expect_taken_whole(PHONE, true);
}

Test(failing_hub, changes_a_membership_with_the_push_that_asks_for_it_or_takes_nothing)
{
    said_membership(&world, COORDINATOR, PHONE, ROLE_MEMBER, 0);
    said_membership(&world, COORDINATOR, PHONE, ROLE_NONE, 1);
    expect_taken_whole(COORDINATOR, false);
}
