// What clients without a store of their own are given: one record, pages of records, themselves.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "storage/table.h"
#include "sync/fingerprint.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"
#include "tests/sync/network.h"

enum { COORDINATOR = 0, AUTHOR = 1, OTHER = 2, SEEN_MAX = 400, ANSWER_ARENA = 16 << 20 };

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
    cr_assert_fail("the field is not in the view");
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
    cr_expect_eq(get(AUTHOR, &contact.record, &view), OK);
    cr_expect_eq(view.class, CLASS_PERSONAL);
    cr_expect_eq(get(COORDINATOR, &contact.record, &view), OK);
    cr_expect_eq(get(OTHER, &contact.record, &view), ERR_NOT_FOUND);
    struct record_key none = {.kind = KIND_NEED, .id = {1}};
    char text[sizeof fault.text];
    memcpy(text, fault.text, sizeof text);
    cr_expect_eq(get(OTHER, &none, &view), ERR_NOT_FOUND);
    cr_expect_str_eq(text, fault.text, "what is not seen is as if it were not");
}

// --- pages ---

static struct record_key seen[SEEN_MAX];
static size_t seen_n;
static size_t pages;

// One page, in an arena as large as a hub's.
static enum err page_of(size_t device, struct list_request *request, size_t arena_max,
                        uint8_t next[ID_SIZE])
{
    struct list_response response;
    struct hub_caller caller = world_caller(&world, device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    struct arena page ARENA_CLEANUP;
    arena_init(&page, arena_max);
    fault = (struct fault){0};
    enum err err = hub_list(txn, &caller, request, &page, &response, &fault);
    if (err)
        return err;
    size_t most = request->page_size ? request->page_size : PAGE_DEFAULT;
    cr_assert_leq(response.records.n, most);
    for (size_t i = 0; i < response.records.n; i++) {
        const struct record_view *view = LIST_AT(struct record_view, response.records, i);
        cr_assert_lt(seen_n, SEEN_MAX);
        cr_assert_eq(view->id.n, ID_SIZE);
        seen[seen_n].kind = view->kind;
        memcpy(seen[seen_n++].id, view->id.p, ID_SIZE);
    }
    request->page = bytes_of(next, response.next_page.n);
    if (response.next_page.n)
        memcpy(next, response.next_page.p, ID_SIZE);
    return OK;
}

// Goes through all pages; every record comes once, in the order of ids.
static void list_all(size_t device, struct list_request request, size_t arena_max)
{
    uint8_t next[ID_SIZE];
    seen_n = pages = 0;
    do {
        cr_assert_eq(page_of(device, &request, arena_max, next), OK, "%s", fault.text);
        cr_assert_lt(++pages, 2 * SEEN_MAX, "no end");
    } while (request.page.n);
    for (size_t i = 1; i < seen_n; i++)
        cr_assert_lt(memcmp(seen[i - 1].id, seen[i].id, ID_SIZE), 0, "twice or out of order");
}

static bool has_seen(const struct record_key *record)
{
    for (size_t i = 0; i < seen_n; i++) {
        if (seen[i].kind == record->kind && memcmp(seen[i].id, record->id, ID_SIZE) == 0)
            return true;
    }
    return false;
}

static const uint32_t sizes[] = {1, 2, 7, 0, PAGE_MAX};

Test(records, of_a_kind_come_once_each_whatever_the_pages_size)
{
    static struct record_key needs[120];
    for (size_t i = 0; i < 120; i++)
        needs[i] = crowd_need(i % 2 ? &author : &other, "a bench").record;
    add_contact(&author, "Ann");
    crowd_push(&author);
    crowd_push(&other);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        list_all(OTHER, (struct list_request){.kind = KIND_NEED, .page_size = sizes[i]},
                 ANSWER_ARENA);
        cr_expect_eq(seen_n, 120, "%u", sizes[i]);
        for (size_t k = 0; k < 120; k++)
            cr_expect(has_seen(&needs[k]), "%zu", k);
    }
    cr_expect_eq(pages, 1);
    expect_no_leaks();
}

Test(records, that_the_caller_cannot_see_neither_come_nor_end_the_pages)
{
    for (size_t i = 0; i < 60; i++)
        add_contact(i % 3 ? &author : &other, "Ann");
    crowd_push(&author);
    crowd_push(&other);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct list_request request = {.kind = KIND_CONTACT, .page_size = sizes[i]};
        list_all(OTHER, request, ANSWER_ARENA);
        cr_expect_eq(seen_n, 20);
        list_all(AUTHOR, request, ANSWER_ARENA);
        cr_expect_eq(seen_n, 40);
        list_all(COORDINATOR, request, ANSWER_ARENA);
        cr_expect_eq(seen_n, 60);
    }
}

