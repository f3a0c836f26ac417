#pragma once

// What protoc says of proto/folkmoot/v1: a FileDescriptorSet with comments, read with our own wire
// format into plain tables. What is not as expected ends the test.

#include "base/bytes.h"

enum { DESCRIPTOR_NAME = 64, DESCRIPTOR_FIELDS = 24, DESCRIPTOR_COMMENT = 256 };

// FieldDescriptorProto.Type, as far as we use it.
enum descriptor_type {
    DESCRIPTOR_INT64 = 3,
    DESCRIPTOR_UINT64 = 4,
    DESCRIPTOR_FIXED32 = 7,
    DESCRIPTOR_BOOL = 8,
    DESCRIPTOR_STRING = 9,
    DESCRIPTOR_MESSAGE = 11,
    DESCRIPTOR_BYTES = 12,
    DESCRIPTOR_UINT32 = 13,
    DESCRIPTOR_ENUM = 14,
    DESCRIPTOR_SINT32 = 17,
};

// A field of a message or a value of an enum.
struct descriptor_field {
    char name[DESCRIPTOR_NAME];
    uint32_t number;
    enum descriptor_type type;
    bool repeated;
    bool optional;            // says so in the .proto file
    char of[DESCRIPTOR_NAME]; // message or enum
    char comment[DESCRIPTOR_COMMENT];
};

// A message or an enum.
struct descriptor {
    char name[DESCRIPTOR_NAME];
    bool is_enum;
    struct descriptor_field fields[DESCRIPTOR_FIELDS];
    size_t n;
};

enum { DESCRIPTORS_MAX = 128 };

struct descriptors {
    struct descriptor all[DESCRIPTORS_MAX];
    size_t n;
};

// Heap, the caller's: free().
struct descriptors *descriptors_read(const char *path);
// NULL when there is none of this name.
const struct descriptor *descriptors_find(const struct descriptors *descriptors, const char *name);
const struct descriptor_field *descriptor_field(const struct descriptor *descriptor,
                                                uint32_t number);
