#include <criterion/criterion.h>

#include "base/text.h"
#include "client/value.h"
#include "tests/leaks.h"

#define ID_HEX "000102030405060708090a0b0c0d0e0f"

// Reads text into the field's encoding and shows that again.
#define LOG_HEAD                                                                                   \
    "0102030405060708090a0b0c|18446744073709551615|"                                               \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void expect_shown(const char *kind_name, const char *field_name, const char *text,
                         const char *again)
{
    const struct schema_kind *kind = schema_kind_by_name(kind_name);
    const struct schema_field *field = schema_field_by_name(kind, field_name);
    struct buf out BUF_CLEANUP = {0};
    struct fault fault = {0};
    cr_assert_eq(value_read(field, bytes_of_text(text), NULL, &out, &fault), OK, "%s %s: %s",
                 field_name, text, fault.text);
    struct wire_reader reader = wire_reader(buf_bytes(&out));
    struct wire_field edit;
    cr_assert_eq(wire_next(&reader, &edit), OK);
    cr_assert(wire_at_end(&reader));
    cr_assert(edit.minimal);
    cr_assert_eq(edit.number, field->number);
    struct envelope envelope = {.kind = kind->kind, .class = kind->class};
    if (!kind->derived)
        cr_assert_eq(schema_check(&envelope, buf_bytes(&out)), REASON_NONE);
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 1 << 20);
    cr_assert_str_eq(value_text(kind->kind, &edit, &arena), again);
}

static enum err read_value(const char *kind, const char *field, const char *text,
                           struct fault *fault)
{
    struct buf out BUF_CLEANUP = {0};
    enum err err = value_read(schema_field_by_name(schema_kind_by_name(kind), field),
                              bytes_of_text(text), NULL, &out, fault);
    if (err)
        cr_assert_eq(out.n, 0, "nothing may stay behind");
    return err;
}