Test(records, asked_for_in_no_proper_form_are_refused)
{
    static const uint8_t id[ID_SIZE] = {1};
    struct ref about = {KIND_NEED, bytes_of(id, 15)};
    struct ref far = {KIND_MAX + 1, BYTES(id)};
    struct list_request bad[] = {
        {.kind = 0},
        {.kind = KIND_MAX + 1},
        {.kind = KIND_NEED, .page_size = PAGE_MAX + 1},
        {.kind = KIND_NEED, .page = bytes_of(id, 15)},
        {.kind = KIND_NEED, .about = &about},
        {.kind = KIND_NEED, .about = &far},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t next[ID_SIZE];
        cr_expect_eq(page_of(OTHER, &bad[i], ANSWER_ARENA, next), ERR_MALFORMED, "%zu", i);
        cr_expect_gt(strlen(fault.text), 10);
    }
    struct record_view view;
    struct record_key none = {.kind = KIND_MAX + 1};
    cr_expect_eq(get(OTHER, &none, &view), ERR_MALFORMED);
}

// --- about ---

static struct bytes about_fields(const struct record_key *record)
{
    struct ref ref = {record->kind, BYTES(record->id)};
    struct buf buf BUF_CLEANUP = {0};
    size_t mark = wire_open(&buf, FIELD_ABOUT);
    message_encode(&ref_message, &ref, &buf);
    wire_close(&buf, mark);
    return arena_copy(&arena, buf_bytes(&buf));
}

static struct world_change add_remark(struct crowd *crowd, const struct record_key *about)
{
    struct envelope envelope = {.kind = KIND_REMARK, .time = 1};
    return crowd_add(crowd, &envelope, about_fields(about));
}

Test(records, about_one_come_once_each_and_none_about_another)
{
    static struct record_key remarks[90];
    struct record_key bench = crowd_need(&author, "a bench").record;
    struct record_key roof = crowd_need(&author, "a roof").record;
    for (size_t i = 0; i < 90; i++)
        remarks[i] = add_remark(i % 2 ? &author : &other, i % 3 ? &bench : &roof).record;
    crowd_voice(&author, &bench, crowd_person(1).id, STANCE_FOR, 1);
    crowd_push(&author);
    crowd_push(&other);
    struct ref about = {KIND_NEED, BYTES(bench.id)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct list_request request = {.kind = KIND_REMARK, .about = &about, .page_size = sizes[i]};
        list_all(OTHER, request, ANSWER_ARENA);
        cr_expect_eq(seen_n, 60);
        for (size_t k = 0; k < 90; k++)
            cr_expect_eq(has_seen(&remarks[k]), k % 3 != 0, "%zu", k);
    }
    list_all(OTHER, (struct list_request){.kind = KIND_VOICE, .about = &about}, ANSWER_ARENA);
    cr_expect_eq(seen_n, 1, "a voice is about its subject");
}

Test(records, that_are_no_longer_about_it_do_not_come)
{
    struct record_key bench = crowd_need(&author, "a bench").record;
    struct record_key roof = crowd_need(&author, "a roof").record;
    struct world_change stays = add_remark(&author, &bench);
    struct world_change moved = add_remark(&author, &bench);
    struct world_change apart = add_remark(&author, &bench);
    struct world_change voice = crowd_voice(&author, &bench, crowd_person(1).id, STANCE_FOR, 1);
    struct dot dot = crowd_dot(&author, &moved, 0);
    struct envelope envelope = {
        .kind = KIND_REMARK, .id = BYTES(moved.record.id), .time = 2, .over = {&dot, 1}};
    crowd_add(&author, &envelope, about_fields(&roof));
    crowd_push(&author);
    crowd_refuse(&author, &apart);
    crowd_refuse(&author, &voice);
    struct ref about = {KIND_NEED, BYTES(bench.id)};
    list_all(OTHER, (struct list_request){.kind = KIND_REMARK, .about = &about}, ANSWER_ARENA);
    cr_expect_eq(seen_n, 1);
    cr_expect(has_seen(&stays.record));
    list_all(OTHER, (struct list_request){.kind = KIND_VOICE, .about = &about}, ANSWER_ARENA);
    cr_expect_eq(seen_n, 0);
    about.id = BYTES(roof.id);
    list_all(OTHER, (struct list_request){.kind = KIND_REMARK, .about = &about}, ANSWER_ARENA);
    cr_expect_eq(seen_n, 1);
    cr_expect(has_seen(&moved.record));
}

// --- what does not fit, and what is broken ---

