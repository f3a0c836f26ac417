// The tables of proto/messages.c and proto/schema.c against the .proto files.
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/proto/descriptor.h"

static struct descriptors *all_read(void)
{
    struct descriptors *all = descriptors_read(DESCRIPTOR_FILE);
    cr_assert_geq(all->n, 60, "protoc told of %zu messages and enums", all->n);
    return all;
}

// --- messages ---

static bool type_matches(const struct field *field, const struct descriptor_field *wanted)
{
    switch (field->type) {
    case FIELD_U32:
        return wanted->type == DESCRIPTOR_UINT32 || wanted->type == DESCRIPTOR_ENUM;
    case FIELD_U64:
        return wanted->type == DESCRIPTOR_UINT64;
    case FIELD_I64:
        return wanted->type == DESCRIPTOR_INT64;
    case FIELD_S32:
        return wanted->type == DESCRIPTOR_SINT32;
    case FIELD_BOOL:
        return wanted->type == DESCRIPTOR_BOOL;
    case FIELD_FIXED32:
        return wanted->type == DESCRIPTOR_FIXED32;
    case FIELD_BYTES:
        return wanted->type == DESCRIPTOR_BYTES;
    case FIELD_TEXT:
        return wanted->type == DESCRIPTOR_STRING;
    case FIELD_MESSAGE:
        return wanted->type == DESCRIPTOR_MESSAGE && strcmp(field->of->name, wanted->of) == 0;
    }
    return false;
}

static void check_message(const struct descriptors *all, const struct message *message)
{
    const struct descriptor *wanted = descriptors_find(all, message->name);
    uint32_t last = 0;
    cr_assert(wanted && !wanted->is_enum, "%s is in no .proto file", message->name);
    cr_expect_eq(message->fields_n, wanted->n, "%s: fields", message->name);
    for (size_t i = 0; i < message->fields_n; i++) {
        const struct field *field = &message->fields[i];
        const struct descriptor_field *one = descriptor_field(wanted, field->number);
        cr_expect(field->number > last, "%s: numbers ascend", message->name);
        last = field->number;
        cr_assert(one, "%s has no field %u", message->name, field->number);
        cr_expect(type_matches(field, one), "%s.%s: type", message->name, one->name);
        cr_expect_eq(field->repeated, one->repeated, "%s.%s: repeated", message->name, one->name);
        cr_expect_eq(field->present, one->optional, "%s.%s: optional", message->name, one->name);
        cr_expect(!field->repeated || field->count_max > 0, "%s.%s: no limit", message->name,
                  one->name);
    }
}

Test(schema, each_message_has_the_fields_of_its_proto_file)
{
    struct descriptors *all = all_read();
    for (size_t i = 0; messages_all[i]; i++)
        check_message(all, messages_all[i]);
    free(all);
    expect_no_leaks();
}

static bool has_table(const char *name)
{
    for (size_t i = 0; messages_all[i]; i++) {
        if (strcmp(messages_all[i]->name, name) == 0)
            return true;
    }
    for (uint32_t kind = 1; schema_kind(kind); kind++) {
        if (strcmp(schema_kind(kind)->message, name) == 0)
            return true;
    }
    return false;
}

Test(schema, each_message_of_the_proto_files_has_a_table)
{
    struct descriptors *all = all_read();
    for (size_t i = 0; i < all->n; i++)
        cr_expect(all->all[i].is_enum || has_table(all->all[i].name), "%s", all->all[i].name);
    free(all);
}

// --- kinds ---

static enum descriptor_type type_of(enum schema_type type)
{
    switch (type) {
    case SCHEMA_TEXT:
        return DESCRIPTOR_STRING;
    case SCHEMA_ID:
    case SCHEMA_HANDLE:
        return DESCRIPTOR_BYTES;
    case SCHEMA_ENUM:
        return DESCRIPTOR_ENUM;
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
        return DESCRIPTOR_INT64;
    case SCHEMA_DAY:
        return DESCRIPTOR_SINT32;
    case SCHEMA_BOOL:
        return DESCRIPTOR_BOOL;
    case SCHEMA_MESSAGE:
        return DESCRIPTOR_MESSAGE;
    }
    return 0;
}

