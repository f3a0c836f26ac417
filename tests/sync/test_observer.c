// What an observer is shown: only what is for it, and nothing of who said it or when.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"
#include "tests/sync/network.h"

enum { COORDINATOR = 0, AUTHOR = 1, SEEN_MAX = 3000, ANSWER_ARENA = 16 << 20 };

static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;
static struct world world;
static struct arena arena;
static struct crowd author;
static struct fault fault;
static size_t funder;
static size_t commissioner;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 12);
    funder = world_join(&world, ROLE_OBSERVER);
    commissioner = world_join(&world, ROLE_OBSERVER);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&author, &world, AUTHOR, &arena);
}

static void tear_down(void)
{
    crowd_done(&author);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(observer, .init = set_up, .fini = tear_down);

// --- saying ---

static void put_ref(struct buf *fields, const struct record_key *to)
{
    struct ref ref = {to->kind, BYTES(to->id)};
    size_t mark = wire_open(fields, FIELD_ABOUT);
    message_encode(&ref_message, &ref, fields);
    wire_close(fields, mark);
}

static struct world_change put(uint32_t kind, const struct record_key *record, int64_t time,
                               struct buf *fields)
{
    struct envelope envelope = {.kind = kind, .time = time};
    if (record)
        envelope.id = BYTES(record->id);
    struct world_change change =
        crowd_add(&author, &envelope, arena_copy(&arena, buf_bytes(fields)));
    buf_done(fields);
    return change;
}

static struct world_change need(const char *title, enum audience audience)
{
    struct buf fields = {0};
    if (audience)
        wire_put_uint(&fields, FIELD_AUDIENCE, audience);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    return put(KIND_NEED, NULL, 1, &fields);
}

static struct world_change set(const struct record_key *record, uint32_t field, uint64_t value)
{
    struct buf fields = {0};
    wire_put_uint(&fields, field, value);
    return put(record->kind, record, 2, &fields);
}

static struct world_change set_over(const struct record_key *record, uint32_t field, uint64_t value,
                                    const struct world_change *before)
{
    struct buf fields BUF_CLEANUP = {0};
    struct dot dot = crowd_dot(&author, before, 0);
    struct envelope envelope = {
        .kind = record->kind, .id = BYTES(record->id), .time = 3, .over = {&dot, 1}};
    wire_put_uint(&fields, field, value);
    return crowd_add(&author, &envelope, arena_copy(&arena, buf_bytes(&fields)));
}

// --- looking ---

static struct hub_caller caller_of(size_t device)
{
    struct hub_caller caller;
    struct hub_policy policy = {0};
    hub_observer_secret(world.identity_seed, policy.observer_secret);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_authenticate(txn, world.devices[device].token, CALL_LIST, &policy, world.now,
                                  &caller, &fault),
                 OK, "%s", fault.text);
    return caller;
}

// The response lives in the arena of the test.
static struct list_response list(size_t device, uint32_t kind, const struct ref *about)
{
    struct list_response response = {.records = {NULL, 0}};
    struct hub_caller caller = caller_of(device);
    struct list_request request = {.kind = kind, .page_size = PAGE_MAX};
    request.about = (struct ref *)about;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_list(txn, &caller, &request, &arena, &response, &fault), OK, "%s", fault.text);
    cr_assert_eq(response.next_page.n, 0, "all is on one page");
    return response;
}

static enum err get(size_t device, uint32_t kind, struct bytes id, struct record_view *view)
{
    struct get_response response;
    struct hub_caller caller = caller_of(device);
    struct get_request request = {kind, id};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    enum err err = hub_get(txn, &caller, &request, &arena, &response, &fault);
    if (!err)
        *view = *response.record;
    return err;
}

static const struct field_view *field_of(const struct record_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        if (field->field == number)
            return field;
    }
    return NULL;
}

// The one value of a field.
static struct wire_field value_of(const struct record_view *view, uint32_t number)
{
    struct wire_field value = {0};
    const struct field_view *field = field_of(view, number);
    cr_assert(field && field->edits.n == 1, "field %u", number);
    struct wire_reader reader = wire_reader(LIST_AT(struct live_edit, field->edits, 0)->edit);
    cr_assert_eq(wire_next(&reader, &value), OK);
    cr_assert(wire_at_end(&reader));
    return value;
}

static const struct record_view *only(const struct list_response *response)
{
    cr_assert_eq(response->records.n, 1, "%zu records", response->records.n);
    return LIST_AT(struct record_view, response->records, 0);
}

static bool is_shown(const char *title)
{
    struct list_response response = list(funder, KIND_NEED, NULL);
    for (size_t i = 0; i < response.records.n; i++) {
        struct bytes record = LIST_AT(struct record_view, response.records, i)->record;
        if (memmem(record.p, record.n, title, strlen(title)))
            return true;
    }
    return false;
}

