#pragma once

// Protobuf messages to and from plain structs, by tables that stand beside the structs in
// messages.c. Everything decoded borrows from the input; lists come from the arena. Unknown fields
// are passed over. A test compares the tables with the .proto files. Any thread.

#include "base/arena.h"
#include "base/buf.h"

enum field_type {
    FIELD_U32,
    FIELD_U64,
    FIELD_I64,
    FIELD_S32, // zigzag
    FIELD_BOOL,
    FIELD_FIXED32,
    FIELD_BYTES,
    FIELD_TEXT, // UTF-8 without NUL
    FIELD_MESSAGE,
};

struct message;

struct field {
    uint32_t number;
    enum field_type type;
    bool repeated;       // the struct has a struct list
    bool present;        // optional: a bool `has_…` stands at has_offset; bytes: p is not NULL
    uint16_t offset;     // where in the struct
    uint16_t has_offset; // where the presence of an optional scalar is kept
    uint32_t size_min;   // bytes or text, where not empty: at least so many bytes
    uint32_t size_max;   // bytes or text: at most so many; 0: no limit but the whole message's
    uint32_t count_max;  // repeated: at most so many
    const struct message *of; // FIELD_MESSAGE; a singular one is a pointer, NULL when absent
};

struct message {
    const char *name;           // as in the .proto file
    size_t size;                // of the struct
    const struct field *fields; // by ascending number
    size_t fields_n;
};

// A repeated field: n items one after the other.
struct list {
    void *p;
    size_t n;
};

// Decodes into the zeroed struct `out`. ERR_MALFORMED or ERR_LIMIT with a sentence that names
// message and field, ERR_NOMEM when the arena is full.
enum err message_decode(const struct message *message, struct bytes bytes, struct arena *arena,
                        void *out, struct fault *fault) must_check;
// Appends the encoding: ascending fields, no defaults, minimal varints. Errors stick to the buf.
void message_encode(const struct message *message, const void *in, struct buf *buf);
// Whether bytes are canonical: what the table knows ascends, is minimal, has no default and no
// singular twice; what it does not know ascends and is minimal.
bool message_is_canonical(const struct message *message, struct bytes bytes) must_check;
