// What a known kind asks of its changes: vectors.json has the common cases, here are all fields.
#include <criterion/criterion.h>

#include "proto/schema.h"
#include "tests/leaks.h"

static uint8_t subjects[2][20] = {{0, 0, 0, 1, 1}, {0, 0, 0, 1, 2}};
static uint8_t person[ID_SIZE] = {9};

// An envelope as this kind wants it; `parts` has room for two.
static struct envelope envelope_of(const struct schema_kind *kind, struct bytes parts[2])
{
    parts[0] = BYTES(subjects[0]);
    parts[1] = kind->kind == KIND_VOICE ? BYTES(person) : BYTES(subjects[1]);
    struct envelope envelope = {.kind = kind->kind, .class = kind->class};
    if (kind->derived)
        envelope.parts = (struct list){parts, 2};
    return envelope;
}

static enum reason check(const struct schema_kind *kind, const struct buf *fields)
{
    struct bytes parts[2];
    struct envelope envelope = envelope_of(kind, parts);
    return schema_check(&envelope, buf_bytes(fields));
}

static void put_good(const struct schema_field *field, struct buf *out)
{
    static const uint8_t bytes[ID_SIZE];
    switch (field->type) {
    case SCHEMA_TEXT:
        for (uint32_t i = 0; i < field->max; i++)
            buf_put_u8(out, 'a');
        return;
    case SCHEMA_ID:
        buf_put(out, BYTES(bytes));
        return;
    case SCHEMA_HANDLE:
        buf_put(out, bytes_of(bytes, HANDLE_SIZE));
        return;
    case SCHEMA_MESSAGE:
    case SCHEMA_ENUM:
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
    case SCHEMA_BOOL:
        return;
    }
}

// The longest value is taken, one byte more is not.
static void check_sized(const struct schema_kind *kind, const struct schema_field *field)
{
    struct buf value BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    put_good(field, &value);
    wire_put_bytes(&fields, field->number, buf_bytes(&value));
    cr_expect_eq(check(kind, &fields), REASON_NONE, "%s.%s", kind->name, field->name);
    if (field->type == SCHEMA_MESSAGE)
        return;
    buf_put_u8(&value, 'a');
    buf_reset(&fields);
    wire_put_bytes(&fields, field->number, buf_bytes(&value));
    cr_expect_eq(check(kind, &fields), REASON_MALFORMED_FIELD, "%s.%s", kind->name, field->name);
}

static void expect_number(const struct schema_kind *kind, const struct schema_field *field,
                          uint64_t v, bool good)
{
    struct buf fields BUF_CLEANUP = {0};
    wire_put_uint(&fields, field->number, v);
    cr_expect_eq(check(kind, &fields), good ? REASON_NONE : REASON_MALFORMED_FIELD, "%s.%s = %llu",
                 kind->name, field->name, (unsigned long long)v);
}

static void check_number(const struct schema_kind *kind, const struct schema_field *field)
{
    expect_number(kind, field, 0, true);
    expect_number(kind, field, 1, true);
    expect_number(kind, field, 2, field->type != SCHEMA_BOOL);
    expect_number(kind, field, INT32_MAX, field->type != SCHEMA_BOOL);
    expect_number(kind, field, UINT32_MAX,
                  field->type != SCHEMA_BOOL && field->type != SCHEMA_ENUM);
    expect_number(kind, field, INT64_MAX,
                  field->type == SCHEMA_TIME || field->type == SCHEMA_AMOUNT);
    expect_number(kind, field, UINT64_MAX, field->type == SCHEMA_TIME);
}

static bool is_sized(const struct schema_field *field)
{
    return field->type == SCHEMA_TEXT || field->type == SCHEMA_ID || field->type == SCHEMA_HANDLE ||
           field->type == SCHEMA_MESSAGE;
}

static void check_wire_types(const struct schema_kind *kind, const struct schema_field *field)
{
    struct buf fields BUF_CLEANUP = {0};
    wire_put_fixed32(&fields, field->number, 1);
    cr_expect_eq(check(kind, &fields), REASON_MALFORMED_FIELD);
    buf_reset(&fields);
    if (is_sized(field))
        wire_put_uint(&fields, field->number, 1);
    else
        wire_put_bytes(&fields, field->number, bytes_of_text("1"));
    cr_expect_eq(check(kind, &fields), REASON_MALFORMED_FIELD, "%s.%s", kind->name, field->name);
}