// --- for whom it is ---

Test(observer, sees_what_is_for_organisations_or_for_all_and_nothing_else)
{
    need("for nobody in particular", AUDIENCE_NONE);
    need("for the community", AUDIENCE_COMMUNITY);
    need("for organisations", AUDIENCE_ORGANISATIONS);
    need("for everybody", AUDIENCE_PUBLIC);
    need("for whom only a later version knows", 4);
    struct world_change sensitive = need("sensitive", AUDIENCE_PUBLIC);
    set(&sensitive.record, FIELD_SENSITIVITY, SENSITIVITY_SENSITIVE);
    struct world_change ordinary = need("ordinary", AUDIENCE_PUBLIC);
    set(&ordinary.record, FIELD_SENSITIVITY, SENSITIVITY_ORDINARY);
    crowd_push(&author);
    cr_expect(is_shown("for organisations"));
    cr_expect(is_shown("for everybody"));
    cr_expect(is_shown("ordinary"));
    cr_expect(!is_shown("for nobody in particular"));
    cr_expect(!is_shown("for the community"));
    cr_expect(!is_shown("for whom only a later version knows"));
    cr_expect(!is_shown("sensitive"));
    expect_no_leaks();
}

Test(observer, is_shown_the_narrowest_of_concurrent_audiences)
{
    struct world_change bench = need("a bench", AUDIENCE_PUBLIC);
    crowd_push(&author);
    cr_assert(is_shown("a bench"));
    struct world_change narrow = set(&bench.record, FIELD_AUDIENCE, AUDIENCE_COMMUNITY);
    crowd_push(&author);
    cr_expect(!is_shown("a bench"), "narrower beside wider");
    struct world_change wide =
        set_over(&bench.record, FIELD_AUDIENCE, AUDIENCE_ORGANISATIONS, &narrow);
    crowd_push(&author);
    cr_expect(is_shown("a bench"), "widened again");
    set_over(&bench.record, FIELD_AUDIENCE, AUDIENCE_COMMUNITY, &wide);
    crowd_push(&author);
    cr_expect(!is_shown("a bench"));
}

Test(observer, is_not_shown_a_kind_that_this_version_does_not_know)
{
    struct buf fields = {0};
    struct envelope envelope = {.kind = 900, .time = 1};
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    struct world_change unknown = crowd_add(&author, &envelope, buf_bytes(&fields));
    buf_done(&fields);
    crowd_push(&author);
    cr_expect_eq(list(funder, 900, NULL).records.n, 0);
    struct record_view view = {.kind = 0};
    cr_expect_eq(get(funder, unknown.record.kind, BYTES(unknown.record.id), &view), ERR_NOT_FOUND);
}

// --- how ---

static void put_consent(struct buf *fields, const uint8_t person[ID_SIZE])
{
    struct consent consent = {.wording = bytes_of_text("read out"),
                              .version = 2,
                              .time = 5,
                              .person = bytes_of(person, ID_SIZE)};
    size_t mark = wire_open(fields, FIELD_CONSENT);
    message_encode(&consent_message, &consent, fields);
    wire_close(fields, mark);
}

static void expect_not_in(struct bytes answer, struct bytes secret, const char *what)
{
    cr_expect_null(memmem(answer.p, answer.n, secret.p, secret.n), "%s is in the answer", what);
}

// 2026-11-26 is a Thursday, the Monday before it the 23rd.
static const int64_t thursday = (int64_t)1795694400 * 1000 + 12345678;
static const int64_t monday = (int64_t)1795392000 * 1000;

