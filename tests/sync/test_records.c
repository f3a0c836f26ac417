// What clients without a store of their own are given: one record, themselves, and
// one hash of all.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/fingerprint.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"
#include "tests/sync/network.h"

enum { COORDINATOR = 0, AUTHOR = 1, OTHER = 2 };

static struct world world;
static struct arena arena;
static struct crowd author;
static struct crowd other;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 3);
    world_begin(&world, 12);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&author, &world, AUTHOR, &arena);
    crowd_init(&other, &world, OTHER, &arena);
}

static void tear_down(void)
{
    crowd_done(&author);
    crowd_done(&other);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(records, .init = set_up, .fini = tear_down);

// --- one record ---

// The view lives in the arena of the test.
static enum err get(size_t device, const struct record_key *record, struct record_view *view)
{
    struct hub_caller caller = world_caller(&world, device);
    struct get_request request = {record->kind, BYTES(record->id)};
    struct get_response response = {NULL};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    fault = (struct fault){0};
    enum err err = hub_get(txn, &caller, &request, &arena, &response, &fault);
    if (!err)
        *view = *response.record;
    return err;
}

static const struct field_view *field_of(const struct record_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->fields.n; i++) {
        if (LIST_AT(struct field_view, view->fields, i)->field == number)
            return LIST_AT(struct field_view, view->fields, i);
    }
    cr_assert(false, "the field is not in the view");
    return NULL;
}

// Adds a change of one text to a record.
static struct world_change add_text(struct crowd *crowd, const struct record_key *record,
                                    uint32_t field, const char *text, int64_t time,
                                    struct list over)
{
    struct envelope envelope = {
        .kind = record->kind, .id = BYTES(record->id), .time = time, .over = over};
    return crowd_add(crowd, &envelope, handmade_text(&arena, field, bytes_of_text(text)));
}

static void expect_winner(const struct record_view *view, uint32_t number, const char *text)
{
    struct wire_reader reader = wire_reader(view->record);
    struct wire_field field;
    struct bytes last = {0};
    while (!wire_at_end(&reader)) {
        cr_assert_eq(wire_next(&reader, &field), OK);
        if (field.number == number)
            last = field.bytes;
    }
    cr_expect(bytes_equal(last, bytes_of_text(text)), "%.*s", (int)last.n, (const char *)last.p);
}

Test(records, are_given_with_winner_tension_and_what_to_go_over)
{
    struct record_view view;
    struct world_change need = crowd_need(&author, "a bench");
    crowd_push(&author);
    add_text(&other, &need.record, FIELD_TITLE, "a seat", 2, (struct list){0});
    add_text(&other, &need.record, 11, "shade", 3, (struct list){0});
    add_text(&other, &need.record, 11, "water", 3, (struct list){0});
    crowd_push(&other);
    cr_assert_eq(get(AUTHOR, &need.record, &view), OK, "%s", fault.text);
    const struct field_view *title = field_of(&view, FIELD_TITLE);
    cr_expect(title->tension);
    cr_expect_eq(title->edits.n, 2);
    cr_expect_eq(LIST_AT(struct live_edit, title->edits, 1)->time, 2, "the winner comes last");
    cr_expect(bytes_equal(LIST_AT(struct live_edit, title->edits, 1)->device,
                          BYTES(world.devices[OTHER].handle)));
    cr_expect(!field_of(&view, 11)->tension, "a set has none");
    cr_expect_eq(field_of(&view, 11)->edits.n, 2);
    expect_winner(&view, FIELD_TITLE, "a seat");
    cr_expect_eq(view.kind, KIND_NEED);
    cr_expect_null(view.tally, "nobody has voiced it");

    // A client copies `over` as it stands.
    struct world_change change =
        add_text(&author, &need.record, FIELD_TITLE, "both", 4, title->over);
    crowd_push(&author);
    cr_assert_eq(get(OTHER, &need.record, &view), OK);
    title = field_of(&view, FIELD_TITLE);
    cr_expect(!title->tension);
    cr_assert_eq(title->edits.n, 1);
    cr_expect_eq(LIST_AT(struct dot, title->over, 0)->tag, change.tag);
    cr_expect_eq(LIST_AT(struct dot, title->over, 0)->seq, change.seq);
    expect_winner(&view, FIELD_TITLE, "both");
    expect_no_leaks();
}

