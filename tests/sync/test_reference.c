// What a change says that it is about, and who speaks: of what is no reference, nothing comes.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/author.h"
#include "sync/meant.h"
#include "sync/role.h"
#include "sync/tally.h"
#include "sync/view.h"
#include "tests/leaks.h"
#include "tests/sync/said.h"

enum { COORDINATOR, PHONE, DEVICES };

static struct world world;
static struct world_change need;
static struct world_change other;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 81);
    need = said_need(&world, PHONE, "a bench", NULL);
    other = said_need(&world, PHONE, "a seat", NULL);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(reference, .init = set_up, .fini = tear_down);

static bool count(const struct record_key *from, struct bytes extra, void *arg)
{
    (void)from;
    (void)extra;
    ++*(size_t *)arg;
    return true;
}

// References to the need, or to the other.
static size_t references(void)
{
    size_t n = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[PHONE].store);
    uint32_t community = world.devices[PHONE].community;
    cr_assert_eq(about_each(txn, community, &need.record, 0, count, &n), OK);
    cr_assert_eq(about_each(txn, community, &other.record, 0, count, &n), OK);
    return n;
}

// Unchecked, as a broken app would.
static struct world_change write_raw(const struct envelope *envelope, struct bytes fields)
{
    struct world_change change;
    struct buf encoded BUF_CLEANUP = {0};
    message_encode(&envelope_message, envelope, &encoded);
    world_write_raw(&world, PHONE, buf_bytes(&encoded), fields, &change);
    return change;
}

static void part_of(uint8_t part[4 + ID_SIZE], uint32_t kind, const struct record_key *record)
{
    be32_put(part, kind);
    memcpy(part + 4, record->id, ID_SIZE);
}

// A SameAs of the two, or a voice on the first by a person, with a `same` or a stance.
static void join(uint32_t kind, struct bytes a, struct bytes b, const struct buf *fields)
{
    struct bytes parts[] = {a, b};
    struct envelope envelope = {.kind = kind, .time = 1, .parts = {parts, 2}};
    write_raw(&envelope, buf_bytes(fields));
}

Test(reference, parts_refer_where_each_is_one_and_else_not_at_all)
{
    uint8_t a[4 + ID_SIZE];
    uint8_t b[4 + ID_SIZE];
    struct buf same BUF_CLEANUP = {0};
    wire_put_uint(&same, FIELD_SAME, 1);
    part_of(a, KIND_NEED, &need.record);
    part_of(b, KIND_NEED, &other.record);
    join(KIND_SAME_AS, bytes_of(a, 7), BYTES(b), &same);
    join(KIND_SAME_AS, BYTES(a), bytes_of(b, 7), &same);
    join(KIND_VOICE, bytes_of(a, 7), bytes_of(b, ID_SIZE), &same);
    join(KIND_VOICE, BYTES(a), bytes_of(b, 7), &same);
    join(KIND_PARTY, BYTES(a), BYTES(b), &same);
    be32_put(a, 0);
    join(KIND_VOICE, BYTES(a), bytes_of(b, ID_SIZE), &same);
    be32_put(a, KIND_MAX + 1);
    join(KIND_VOICE, BYTES(a), bytes_of(b, ID_SIZE), &same);
    cr_expect_eq(references(), (size_t)0);
    be32_put(a, KIND_NEED);
    join(KIND_SAME_AS, BYTES(a), BYTES(b), &same);
    cr_expect_eq(references(), (size_t)2);
    expect_no_leaks();
}

Test(reference, fields_refer_where_they_are_references)
{
    struct buf fields BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_REMARK, .time = 1};
    struct ref cut = {KIND_NEED, bytes_of(need.record.id, 3)};
    wire_put_uint(&fields, FIELD_ABOUT, 7);
    wire_put_bytes(&fields, FIELD_ABOUT, bytes_of("\x0a\x7f", 2));
    size_t mark = wire_open(&fields, FIELD_ABOUT);
    message_encode(&ref_message, &cut, &fields);
    wire_close(&fields, mark);
    buf_put(&fields, bytes_of("\x0a\x7f", 2)); // no field any more
    write_raw(&envelope, buf_bytes(&fields));
    cr_expect_eq(references(), (size_t)0);
    said_about(&world, PHONE, KIND_REMARK, "in the sun", &need.record, 1);
    cr_expect_eq(references(), (size_t)1);
    expect_no_leaks();
}