Test(observer, learns_nothing_of_who_said_it_or_when)
{
    struct buf fields = {0};
    struct buf answer BUF_CLEANUP = {0};
    struct record_key person = crowd_person(7);
    wire_put_bytes(&fields, FIELD_SPEAKER, BYTES(person.id));
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_ORGANISATIONS);
    put_consent(&fields, person.id);
    wire_put_uint(&fields, FIELD_KEEP_UNTIL, (uint64_t)(thursday + 100 * day_ms));
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("nowhere to sit"));
    wire_put_bytes(&fields, 4000, bytes_of_text("of a later version"));
    struct world_change bench = put(KIND_NEED, NULL, thursday, &fields);
    put_ref(&fields, &bench.record);
    put_ref(&fields, &person);
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("by the bus stop"));
    put(KIND_REMARK, NULL, thursday, &fields);
    crowd_push(&author);
    struct list_response needs = list(funder, KIND_NEED, NULL);
    struct list_response remarks = list(funder, KIND_REMARK, NULL);
    message_encode(&list_response_message, &needs, &answer);
    message_encode(&list_response_message, &remarks, &answer);
    struct bytes told = buf_bytes(&answer);
    expect_not_in(told, bytes_of(world.devices[AUTHOR].handle, 8), "the author's handle");
    expect_not_in(told, BYTES(person.id), "the speaker's id");
    expect_not_in(told, BYTES(bench.record.id), "the record's id");
    expect_not_in(told, bytes_of_text("read out"), "the consent");
    expect_not_in(told, bytes_of_text("of a later version"), "a field of a later version");

    const struct record_view *view = only(&needs);
    const struct field_view *words = field_of(view, FIELD_WORDS);
    cr_assert_not_null(words);
    const struct live_edit *edit = LIST_AT(struct live_edit, words->edits, 0);
    cr_expect_eq(edit->time, monday, "%ld", (long)edit->time);
    cr_expect_eq(edit->device.n, 0);
    cr_expect_eq(words->over.n, 0);
    cr_expect_eq((int64_t)value_of(view, FIELD_KEEP_UNTIL).value, monday + 98 * day_ms);
    cr_expect_null(field_of(view, FIELD_SPEAKER));
    cr_expect_eq(value_of(view, FIELD_AUDIENCE).value, AUDIENCE_ORGANISATIONS);
    cr_expect(bytes_equal(value_of(view, FIELD_WORDS).bytes, bytes_of_text("nowhere to sit")));

    // The one reference left is to the need, by the name that this observer knows it by.
    struct ref ref = {0};
    struct bytes about = value_of(only(&remarks), FIELD_ABOUT).bytes;
    cr_assert_eq(message_decode(&ref_message, about, NULL, &ref, NULL), OK);
    cr_expect_eq(ref.kind, KIND_NEED);
    cr_expect(bytes_equal(ref.id, view->id));
    expect_no_leaks();
}

static void expect_week(int64_t time, int64_t week)
{
    struct buf fields = {0};
    char title[32];
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    (void)snprintf(title, sizeof title, "of %lld", (long long)time);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    put(KIND_NEED, NULL, time, &fields);
    crowd_push(&author);
    struct list_response needs = list(funder, KIND_NEED, NULL);
    for (size_t i = 0; i < needs.records.n; i++) {
        const struct record_view *view = LIST_AT(struct record_view, needs.records, i);
        const struct live_edit *edit =
            LIST_AT(struct live_edit, field_of(view, FIELD_TITLE)->edits, 0);
        if (memmem(edit->edit.p, edit->edit.n, title, strlen(title))) {
            cr_expect_eq(edit->time, week, "%s: %lld", title, (long long)edit->time);
            return;
        }
    }
    cr_expect(false, "%s is not shown", title);
}

Test(observer, is_told_the_monday_of_any_time)
{
    expect_week(0, -3 * day_ms); // Thursday, 1 January 1970
    expect_week(-3 * day_ms, -3 * day_ms);
    expect_week(-3 * day_ms - 1, -10 * day_ms);
    expect_week(4 * day_ms - 1, -3 * day_ms);
    expect_week(4 * day_ms, 4 * day_ms);
    expect_week(INT64_MIN, INT64_MIN);
    expect_week(INT64_MIN + 14 * day_ms, -9223372036224000000);
    expect_week(INT64_MAX, 9223372036310400000);
}

Test(observer, knows_records_by_names_that_nobody_else_knows)
{
    struct record_view view = {.kind = 0};
    struct world_change bench = need("a bench", AUDIENCE_PUBLIC);
    crowd_push(&author);
    struct list_response of_funder = list(funder, KIND_NEED, NULL);
    struct list_response of_commissioner = list(commissioner, KIND_NEED, NULL);
    struct bytes name = only(&of_funder)->id;
    cr_expect_eq(get(funder, KIND_NEED, name, &view), OK, "%s", fault.text);
    cr_expect(bytes_equal(view.id, name));
    cr_expect_not(bytes_equal(name, only(&of_commissioner)->id));
    cr_expect_eq(get(commissioner, KIND_NEED, name, &view), ERR_NOT_FOUND);
    cr_expect_eq(get(funder, KIND_SOLUTION, name, &view), ERR_NOT_FOUND);
    cr_expect_eq(get(funder, KIND_NEED, BYTES(bench.record.id), &view), ERR_NOT_FOUND);
    cr_expect_eq(get(COORDINATOR, KIND_NEED, name, &view), ERR_NOT_FOUND);
    cr_expect_eq(get(COORDINATOR, KIND_NEED, BYTES(bench.record.id), &view), OK);
}

static void voice(const struct record_key *subject, uint32_t n, enum stance stance)
{
    struct record_key person = crowd_person(n);
    crowd_voice(&author, subject, person.id, stance, 1);
}

