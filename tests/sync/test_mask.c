// Each kind of value, as an observer is shown it: by other names, coarser, or not at all.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/mask.h"
#include "tests/leaks.h"

enum { FIELDS_MAX = 12, FIELD_PARTY = 11, FIELD_FUTURE = 3900 };

static const uint8_t secret[MASK_SECRET_SIZE] = {1};
static const uint8_t device[HANDLE_SIZE] = {2};
static const struct mask mask = {secret, device};
static struct arena arena;
static struct record_view view;
static struct field_view fields[FIELDS_MAX];
static struct live_edit edits[FIELDS_MAX];
static uint8_t id[ID_SIZE] = {7};

static void set_up(void)
{
    arena_init(&arena, 1 << 20);
    view = (struct record_view){.kind = KIND_COMMITMENT, .id = BYTES(id), .fields = {fields, 0}};
}

static void tear_down(void)
{
    arena_done(&arena);
}

TestSuite(mask, .init = set_up, .fini = tear_down);

// One edit of a field of its own; the field is emptied.
static void add(uint32_t number, struct buf *edit)
{
    size_t i = view.fields.n++;
    cr_assert_lt(i, (size_t)FIELDS_MAX);
    edits[i] = (struct live_edit){.device = BYTES(device),
                                  .time = 1700000000000,
                                  .edit = arena_copy(&arena, buf_bytes(edit))};
    fields[i] = (struct field_view){.field = number, .edits = {&edits[i], 1}};
    buf_done(edit);
}

static void add_text(uint32_t number, const char *text)
{
    struct buf edit = {0};
    wire_put_bytes(&edit, number, bytes_of_text(text));
    add(number, &edit);
}

static void add_id(uint32_t number, struct bytes value)
{
    struct buf edit = {0};
    wire_put_bytes(&edit, number, value);
    add(number, &edit);
}

static void add_message(uint32_t number, const struct message *message, const void *in)
{
    struct buf edit = {0};
    size_t mark = wire_open(&edit, number);
    message_encode(message, in, &edit);
    wire_close(&edit, mark);
    add(number, &edit);
}

static struct bytes shown(uint32_t number)
{
    struct wire_field field;
    for (size_t i = 0; i < view.fields.n; i++) {
        const struct field_view *of = LIST_AT(struct field_view, view.fields, i);
        if (of->field != number)
            continue;
        struct wire_reader reader = wire_reader(LIST_AT(struct live_edit, of->edits, 0)->edit);
        cr_assert_eq(wire_next(&reader, &field), OK);
        return field.bytes;
    }
    return (struct bytes){0};
}

Test(mask, place_is_shown_as_far_as_this_version_knows_of_places)
{
    struct place known = {0};
    struct buf value BUF_CLEANUP = {0};
    struct place place = {
        .name = bytes_of_text("the market"), .latitude = 52, .has_latitude = true};
    message_encode(&place_message, &place, &value);
    wire_put_bytes(&value, 99, bytes_of_text("of a later version"));
    add_id(FIELD_PLACE, buf_bytes(&value));
    cr_assert_eq(mask_view(&mask, &arena, &view), OK);
    struct bytes place_shown = shown(FIELD_PLACE);
    cr_assert_eq(message_decode(&place_message, place_shown, NULL, &known, NULL), OK);
    cr_expect(bytes_equal(known.name, bytes_of_text("the market")));
    cr_expect_eq(known.latitude, 52);
    cr_expect_null(memmem(view.record.p, view.record.n, "later", 5));
    expect_no_leaks();
}

Test(mask, party_goes_by_the_name_that_it_has_as_a_record)
{
    uint8_t party[ID_SIZE] = {5};
    uint8_t name[ID_SIZE] = {5};
    add_id(FIELD_PARTY, BYTES(party));
    cr_assert_eq(mask_view(&mask, &arena, &view), OK);
    cr_assert_eq(mask_ids(&mask, KIND_PARTY, name, 1), OK);
    cr_expect(bytes_equal(shown(FIELD_PARTY), BYTES(name)));
    cr_expect_arr_neq(name, party, ID_SIZE);
    expect_no_leaks();
}

