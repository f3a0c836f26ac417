#pragma once

// A field's value as people type and read it, to and from its encoding, by the schema. Any thread.

#include "base/arena.h"
#include "proto/schema.h"

// Finds the kind of a record that is named by its id alone; 0 when there is none, or several.
struct value_resolver {
    uint32_t (*kind_of)(const uint8_t id[ID_SIZE], void *arg);
    void *arg;
};

// Appends the encoded field. ERR_MALFORMED or ERR_LIMIT with a sentence that names the field and
// says what it takes, never the words themselves. resolver may be NULL.
enum err value_read(const struct schema_field *field, struct bytes text,
                    const struct value_resolver *resolver, struct buf *out,
                    struct fault *fault) must_check;

// An encoded field's value as value_read takes it, from the arena, ended by a zero byte. What this
// version does not know, or what is not of the form that the schema says, comes in hexadecimal.
// NULL when the arena is full.
const char *value_text(uint32_t kind, const struct wire_field *edit,
                       struct arena *arena) must_check;

// Reads "KIND:ID", or with a resolver "ID".
enum err value_read_ref(struct bytes text, const struct value_resolver *resolver, uint32_t *kind,
                        uint8_t id[ID_SIZE]) must_check;

// A kind by its name, or as "kind 99"; 0 when it is neither.
uint32_t value_kind(const char *name);
// The kind's name, or "kind 99". out: 16 bytes.
void value_kind_name(uint32_t kind, char out[16]);