// The comment says how many bytes a text may have: "at most 16 KiB", "at most 1,000 bytes", "3
// letters".
static uint32_t comment_max(const char *comment)
{
    uint32_t n = 0;
    const char *p = strstr(comment, "at most ");
    if (!p)
        return strstr(comment, "3 letters") ? 3 : 0;
    for (p += strlen("at most "); isdigit((unsigned char)*p) || *p == ','; p++)
        n = *p == ',' ? n : n * 10 + (uint32_t)(*p - '0');
    return strncmp(p, " KiB", 4) == 0 ? n * 1024 : n;
}

static void check_comment(const char *kind, const struct schema_field *field, const char *comment)
{
    bool says_set = strstr(comment, "Set.") || strstr(comment, "Set,") || strstr(comment, "Set;");
    bool says_register = strstr(comment, "Register.") || strstr(comment, "Register;");
    // Of a stance, what counts stands in words.
    if (strcmp(field->name, "stance") != 0) {
        cr_expect_eq(says_set, field->set, "%s.%s: %s", kind, field->name, comment);
        cr_expect_eq(says_register, !field->set, "%s.%s: %s", kind, field->name, comment);
    }
    if (field->type == SCHEMA_TEXT)
        cr_expect_eq(comment_max(comment), field->max, "%s.%s: %s", kind, field->name, comment);
    if (field->type == SCHEMA_ID)
        cr_expect(strstr(comment, "16 bytes") || strstr(comment, "Unused"), "%s", comment);
    if (field->type == SCHEMA_HANDLE)
        cr_expect(strstr(comment, "12 bytes"), "%s", comment);
    if (field->type == SCHEMA_AMOUNT)
        cr_expect(strstr(comment, "0 or more"), "%s", comment);
}

static void check_field(const char *kind, const struct schema_field *field,
                        const struct descriptor_field *wanted)
{
    cr_assert(wanted, "%s has no field %u", kind, field->number);
    cr_expect_str_eq(field->name, wanted->name);
    cr_expect_eq(type_of(field->type), wanted->type, "%s.%s: type", kind, field->name);
    // Structured registers are repeated too, lest they be merged field by field; a set of bools is
    // not worth a list.
    bool repeated = field->type == SCHEMA_MESSAGE || (field->set && field->type != SCHEMA_BOOL);
    cr_expect_eq(wanted->repeated, repeated, "%s.%s: repeated", kind, field->name);
    cr_expect_eq(wanted->optional, !repeated, "%s.%s: optional", kind, field->name);
    if (field->type == SCHEMA_MESSAGE)
        cr_expect_str_eq(field->of->name, wanted->of);
    check_comment(kind, field, wanted->comment);
}

Test(schema, each_kind_has_the_fields_of_its_message)
{
    struct descriptors *all = all_read();
    for (uint32_t n = 1; schema_kind(n); n++) {
        const struct schema_kind *kind = schema_kind(n);
        const struct descriptor *wanted = descriptors_find(all, kind->message);
        cr_assert(wanted && !wanted->is_enum, "%s is in no .proto file", kind->message);
        cr_expect_eq(kind->fields_n, wanted->n, "%s: fields", kind->message);
        for (size_t i = 0; i < kind->fields_n; i++)
            check_field(kind->message, &kind->fields[i],
                        descriptor_field(wanted, kind->fields[i].number));
    }
    free(all);
    expect_no_leaks();
}

Test(schema, fields_1_to_10_mean_the_same_in_every_kind)
{
    const struct schema_kind *need = schema_kind(KIND_NEED);
    for (uint32_t n = 1; schema_kind(n); n++) {
        for (uint32_t number = FIELD_ABOUT; number <= FIELD_PLACE; number++) {
            const struct schema_field *field = schema_field(n, number);
            cr_assert(field, "%s has no field %u", schema_kind(n)->name, number);
            cr_expect_str_eq(field->name, need->fields[number - 1].name);
            cr_expect_eq(field->type, need->fields[number - 1].type);
            cr_expect_eq(field->set, need->fields[number - 1].set);
        }
    }
}

// --- enums ---

// "PartyKind" and "community" as "PARTY_KIND_COMMUNITY".
static void value_name(const char *type, const char *value, char out[DESCRIPTOR_NAME])
{
    size_t n = 0;
    for (const char *p = type; *p && n < DESCRIPTOR_NAME - 2; p++) {
        if (isupper((unsigned char)*p) && p > type)
            out[n++] = '_';
        out[n++] = (char)toupper((unsigned char)*p);
    }
    out[n++] = '_';
    for (const char *p = *value ? value : "unspecified"; *p && n < DESCRIPTOR_NAME - 1; p++)
        out[n++] = (char)toupper((unsigned char)*p);
    out[n] = 0;
}