Test(reference, that_can_be_none_means_no_record)
{
    struct record_key record = {.kind = 0};
    struct ref refs[] = {{0, BYTES(need.record.id)},
                         {KIND_MAX + 1, BYTES(need.record.id)},
                         {KIND_NEED, bytes_of(need.record.id, ID_SIZE - 1)}};
    for (size_t i = 0; i < 3; i++)
        cr_expect_not(meant_key(&refs[i], &record));
    cr_expect_eq(record.kind, 0, "untouched");
    cr_expect(meant_key(&(struct ref){KIND_MAX, BYTES(need.record.id)}, &record));
    expect_no_leaks();
}

// --- counting ---

static struct tally tally(void)
{
    struct tally counted;
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    cr_assert_eq(tally_count(txn, &community, &need.record, &counted), OK);
    return counted;
}

Test(reference, voice_whose_stance_is_none_is_not_counted)
{
    uint8_t a[4 + ID_SIZE];
    struct record_key person = said_person(1);
    struct record_key loud = said_person(2);
    struct buf stance BUF_CLEANUP = {0};
    part_of(a, KIND_NEED, &need.record);
    wire_put_bytes(&stance, FIELD_VOICE_STANCE, bytes_of_text("for"));
    join(KIND_VOICE, BYTES(a), BYTES(loud.id), &stance);
    said_voice(&world, PHONE, &need.record, &person, "yes");
    struct tally counted = tally();
    cr_expect_eq(counted.for_, 1);
    cr_expect_eq(counted.against + counted.unsure, 0);
    expect_no_leaks();
}

Test(reference, records_are_the_same_only_where_it_is_said_so)
{
    uint8_t a[4 + ID_SIZE];
    uint8_t b[4 + ID_SIZE];
    struct record_key person = said_person(1);
    struct buf same BUF_CLEANUP = {0};
    said_voice(&world, PHONE, &other.record, &person, "yes");
    part_of(a, KIND_NEED, &need.record);
    part_of(b, KIND_NEED, &other.record);
    wire_put_bytes(&same, FIELD_SAME, bytes_of_text("yes"));
    wire_put_uint(&same, FIELD_SAME, 2);
    wire_put_bytes(&same, FIELD_WORDS, bytes_of_text("the same, I think"));
    join(KIND_SAME_AS, BYTES(a), BYTES(b), &same);
    cr_expect_eq(tally().for_, 0);
    buf_reset(&same);
    wire_put_uint(&same, FIELD_SAME, 1);
    join(KIND_SAME_AS, BYTES(a), BYTES(b), &same);
    cr_expect_eq(tally().for_, 1);
    expect_no_leaks();
}

// --- showing ---

static bool is_about(struct bytes part, uint32_t field, struct bytes edit)
{
    struct live_edit edits[] = {{.edit = edit}};
    struct field_view fields[] = {{.field = field, .edits = {edits, 1}}};
    struct record_view view = {.parts = {&part, part.n > 0}, .fields = {fields, edit.n > 0}};
    return view_is_about(&view, &need.record);
}

static struct bytes about(struct buf *buf, uint32_t kind, struct bytes id)
{
    buf_reset(buf);
    size_t mark = wire_open(buf, FIELD_ABOUT);
    message_encode(&ref_message, &(struct ref){kind, id}, buf);
    wire_close(buf, mark);
    return buf_bytes(buf);
}