Test(value, of_each_type_is_shown_as_it_was_typed)
{
    expect_shown("need", "words", "Four hundred children. 没有路口。",
                 "Four hundred children. 没有路口。");
    expect_shown("need", "urgency", "high", "high");
    expect_shown("solution", "led_by", "co_designed", "co_designed");
    expect_shown("need", "keep_until", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z");
    expect_shown("need", "keep_until", "2026-11-23", "2026-11-23T00:00:00Z");
    expect_shown("commitment", "due", "2026-11-23", "2026-11-23");
    expect_shown("commitment", "due", "1966-02-01", "1966-02-01");
    expect_shown("commitment", "amount", "1200.50", "1200.50");
    expect_shown("commitment", "picture", LOG_HEAD, LOG_HEAD);
    expect_shown("need", "speaker", ID_HEX, ID_HEX);
    expect_shown("need", "speaker", "000102030405060708090A0B0C0D0E0F", ID_HEX);
    expect_shown("membership", "device", "000102030405060708090a0b", "000102030405060708090a0b");
    expect_shown("remark", "about", "need:" ID_HEX, "need:" ID_HEX);
    expect_shown("remark", "about", "kind 99:" ID_HEX, "kind 99:" ID_HEX);
    expect_shown("same_as", "same", "true", "true");
}

Test(value, of_a_place_and_a_consent_keeps_its_parts)
{
    expect_shown("need", "place", "Marshgate School", "Marshgate School");
    expect_shown("need", "place", "School|MG-1", "School|MG-1");
    expect_shown("need", "place", "School|MG-1|51.5406, -0.0158", "School|MG-1|51.5406,-0.0158");
    expect_shown("need", "place", "School||51.5,0", "School||51.5,0");
    expect_shown("need", "place", "A\\|B\\\\C|D", "A\\|B\\\\C|D");
    expect_shown("need", "consent", "oral|3", "oral|3|");
    expect_shown("need", "consent", "oral|3|2026-11-23T10:00:00Z|" ID_HEX "|" ID_HEX,
                 "oral|3|2026-11-23T10:00:00Z|" ID_HEX "|" ID_HEX);
}

Test(value, of_a_later_version_is_shown_as_a_number_and_read_back)
{
    expect_shown("need", "urgency", "7", "7");
}

Test(value, that_is_no_value_of_the_field_is_refused_by_its_name)
{
    static const struct {
        const char *kind, *field, *text;
    } rows[] = {
        {"need", "urgency", "huge"},
        {"need", "urgency", "0"},
        {"need", "urgency", "4294967296"},
        {"need", "words", ""},
        {"need", "words", "\xff\xfe"},
        {"need", "words", "\xed\xa0\x80"},
        {"need", "speaker", "0001"},
        {"need", "speaker", "zz0102030405060708090a0b0c0d0e0f"},
        {"need", "about", ID_HEX},
        {"need", "about", "nonsense:" ID_HEX},
        {"need", "about", ":" ID_HEX},
        {"need", "about", "need:"},
        {"need", "about", "a-kind-with-a-very-long-name:" ID_HEX},
        {"need", "place", "|"},
        {"need", "place", "a|b|c"},
        {"need", "place", "a|b|1,2|d"},
        {"need", "place", "a|b|91,0"},
        {"need", "consent", "|1"},
        {"need", "consent", "oral|x"},
        {"need", "consent", "oral|1|2|3|4|5"},
        {"commitment", "amount", "-1"},
        {"commitment", "picture", "0102030405060708090a0b0c|5"},
        {"commitment", "picture", "0102030405060708090a0b0c|18446744073709551616|00"},
        {"commitment", "due", "tomorrow"},
        {"same_as", "same", "yes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        cr_assert_eq(read_value(rows[i].kind, rows[i].field, rows[i].text, &fault), ERR_MALFORMED,
                     "%s %s", rows[i].field, rows[i].text);
        cr_assert_eq(strncmp(fault.text, rows[i].field, strlen(rows[i].field)), 0, "%s",
                     fault.text);
    }
}

Test(value, over_its_limit_is_refused_with_the_limit)
{
    char text[402];
    struct fault fault = {0};
    memset(text, 'a', sizeof text);
    text[401] = 0;
    cr_assert_eq(read_value("need", "title", text, &fault), ERR_LIMIT);
    cr_assert_not_null(strstr(fault.text, "400"));
    text[400] = 0;
    cr_assert_eq(read_value("need", "title", text, &fault), OK);
    char place[203];
    memset(place, 'a', sizeof place);
    place[201] = 0;
    cr_assert_neq(read_value("need", "place", place, &fault), OK);
}

static uint32_t always_a_solution(const uint8_t id[ID_SIZE], void *arg)
{
    (void)arg;
    return id[15] == 15 ? KIND_SOLUTION : 0;
}

Test(value, of_a_reference_by_id_alone_asks_for_the_kind)
{
    struct value_resolver resolver = {always_a_solution, NULL};
    uint32_t kind;
    uint8_t id[ID_SIZE];
    cr_assert_eq(value_read_ref(bytes_of_text(ID_HEX), &resolver, &kind, id), OK);
    cr_assert_eq(kind, KIND_SOLUTION);
    cr_assert_neq(
        value_read_ref(bytes_of_text("ff0102030405060708090a0b0c0d0eff"), &resolver, &kind, id),
        OK);
}

static const char *text_of(uint32_t kind, const char *hex, struct arena *arena)
{
    uint8_t bytes[64];
    size_t n = strlen(hex) / 2;
    cr_assert_eq(text_unhex(bytes_of_text(hex), bytes, n), OK);
    struct bytes copy = arena_copy(arena, bytes_of(bytes, n));
    struct wire_reader reader = wire_reader(copy);
    struct wire_field edit;
    cr_assert_eq(wire_next(&reader, &edit), OK);
    return value_text(kind, &edit, arena);
}

Test(value, that_this_version_cannot_read_is_shown_in_hexadecimal)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 1 << 20);
    cr_assert_str_eq(text_of(KIND_NEED, "da0103616263", &arena), "616263"); // field 27
    cr_assert_str_eq(text_of(KIND_NEED, "d80105", &arena), "d80105");
    cr_assert_str_eq(text_of(KIND_NEED, "3a02ff00", &arena), "ff00"); // words that are no UTF-8
    cr_assert_str_eq(text_of(KIND_NEED, "3805", &arena), "3805");     // words as a number
    cr_assert_str_eq(text_of(KIND_NEED, "0a020802", &arena), "0802"); // a reference without id
    cr_assert_str_eq(text_of(99, "0a0161", &arena), "61");            // no such kind
}

Test(value, shown_never_takes_more_than_its_arena)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 16);
    uint8_t bytes[34] = {0x3a, 32};
    memset(bytes + 2, 'x', 32);
    struct wire_reader reader = wire_reader(BYTES(bytes));
    struct wire_field edit;
    cr_assert_eq(wire_next(&reader, &edit), OK);
    cr_assert_null(value_text(KIND_NEED, &edit, &arena));
    expect_no_leaks();
}

Test(value, kinds_are_named_or_numbered)
{
    char name[16];
    cr_assert_eq(value_kind("need"), KIND_NEED);
    cr_assert_eq(value_kind("kind 99"), 99);
    cr_assert_eq(value_kind("kind 65536"), 0);
    cr_assert_eq(value_kind("kind "), 0);
    cr_assert_eq(value_kind("kind 9x"), 0);
    cr_assert_eq(value_kind("Need"), 0);
    value_kind_name(65535, name);
    cr_assert_str_eq(name, "kind 65535");
}