Test(records, with_equal_values_have_no_tension_and_with_voices_a_tally)
{
    struct record_view view;
    struct world_change need = crowd_need(&author, "a bench");
    struct world_change voice =
        crowd_voice(&author, &need.record, crowd_person(1).id, STANCE_FOR, 10);
    crowd_push(&author);
    add_text(&other, &need.record, FIELD_TITLE, "a bench", 2, (struct list){0});
    crowd_voice(&other, &need.record, crowd_person(1).id, STANCE_AGAINST, 20);
    crowd_push(&other);
    cr_assert_eq(get(AUTHOR, &need.record, &view), OK);
    cr_expect_eq(field_of(&view, FIELD_TITLE)->edits.n, 2);
    cr_expect(!field_of(&view, FIELD_TITLE)->tension);
    cr_assert_not_null(view.tally);
    cr_expect_eq(view.tally->for_, 0);
    cr_expect_eq(view.tally->against, 1);
    cr_assert_eq(get(AUTHOR, &voice.record, &view), OK);
    cr_expect_eq(view.parts.n, 2);
    cr_expect(!field_of(&view, FIELD_VOICE_STANCE)->tension, "an earlier stance is history");
}

static struct world_change add_contact(struct crowd *crowd, const char *name)
{
    struct envelope envelope = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    return crowd_add(crowd, &envelope, handmade_text(&arena, 11, bytes_of_text(name)));
}

Test(records, that_are_personal_are_for_coordinators_and_their_author)
{
    struct record_view view;
    struct world_change contact = add_contact(&author, "Ann");
    crowd_push(&author);
    cr_assert_eq(get(AUTHOR, &contact.record, &view), OK);
    cr_expect_eq(view.class, CLASS_PERSONAL);
    cr_expect_eq(get(COORDINATOR, &contact.record, &view), OK);
    cr_expect_eq(get(OTHER, &contact.record, &view), ERR_NOT_FOUND);
    struct record_key none = {.kind = KIND_NEED, .id = {1}};
    char text[sizeof fault.text];
    memcpy(text, fault.text, sizeof text);
    cr_expect_eq(get(OTHER, &none, &view), ERR_NOT_FOUND);
    cr_expect_str_eq(text, fault.text, "what is not seen is as if it were not");
    none.kind = KIND_MAX + 1;
    cr_expect_eq(get(OTHER, &none, &view), ERR_MALFORMED);
}

// --- oneself ---

static void me(size_t device, struct me_response *response)
{
    struct hub_caller caller = world_caller(&world, device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_me(txn, &caller, &arena, response, &fault), OK, "%s", fault.text);
}

// With what Me says, a client that keeps nothing but its key writes the next change.
static void write_by_me(size_t device)
{
    struct me_response response;
    struct handmade run;
    struct sync_request request;
    struct list receipts;
    me(device, &response);
    handmade_init(&run, &world, device, 1, &arena);
    run.first = response.seq + 1;
    memcpy(run.head, response.head.p, HASH_SIZE);
    memcpy(run.community, response.community.p, COMMUNITY_SIZE);
    handmade_need(&run, "a bench", NULL);
    handmade_close(&run, &request);
    struct run *out = LIST_AT(struct run, request.push, 0);
    out->seen = response.log;
    handmade_sign(&run, world.devices[device].seed, out);
    handmade_done(&run);
    enum err err = network_push(&world, device, &request, &arena, &receipts, &fault);
    cr_assert_eq(err, OK, "%s", fault.text);
    cr_expect_eq(LIST_AT(struct receipt, receipts, 0)->standing, STANDING_OK);
    cr_expect_eq(LIST_AT(struct receipt, receipts, 0)->seq, response.seq + 1);
}