Test(reference, of_what_is_shown_is_to_this_record_and_no_other)
{
    uint8_t part[4 + ID_SIZE];
    struct bytes nothing = {0};
    struct buf buf BUF_CLEANUP = {0};
    part_of(part, KIND_NEED, &need.record);
    cr_expect(is_about(BYTES(part), 0, nothing));
    cr_expect_not(is_about(bytes_of(part, 7), 0, nothing));
    be32_put(part, KIND_PARTY);
    cr_expect_not(is_about(BYTES(part), 0, nothing));
    part_of(part, KIND_NEED, &other.record);
    cr_expect_not(is_about(BYTES(part), 0, nothing));
    cr_expect_not(is_about(nothing, 0, nothing), "nothing live");
    struct bytes id = BYTES(need.record.id);
    cr_expect(is_about(nothing, FIELD_ABOUT, about(&buf, KIND_NEED, id)));
    cr_expect_not(is_about(nothing, FIELD_WORDS, about(&buf, KIND_NEED, id)));
    cr_expect_not(is_about(nothing, FIELD_ABOUT, about(&buf, KIND_PARTY, id)));
    cr_expect_not(is_about(nothing, FIELD_ABOUT, about(&buf, KIND_NEED, BYTES(other.record.id))));
    cr_expect_not(is_about(nothing, FIELD_ABOUT, bytes_of("\x0a\x02\x0a\x7f", 4)));
    cr_expect_not(is_about(nothing, FIELD_ABOUT, bytes_of("\x0a\x7f", 2)));
    expect_no_leaks();
}

// --- who may, and how much ---

Test(reference, member_writes_what_is_their_own_and_is_made_of_nothing_else)
{
    struct device member = {.role = ROLE_MEMBER, .handle = {1}};
    struct bytes parts[] = {BYTES(need.record.id), BYTES(need.record.id)};
    struct envelope envelopes[] = {{.kind = KIND_VOICE, .parts = {parts, 1}},
                                   {.kind = KIND_VOICE, .parts = {parts, 2}},
                                   {.kind = KIND_REQUEST, .parts = {parts, 2}},
                                   {.kind = KIND_REQUEST, .id = BYTES(need.record.id)}};
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(role_judge(ROLE_MEMBER, world.id, &member, &envelopes[i]),
                     REASON_NOT_PERMITTED, "%zu", i);
    struct envelope own = {.kind = KIND_REQUEST};
    cr_expect_eq(role_judge(ROLE_MEMBER, world.id, &member, &own), REASON_NONE);
    cr_expect_str_eq(role_name((enum role)99), "unknown");
    expect_no_leaks();
}

static enum err write(struct device *own, struct bytes fields, struct fault *fault)
{
    static const uint8_t salt[SALT_SIZE] = {1};
    struct community community;
    struct device stored;
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &stored);
    struct author author = {&community, own ? own : &stored, NULL};
    return author_write(txn, &author, &envelope, fields, salt, NULL, fault);
}

Test(reference, change_is_no_longer_than_a_push_takes)
{
    enum { PIECE = 16000, PIECES = CHANGE_MAX / PIECE + 1 };
    static char words[PIECE];
    struct fault fault = {0};
    struct buf fields BUF_CLEANUP = {0};
    memset(words, 'w', sizeof words);
    for (uint32_t i = 0; i < PIECES; i++)
        wire_put_bytes(&fields, 3900 + i, bytes_of(words, PIECE)); // of a later version
    cr_expect_eq(write(NULL, buf_bytes(&fields), &fault), ERR_LIMIT);
    cr_expect_gt(strlen(fault.text), (size_t)10);
    expect_no_leaks();
}

Test(reference, chain_that_is_full_takes_no_more)
{
    struct fault fault = {0};
    struct buf fields BUF_CLEANUP = {0};
    struct device full = {.role = ROLE_VOLUNTEER, .seq = UINT32_MAX};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("one more"));
    cr_expect_eq(write(&full, buf_bytes(&fields), &fault), ERR_LIMIT);
    cr_expect_gt(strlen(fault.text), (size_t)10);
    cr_expect_eq(write(NULL, buf_bytes(&fields), &fault), OK);
    expect_no_leaks();
}
