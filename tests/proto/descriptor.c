#include "tests/proto/descriptor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire.h"

enum { FILE_MAX = 1 << 20 };

static struct wire_field next(struct wire_reader *reader)
{
    struct wire_field field;
    cr_assert_eq(wire_next(reader, &field), OK);
    return field;
}

static void copy_name(char *out, size_t size, struct bytes name)
{
    cr_assert(name.n < size, "too long: %.*s", (int)name.n, (const char *)name.p);
    memcpy(out, name.p, name.n);
    out[name.n] = 0;
}

// ".folkmoot.v1.Ref" as "Ref".
static void copy_type_name(char *out, struct bytes name)
{
    static const char prefix[] = ".folkmoot.v1.";
    size_t n = sizeof prefix - 1;
    cr_assert(name.n > n && memcmp(name.p, prefix, n) == 0);
    copy_name(out, DESCRIPTOR_NAME, bytes_of(name.p + n, name.n - n));
}

// FieldDescriptorProto.
static void read_field(struct bytes bytes, struct descriptor_field *out)
{
    struct wire_reader reader = wire_reader(bytes);
    while (!wire_at_end(&reader)) {
        struct wire_field field = next(&reader);
        if (field.number == 1)
            copy_name(out->name, sizeof out->name, field.bytes);
        else if (field.number == 3)
            out->number = (uint32_t)field.value;
        else if (field.number == 4)
            out->repeated = field.value == 3;
        else if (field.number == 5)
            out->type = (enum descriptor_type)field.value;
        else if (field.number == 6)
            copy_type_name(out->of, field.bytes);
        else if (field.number == 17)
            out->optional = field.value == 1;
    }
}

// EnumValueDescriptorProto.
static void read_value(struct bytes bytes, struct descriptor_field *out)
{
    struct wire_reader reader = wire_reader(bytes);
    while (!wire_at_end(&reader)) {
        struct wire_field field = next(&reader);
        if (field.number == 1)
            copy_name(out->name, sizeof out->name, field.bytes);
        else if (field.number == 2)
            out->number = (uint32_t)field.value;
    }
}

// DescriptorProto or EnumDescriptorProto: of both the name is 1, and fields and values are 2.
// Nested types are none of our habit.
static void read_one(struct bytes bytes, bool is_enum, struct descriptor *out)
{
    struct wire_reader reader = wire_reader(bytes);
    out->is_enum = is_enum;
    while (!wire_at_end(&reader)) {
        struct wire_field field = next(&reader);
        if (field.number == 1) {
            copy_name(out->name, sizeof out->name, field.bytes);
        } else if (field.number == 2) {
            cr_assert(out->n < DESCRIPTOR_FIELDS, "%s has too many fields", out->name);
            struct descriptor_field *item = &out->fields[out->n++];
            if (is_enum)
                read_value(field.bytes, item);
            else
                read_field(field.bytes, item);
        } else {
            cr_assert(field.number == 8, "%s has something nested", out->name);
        }
    }
}

// A location's path: 4, which message, 2, which field.
static bool read_path(struct bytes bytes, uint64_t path[4])
{
    const uint8_t *p = bytes.p;
    size_t n = 0;
    while (p < bytes.p + bytes.n) {
        uint64_t v = 0;
        unsigned shift = 0;
        do
            v |= (uint64_t)(*p & 0x7f) << shift, shift += 7;
        while (*p++ & 0x80);
        if (n == 4)
            return false;
        path[n++] = v;
    }
    return n == 4 && path[0] == 4 && path[2] == 2;
}

// SourceCodeInfo.Location; `first` is the file's first message.
static void read_location(struct bytes bytes, struct descriptor *first)
{
    struct wire_reader reader = wire_reader(bytes);
    uint64_t path[4];
    struct descriptor_field *of = NULL;
    while (!wire_at_end(&reader)) {
        struct wire_field field = next(&reader);
        if (field.number == 1 && read_path(field.bytes, path))
            of = &first[path[1]].fields[path[3]];
        else if (field.number == 3 && of)
            copy_name(of->comment, sizeof of->comment, field.bytes);
    }
}

// FileDescriptorProto: messages are 4, enums 5, comments 9.
static void read_file(struct bytes bytes, struct descriptors *out)
{
    struct wire_reader reader = wire_reader(bytes);
    struct descriptor *first = &out->all[out->n];
    bool enums = false;
    while (!wire_at_end(&reader)) {
        struct wire_field field = next(&reader);
        if (field.number == 4 || field.number == 5) {
            cr_assert(out->n < DESCRIPTORS_MAX);
            cr_assert(!enums || field.number == 5, "messages stand before enums");
            enums = field.number == 5;
            read_one(field.bytes, enums, &out->all[out->n++]);
        } else if (field.number == 9) {
            struct wire_reader locations = wire_reader(field.bytes);
            while (!wire_at_end(&locations))
                read_location(next(&locations).bytes, first);
        }
    }
}

struct descriptors *descriptors_read(const char *path)
{
    struct descriptors *out = calloc(1, sizeof *out);
    uint8_t *bytes = malloc(FILE_MAX);
    FILE *file = fopen(path, "re");
    cr_assert(out && bytes && file, "%s", path);
    size_t n = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    struct wire_reader reader = wire_reader(bytes_of(bytes, n));
    while (!wire_at_end(&reader))
        read_file(next(&reader).bytes, out);
    free(bytes);
    return out;
}

const struct descriptor *descriptors_find(const struct descriptors *descriptors, const char *name)
{
    for (size_t i = 0; i < descriptors->n; i++) {
        if (strcmp(descriptors->all[i].name, name) == 0)
            return &descriptors->all[i];
    }
    return NULL;
}

const struct descriptor_field *descriptor_field(const struct descriptor *descriptor,
                                                uint32_t number)
{
    for (size_t i = 0; i < descriptor->n; i++) {
        if (descriptor->fields[i].number == number)
            return &descriptor->fields[i];
    }
    return NULL;
}
