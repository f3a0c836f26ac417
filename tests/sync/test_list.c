// Pages of records, for clients without a store of their own.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "storage/table.h"
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

TestSuite(list, .init = set_up, .fini = tear_down);

// --- pages ---

static struct record_key seen[SEEN_MAX];
static size_t seen_n;
static size_t pages;
static bool is_damaged; // as a page said

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
    is_damaged |= response.damaged;
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
    is_damaged = false;
    do {
        cr_assert_eq(page_of(device, &request, arena_max, next), OK, "%s", fault.text);
        cr_assert_lt(++pages, (size_t)2 * SEEN_MAX, "no end");
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

static struct world_change add_contact(struct crowd *crowd, const char *name)
{
    struct envelope envelope = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    return crowd_add(crowd, &envelope, handmade_text(&arena, 11, bytes_of_text(name)));
}

Test(list, of_a_kind_gives_each_once_whatever_the_pages_size)
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

Test(list, does_not_end_at_what_the_caller_cannot_see)
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

Test(list, asked_for_in_no_proper_form_is_refused)
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

Test(list, about_a_record_gives_each_once_and_none_about_another)
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

Test(list, about_a_record_leaves_out_what_is_no_longer_about_it)
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

// Adds a change of one text to a record.
static struct world_change add_text(struct crowd *crowd, const struct record_key *record,
                                    uint32_t field, const char *text, int64_t time,
                                    struct list over)
{
    struct envelope envelope = {
        .kind = record->kind, .id = BYTES(record->id), .time = time, .over = over};
    return crowd_add(crowd, &envelope, handmade_text(&arena, field, bytes_of_text(text)));
}

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

Test(list, leaves_out_what_is_too_large_or_damaged_and_gives_the_others)
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
        cr_expect(is_damaged, "and says so");
        cr_expect(!has_seen(&needs[2].record) && !has_seen(&needs[3].record) &&
                  !has_seen(&needs[7].record));
    }
    cr_expect_eq(get(OTHER, &needs[2].record, &view), ERR_LIMIT);
    cr_expect_eq(get(OTHER, &needs[5].record, &view), OK);
    cr_expect_eq(get(OTHER, &needs[7].record, &view), ERR_DAMAGED);
    cr_expect_gt(strlen(fault.text), 10);
    expect_no_leaks();
}

// Makes one reference unreadable, as a broken disk might.
static void spoil_about(const struct record_key *to, const struct record_key *from)
{
    struct key key = {.n = 0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    key_u32(&key, world.community);
    key_u16(&key, (uint16_t)to->kind);
    key_bytes(&key, BYTES(to->id));
    key_u16(&key, (uint16_t)from->kind);
    key_bytes(&key, BYTES(from->id));
    table_put(txn, TABLE_ABOUT, key_of(&key), bytes_of("x", 1));
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(list, about_a_record_gives_the_others_when_one_is_damaged)
{
    struct record_key bench = crowd_need(&author, "a bench").record;
    struct world_change remarks[6];
    for (size_t i = 0; i < 6; i++)
        remarks[i] = add_remark(&author, &bench);
    crowd_push(&author);
    spoil_about(&bench, &remarks[1].record);
    lose_body(remarks[4].seq);
    struct ref about = {KIND_NEED, BYTES(bench.id)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        list_all(OTHER,
                 (struct list_request){.kind = KIND_REMARK, .about = &about, .page_size = sizes[i]},
                 ANSWER_ARENA);
        cr_expect_eq(seen_n, 4, "%zu", seen_n);
        cr_expect(is_damaged, "and says so");
        cr_expect(!has_seen(&remarks[1].record) && !has_seen(&remarks[4].record));
    }
}

// What is left out uses memory, too: that must not cost the next one its place.
Test(list, goes_on_behind_what_is_too_large_however_little_memory_is_left)
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

Test(list, ends_a_page_when_enough_was_looked_at)
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

Test(list, ends_a_page_when_enough_voices_were_counted)
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