static void check_enum(const struct descriptors *all, const char *type, const char *const *values)
{
    const struct descriptor *wanted = descriptors_find(all, type);
    cr_assert(wanted && wanted->is_enum, "%s is in no .proto file", type);
    size_t n = 0;
    for (; values[n]; n++) {
        char name[DESCRIPTOR_NAME];
        const struct descriptor_field *value = descriptor_field(wanted, (uint32_t)n);
        value_name(type, values[n], name);
        cr_assert(value, "%s has no value %zu", type, n);
        cr_expect_str_eq(value->name, name);
    }
    cr_expect_eq(n, wanted->n, "%s: values", type);
}

Test(schema, each_enum_of_a_field_has_the_values_of_its_proto_file)
{
    struct descriptors *all = all_read();
    int checked = 0;
    for (uint32_t n = 1; schema_kind(n); n++) {
        const struct schema_kind *kind = schema_kind(n);
        const struct descriptor *wanted = descriptors_find(all, kind->message);
        cr_assert(wanted);
        for (size_t i = 0; i < kind->fields_n; i++) {
            const struct descriptor_field *field = descriptor_field(wanted, kind->fields[i].number);
            if (!field || kind->fields[i].type != SCHEMA_ENUM)
                continue;
            check_enum(all, field->of, kind->fields[i].values);
            checked++;
        }
    }
    cr_expect_geq(checked, 35);
    free(all);
}

Test(schema, kinds_roles_stances_and_the_like_have_the_numbers_of_their_proto_file)
{
    static const struct {
        const char *type;
        const char *value;
        uint32_t number;
    } rows[] = {
        {"Role", "member", ROLE_MEMBER},
        {"Role", "volunteer", ROLE_VOLUNTEER},
        {"Role", "coordinator", ROLE_COORDINATOR},
        {"Role", "observer", ROLE_OBSERVER},
        {"Role", "hub", ROLE_HUB},
        {"Stance", "for", STANCE_FOR},
        {"Stance", "against", STANCE_AGAINST},
        {"Stance", "unsure", STANCE_UNSURE},
        {"Stance", "withdrawn", STANCE_WITHDRAWN},
        {"Packing", "plain", PACKING_PLAIN},
        {"Packing", "zstd", PACKING_ZSTD},
        {"Standing", "unspecified", STANDING_OK},
        {"Standing", "gap", STANDING_GAP},
        {"Standing", "fork", STANDING_FORK},
        {"Reason", "malformed_field", REASON_MALFORMED_FIELD},
        {"Reason", "wrong_id", REASON_WRONG_ID},
        {"Reason", "not_permitted", REASON_NOT_PERMITTED},
        {"Reason", "wrong_class", REASON_WRONG_CLASS},
    };
    struct descriptors *all = all_read();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[DESCRIPTOR_NAME];
        const struct descriptor *type = descriptors_find(all, rows[i].type);
        cr_assert(type);
        const struct descriptor_field *value = descriptor_field(type, rows[i].number);
        value_name(rows[i].type, rows[i].value, name);
        cr_assert(value, "%s", name);
        cr_expect_str_eq(value->name, name);
    }
    for (uint32_t n = 1; schema_kind(n); n++) {
        char name[DESCRIPTOR_NAME];
        const struct descriptor_field *value = descriptor_field(descriptors_find(all, "Kind"), n);
        value_name("Kind", schema_kind(n)->name, name);
        cr_assert(value, "%s", name);
        cr_expect_str_eq(value->name, name);
        cr_expect_eq(schema_kind(n)->kind, n);
        cr_expect_eq(schema_kind_by_name(schema_kind(n)->name), schema_kind(n));
    }
    cr_expect_eq(descriptors_find(all, "Kind")->n, KIND_REQUEST + 1);
    free(all);
}

Test(schema, what_is_not_known_is_null)
{
    cr_expect_null(schema_kind(0));
    cr_expect_null(schema_kind(KIND_REQUEST + 1));
    cr_expect_null(schema_kind(UINT32_MAX));
    cr_expect_null(schema_kind_by_name("needs"));
    cr_expect_null(schema_field(KIND_NEED, 0));
    cr_expect_null(schema_field(KIND_NEED, 15));
    cr_expect_null(schema_field(60000, FIELD_WORDS));
    cr_expect_null(schema_field_by_name(schema_kind(KIND_NEED), "stance"));
    cr_expect_eq(schema_field_by_name(schema_kind(KIND_NEED), "urgency")->number, 14);
}