Test(observer, is_told_a_tally_of_five_or_more)
{
    struct world_change bench = need("a bench", AUDIENCE_PUBLIC);
    for (uint32_t n = 0; n < 4; n++)
        voice(&bench.record, n, n == 3 ? STANCE_AGAINST : STANCE_FOR);
    crowd_push(&author);
    struct list_response needs = list(funder, KIND_NEED, NULL);
    cr_expect_null(only(&needs)->tally);
    needs = list(COORDINATOR, KIND_NEED, NULL);
    cr_expect_not_null(only(&needs)->tally);
    voice(&bench.record, 4, STANCE_UNSURE);
    crowd_push(&author);
    needs = list(funder, KIND_NEED, NULL);
    const struct tally *tally = only(&needs)->tally;
    cr_assert_not_null(tally);
    cr_expect(tally->for_ == 3 && tally->against == 1 && tally->unsure == 1);
    cr_expect_eq(list(funder, KIND_VOICE, NULL).records.n, 0, "the voices themselves say no more");
}

Test(observer, hears_a_voice_that_is_for_it_without_the_person)
{
    struct buf fields BUF_CLEANUP = {0};
    struct record_key person = crowd_person(1);
    struct world_change bench = need("a bench", AUDIENCE_PUBLIC);
    uint8_t subject[4 + ID_SIZE];
    be32_put(subject, KIND_NEED);
    memcpy(subject + 4, bench.record.id, ID_SIZE);
    struct bytes parts[] = {BYTES(subject), BYTES(person.id)};
    struct envelope envelope = {.kind = KIND_VOICE, .time = 1, .parts = {parts, 2}};
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("my knees"));
    wire_put_uint(&fields, FIELD_VOICE_STANCE, STANCE_FOR);
    crowd_add(&author, &envelope, arena_copy(&arena, buf_bytes(&fields)));
    voice(&bench.record, 2, STANCE_FOR);
    crowd_push(&author);
    struct list_response needs = list(funder, KIND_NEED, NULL);
    struct bytes name = only(&needs)->id;
    struct ref about = {KIND_NEED, name};
    struct list_response voices = list(funder, KIND_VOICE, &about);
    const struct record_view *view = only(&voices);
    cr_assert_eq(view->parts.n, 1);
    const struct bytes *part = LIST_AT(struct bytes, view->parts, 0);
    cr_expect(part->n == 20 && be32_get(part->p) == KIND_NEED &&
              memcmp(part->p + 4, name.p, ID_SIZE) == 0);
    cr_expect_eq(value_of(view, FIELD_VOICE_STANCE).value, STANCE_FOR);
    struct ref as_the_hub_knows_it = {KIND_NEED, BYTES(bench.record.id)};
    cr_expect_eq(list(funder, KIND_VOICE, &as_the_hub_knows_it).records.n, 0);
}

// --- pages ---

static uint8_t seen[SEEN_MAX][ID_SIZE];
static size_t seen_n;

static size_t see_all(uint32_t page_size)
{
    uint8_t next[ID_SIZE];
    struct hub_caller caller = caller_of(funder);
    struct list_request request = {.kind = KIND_NEED, .page_size = page_size};
    size_t pages = 0;
    seen_n = 0;
    do {
        struct list_response response;
        struct arena page ARENA_CLEANUP;
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        arena_init(&page, ANSWER_ARENA);
        cr_assert_eq(hub_list(txn, &caller, &request, &page, &response, &fault), OK);
        for (size_t i = 0; i < response.records.n; i++) {
            cr_assert_lt(seen_n, (size_t)SEEN_MAX);
            memcpy(seen[seen_n++], LIST_AT(struct record_view, response.records, i)->id.p, ID_SIZE);
        }
        request.page = (struct bytes){0};
        if (response.next_page.n) {
            memcpy(next, response.next_page.p, ID_SIZE);
            request.page = BYTES(next);
        }
        cr_assert_lt(++pages, (size_t)SEEN_MAX);
    } while (request.page.n);
    return pages;
}

Test(observer, is_given_each_record_once_in_an_order_that_says_nothing)
{
    enum { OPEN = 1300, CLOSED = 1300 };
    for (size_t i = 0; i < OPEN; i++)
        need("open", AUDIENCE_PUBLIC);
    for (size_t i = 0; i < CLOSED; i++)
        need("closed", AUDIENCE_COMMUNITY);
    crowd_push(&author);
    size_t pages = see_all(PAGE_MAX);
    cr_expect_leq(pages, (size_t)13, "%zu pages", pages);
    cr_assert_eq(seen_n, (size_t)OPEN);
    for (size_t i = 1; i < seen_n; i++)
        cr_assert_lt(memcmp(seen[i - 1], seen[i], ID_SIZE), 0, "in the order of names, each once");
    see_all(7);
    cr_expect_eq(seen_n, (size_t)OPEN);
    expect_no_leaks();
}