Test(mask, what_it_is_about_goes_by_its_name_or_is_not_shown)
{
    uint8_t name[ID_SIZE] = {5};
    uint8_t need[ID_SIZE] = {5};
    struct ref person = {KIND_PERSON, BYTES(need)};
    struct ref ref = {KIND_NEED, BYTES(need)};
    struct ref cut = {KIND_NEED, bytes_of(need, 3)};
    add_message(FIELD_ABOUT, &ref_message, &person);
    add_message(FIELD_ABOUT, &ref_message, &cut);
    add_id(FIELD_ABOUT, bytes_of("\x0a\x7f", 2));
    add_message(FIELD_ABOUT, &ref_message, &ref);
    cr_assert_eq(mask_view(&mask, &arena, &view), OK);
    cr_assert_eq(view.fields.n, (size_t)1, "no person, and nothing malformed");
    struct ref named = {0};
    struct bytes about = shown(FIELD_ABOUT);
    cr_assert_eq(message_decode(&ref_message, about, NULL, &named, NULL), OK);
    cr_assert_eq(mask_ids(&mask, KIND_NEED, name, 1), OK);
    cr_expect(bytes_equal(named.id, BYTES(name)));
    expect_no_leaks();
}

Test(mask, who_spoke_what_they_agreed_to_and_what_nobody_understands_is_not_shown)
{
    struct buf edit = {0};
    add_text(FIELD_WORDS, "two benches");
    add_id(FIELD_SPEAKER, BYTES(id));
    add_id(FIELD_CONSENT, bytes_of_text(""));
    wire_put_uint(&edit, FIELD_SENSITIVITY, SENSITIVITY_ORDINARY);
    add(FIELD_SENSITIVITY, &edit);
    add_id(FIELD_PLACE, bytes_of("\x0a\x7f", 2));
    add_id(FIELD_PARTY, bytes_of(id, 3));
    add_text(FIELD_FUTURE, "of a later version");
    add_id(FIELD_TITLE, bytes_of_text("x"));
    edits[view.fields.n - 1].edit.n = 1; // cut short
    cr_assert_eq(mask_view(&mask, &arena, &view), OK);
    cr_assert_eq(view.fields.n, (size_t)1);
    cr_expect(bytes_equal(shown(FIELD_WORDS), bytes_of_text("two benches")));
    cr_expect_eq(LIST_AT(struct field_view, view.fields, 0)->over.n, (size_t)0);
    struct live_edit *edit_shown = LIST_AT(struct field_view, view.fields, 0)->edits.p;
    cr_expect_eq(edit_shown->device.n, (size_t)0, "nobody said it");
    cr_expect_leq(edit_shown->time, 1700000000000);
    expect_no_leaks();
}

Test(mask, handle_of_a_device_is_not_shown_even_where_a_record_has_one)
{
    view.kind = KIND_MEMBERSHIP;
    add_id(FIELD_MEMBERSHIP_DEVICE, BYTES(device));
    cr_expect_eq(mask_view(&mask, &arena, &view), ERR_NOT_FOUND);
    expect_no_leaks();
}

Test(mask, record_of_which_nothing_is_left_is_not_there)
{
    add_id(FIELD_SPEAKER, BYTES(id));
    cr_expect_eq(mask_view(&mask, &arena, &view), ERR_NOT_FOUND);
    expect_no_leaks();
}

Test(mask, keep_until_is_as_coarse_as_other_times_even_at_the_ends_of_time)
{
    const int64_t times[] = {INT64_MIN, -1, 0, 1700000000000, INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct wire_field field;
        struct buf edit = {0};
        view.fields.n = 0;
        wire_put_uint(&edit, FIELD_KEEP_UNTIL, (uint64_t)times[i]);
        add(FIELD_KEEP_UNTIL, &edit);
        cr_assert_eq(mask_view(&mask, &arena, &view), OK);
        struct wire_reader reader = wire_reader(edits[0].edit);
        cr_assert_eq(wire_next(&reader, &field), OK);
        int64_t coarse = (int64_t)field.value;
        cr_expect_leq(coarse, times[i]);
        cr_expect(times[i] == INT64_MIN || times[i] - coarse < INT64_C(7) * 24 * 3600 * 1000);
    }
    expect_no_leaks();
}

Test(mask, subject_of_a_voice_is_shown_by_its_name_and_the_person_never)
{
    uint8_t part[4 + ID_SIZE] = {0};
    struct bytes parts[] = {BYTES(part), BYTES(id)};
    be32_put(part, KIND_NEED);
    memcpy(part + 4, id, ID_SIZE);
    for (int turn = 0; turn < 4; turn++) {
        view.kind = KIND_VOICE;
        view.id = BYTES(id);
        view.fields.n = 0;
        parts[0] = turn == 1 ? bytes_of(part, 7) : BYTES(part);
        be32_put(part, turn == 2 ? KIND_PERSON : KIND_NEED);
        view.parts = (struct list){parts, turn == 3 ? 0 : 2};
        add_text(FIELD_WORDS, "yes");
        cr_assert_eq(mask_view(&mask, &arena, &view), OK);
        cr_expect_eq(view.parts.n, (size_t)(turn == 0));
    }
    expect_no_leaks();
}