// Puts n times 16 KiB of words side by side.
static void grow(const struct record_key *record, size_t n)
{
    enum { WORDS = 16384, AT_ONCE = 100 };
    static char words[WORDS + 1];
    for (size_t i = 0; i < n; i++) {
        memset(words, 'a' + (int)(i % 26), WORDS);
        add_text(&author, record, FIELD_WORDS, words, (int64_t)i, (struct list){0});
        if (i % AT_ONCE == AT_ONCE - 1)
            crowd_push(&author);
    }
    crowd_push(&author);
}

static void lose_body(uint32_t seq)
{
    struct key key = {.n = 0};
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(log_find(txn, world.community, world.devices[AUTHOR].handle, seq, &position), OK);
    key_u32(&key, world.community);
    key_u64(&key, position);
    table_delete(txn, TABLE_BODY, key_of(&key));
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(records, too_large_or_damaged_are_left_out_and_the_others_given)
{
    struct world_change needs[10];
    struct record_view view;
    for (size_t i = 0; i < 10; i++)
        needs[i] = crowd_need(&author, "a bench");
    grow(&needs[2].record, 70);  // over 1 MiB
    grow(&needs[3].record, 600); // over all that an answer may take
    grow(&needs[5].record, 60);
    lose_body(needs[7].seq);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        list_all(OTHER, (struct list_request){.kind = KIND_NEED, .page_size = sizes[i]},
                 ANSWER_ARENA);
        cr_expect_eq(seen_n, 7, "%zu", seen_n);
        cr_expect(!has_seen(&needs[2].record) && !has_seen(&needs[3].record) &&
                  !has_seen(&needs[7].record));
    }
    cr_expect_eq(get(OTHER, &needs[2].record, &view), ERR_LIMIT);
    cr_expect_eq(get(OTHER, &needs[5].record, &view), OK);
    cr_expect_eq(get(OTHER, &needs[7].record, &view), ERR_DAMAGED);
    cr_expect_gt(strlen(fault.text), 10);
    expect_no_leaks();
}

// What is left out uses memory, too: that must not cost the next one its place.
Test(records, behind_one_that_is_too_large_are_given_however_little_memory_is_left)
{
    struct world_change needs[4];
    for (size_t i = 0; i < 4; i++)
        needs[i] = crowd_need(&author, "a bench");
    grow(&needs[0].record, 90);
    grow(&needs[1].record, 60);
    grow(&needs[2].record, 60);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        list_all(OTHER, (struct list_request){.kind = KIND_NEED, .page_size = sizes[i]},
                 7 << 19); // 3.5 MiB
        cr_expect_eq(seen_n, 3, "%zu", seen_n);
        cr_expect(has_seen(&needs[1].record) && has_seen(&needs[2].record));
    }
}

// --- how long it may take ---

Test(records, end_a_page_when_enough_was_looked_at)
{
    enum { UNSEEN = 30000 };
    struct live edit = {.key = {.record = {.kind = KIND_CONTACT}, .class = CLASS_PERSONAL},
                        .field = 11};
    struct list_request request = {.kind = KIND_CONTACT};
    uint8_t next[ID_SIZE];
    struct txn *txn = txn_begin_write(world.hub);
    memcpy(edit.key.device, world.devices[OTHER].handle, HANDLE_SIZE);
    for (uint32_t i = 1; i <= UNSEEN; i++) {
        be32_put(edit.key.record.id, i);
        live_put(txn, world.community, &edit);
    }
    cr_assert_eq(txn_commit(&txn), OK);
    seen_n = 0;
    cr_assert_eq(page_of(AUTHOR, &request, ANSWER_ARENA, next), OK);
    cr_expect_eq(seen_n, 0);
    cr_assert_eq(request.page.n, ID_SIZE, "there is more to look at");
    uint32_t reached = be32_get(next);
    cr_expect_geq(reached, 10000);
    cr_expect_lt(reached, UNSEEN);
    cr_assert_eq(page_of(AUTHOR, &request, ANSWER_ARENA, next), OK);
    cr_expect_eq(request.page.n, 0, "the rest was looked at");
}

Test(records, end_a_page_when_enough_voices_were_counted)
{
    enum { SUBJECTS = 190, VOICES = 190 };
    static struct record_key needs[SUBJECTS];
    for (uint32_t i = 0; i < SUBJECTS; i++) {
        needs[i] = crowd_need(&author, "a bench").record;
        crowd_voice(&author, &needs[i], crowd_person(i).id, STANCE_FOR, 1);
        if (i)
            (void)crowd_same(&author, &needs[i - 1], &needs[i], NULL);
    }
    crowd_push(&author);
    list_all(OTHER, (struct list_request){.kind = KIND_NEED, .page_size = PAGE_MAX}, ANSWER_ARENA);
    cr_expect_eq(seen_n, SUBJECTS);
    cr_expect_eq(pages, 2, "each of them has %d voices", VOICES);
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