Test(records, me_is_enough_to_write_the_next_change)
{
    struct me_response response;
    for (size_t i = 0; i < 3; i++)
        write_by_me(OTHER);
    me(OTHER, &response);
    cr_expect_eq(response.seq, 3);
    cr_expect_eq(response.role, ROLE_VOLUNTEER);
    cr_expect(bytes_equal(response.device, BYTES(world.devices[OTHER].handle)));
    cr_expect(bytes_equal(response.community, BYTES(world.id)));
    struct hub_caller caller = world_caller(&world, OTHER);
    cr_expect_eq(response.log->size, caller.community.size);
    me(COORDINATOR, &response);
    cr_expect_eq(response.role, ROLE_COORDINATOR);
    cr_expect_eq(response.seq, 0);
    write_by_me(COORDINATOR);
}

// --- a whole replica ---

static uint64_t print_of(struct store *store, uint32_t number, uint8_t hash[HASH_SIZE])
{
    struct community community;
    uint64_t records;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(community_get_number(txn, number, &community), OK);
    cr_assert_eq(fingerprint(txn, &community, hash, &records), OK);
    return records;
}

// The fingerprint of all replicas, which is one.
static uint64_t print_of_all(uint8_t hash[HASH_SIZE])
{
    network_settle(&world);
    uint64_t records = print_of(world.hub, world.community, hash);
    for (size_t i = 0; i < world.devices_n; i++) {
        uint8_t own[HASH_SIZE];
        struct world_device *device = &world.devices[i];
        cr_expect_eq(print_of(device->store, device->community, own), records, "device %zu", i);
        cr_expect_arr_eq(own, hash, HASH_SIZE, "device %zu", i);
    }
    return records;
}

static struct world_change write_on(size_t device, const struct envelope *envelope,
                                    const char *title)
{
    struct world_change change;
    struct bytes fields = handmade_text(&arena, FIELD_TITLE, bytes_of_text(title));
    cr_assert_eq(world_write(&world, device, envelope, fields, &change), OK);
    return change;
}

Test(records, have_one_fingerprint_on_all_replicas_and_another_after_any_edit)
{
    uint8_t empty[HASH_SIZE];
    uint8_t one[HASH_SIZE];
    uint8_t tension[HASH_SIZE];
    uint8_t personal[HASH_SIZE];
    uint64_t before = print_of_all(empty);
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct world_change need = write_on(AUTHOR, &envelope, "a bench");
    cr_expect_eq(print_of_all(one), before + 1);
    cr_expect_neq(memcmp(one, empty, HASH_SIZE), 0);
    struct envelope edit = {.kind = KIND_NEED, .id = BYTES(need.record.id), .time = 1};
    write_on(OTHER, &edit, "a bench");
    cr_expect_eq(print_of_all(tension), before + 1);
    cr_expect_neq(memcmp(tension, one, HASH_SIZE), 0, "an equal value beside it is one more");
    struct envelope contact = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    write_on(AUTHOR, &contact, "Ann");
    cr_expect_eq(print_of_all(personal), before + 1);
    cr_expect_arr_eq(personal, tension, HASH_SIZE, "what not all may see is not in it");
    expect_no_leaks();
}

Test(records, have_the_fingerprint_that_they_had_once_an_edit_is_taken_back)
{
    uint8_t first[HASH_SIZE];
    uint8_t second[HASH_SIZE];
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct world_change need = write_on(AUTHOR, &envelope, "a bench");
    print_of_all(first);
    struct envelope edit = {.kind = KIND_NEED, .id = BYTES(need.record.id), .time = 2};
    struct world_change change = write_on(AUTHOR, &edit, "a seat");
    print_of_all(second);
    cr_expect_neq(memcmp(first, second, HASH_SIZE), 0);
    struct dot dot = {.seq = change.seq, .tag = change.tag};
    edit.over = (struct list){&dot, 1};
    cr_assert_eq(world_write(&world, AUTHOR, &edit, (struct bytes){0}, &change), OK);
    print_of_all(second);
    cr_expect_arr_eq(first, second, HASH_SIZE);
}