Test(schema_check, each_field_of_each_kind_keeps_its_bounds)
{
    int checked = 0;
    for (uint32_t n = 1; schema_kind(n); n++) {
        const struct schema_kind *kind = schema_kind(n);
        for (size_t i = 0; i < kind->fields_n; i++, checked++) {
            check_wire_types(kind, &kind->fields[i]);
            if (is_sized(&kind->fields[i]))
                check_sized(kind, &kind->fields[i]);
            else
                check_number(kind, &kind->fields[i]);
        }
    }
    cr_expect_geq(checked, 150);
    expect_no_leaks();
}

Test(schema_check, each_kind_has_its_class_and_its_parts)
{
    struct bytes parts[2];
    for (uint32_t n = 1; schema_kind(n); n++) {
        const struct schema_kind *kind = schema_kind(n);
        struct envelope envelope = envelope_of(kind, parts);
        bool personal = n == KIND_PERSON || n == KIND_CONTACT;
        cr_expect_eq(kind->class, personal ? CLASS_PERSONAL : CLASS_ORDINARY, "%s", kind->name);
        cr_expect_eq(kind->derived, n == KIND_VOICE || n == KIND_SAME_AS, "%s", kind->name);
        cr_expect_eq(schema_check(&envelope, (struct bytes){0}), REASON_NONE);
        envelope.class ^= 1;
        cr_expect_eq(schema_check(&envelope, (struct bytes){0}), REASON_WRONG_CLASS);
        envelope = envelope_of(kind, parts);
        envelope.parts = (struct list){parts, kind->derived ? 1 : 2};
        cr_expect_eq(schema_check(&envelope, (struct bytes){0}), REASON_WRONG_ID);
    }
}

Test(schema_check, a_kind_of_later_may_be_anything)
{
    struct bytes part = bytes_of_text("x");
    struct envelope envelope = {.kind = KIND_REQUEST + 1, .class = 77, .parts = {&part, 1}};
    struct buf fields BUF_CLEANUP = {0};
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of("\0\xff", 2));
    cr_expect_eq(schema_check(&envelope, buf_bytes(&fields)), REASON_NONE);
}

Test(schema_check, one_bad_field_among_good_ones_is_found)
{
    struct buf fields BUF_CLEANUP = {0};
    const struct schema_kind *need = schema_kind(KIND_NEED);
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("Water"));
    wire_put_uint(&fields, 14, 2);
    cr_expect_eq(check(need, &fields), REASON_NONE);
    wire_put_bytes(&fields, 11, bytes_of("\0", 1));
    wire_put_uint(&fields, 14, 3);
    cr_expect_eq(check(need, &fields), REASON_MALFORMED_FIELD);
}

// --- memory ---

static bool no_memory;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return no_memory ? NULL : __real_malloc(n);
}

Test(schema_check, judges_alike_whatever_memory_there_is)
{
    static const uint8_t hash[32] = {1};
    struct log_head seen = {BYTES(hash), 7, BYTES(hash)};
    struct fork fork = {.device = bytes_of(person, HANDLE_SIZE), .last = 3, .seen = &seen};
    struct ref ref = {KIND_NEED, BYTES(person)};
    struct buf fields[2] = {{0}, {0}};
    seen.log = bytes_of(hash, HANDLE_SIZE);
    size_t mark = wire_open(&fields[0], FIELD_FORK);
    message_encode(&fork_message, &fork, &fields[0]);
    wire_close(&fields[0], mark);
    mark = wire_open(&fields[1], FIELD_ABOUT);
    message_encode(&ref_message, &ref, &fields[1]);
    wire_close(&fields[1], mark);
    no_memory = true;
    enum reason of_fork = check(schema_kind(KIND_DECISION), &fields[0]);
    enum reason of_need = check(schema_kind(KIND_NEED), &fields[1]);
    no_memory = false;
    cr_expect_eq(of_fork, REASON_NONE);
    cr_expect_eq(of_need, REASON_NONE);
    buf_done(&fields[0]);
    buf_done(&fields[1]);
}
