#pragma once

// The protobuf wire format (protobuf.dev/programming-guides/encoding): one field at a time,
// borrowed, bounds checked here and nowhere else. Any thread.

#include "base/buf.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SIZED = 2, WIRE_FIXED32 = 5 };

struct wire_reader {
    const uint8_t *p;
    const uint8_t *end;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     // of a varint or fixed field
    struct bytes bytes; // of a sized field
    struct bytes whole; // tag and value as they stand
    bool minimal;       // no varint in it is longer than need be
};

static inline struct wire_reader wire_reader(struct bytes bytes)
{
    return (struct wire_reader){bytes.p, bytes.p ? bytes.p + bytes.n : bytes.p};
}

static inline bool wire_at_end(const struct wire_reader *reader)
{
    return reader->p == reader->end;
}

// The next field. ERR_CUT when the bytes end inside it, ERR_MALFORMED for groups, number 0 and
// varints over 64 bits. Not to be called at the end.
enum err wire_next(struct wire_reader *reader, struct wire_field *field) must_check;

// One varint. `minimal` is made false where it is longer than need be. ERR_CUT, ERR_MALFORMED.
enum err wire_varint(struct wire_reader *reader, uint64_t *v, bool *minimal) must_check;

// The length prefix and then the value; a zero or empty one is written all the same.
void wire_put_varint(struct buf *buf, uint64_t v);
void wire_put_uint(struct buf *buf, uint32_t number, uint64_t v);
void wire_put_sint(struct buf *buf, uint32_t number, int64_t v);
void wire_put_fixed32(struct buf *buf, uint32_t number, uint32_t v);
void wire_put_bytes(struct buf *buf, uint32_t number, struct bytes bytes);
// Opens a sub-message; what is put until the matching close is its content.
size_t wire_open(struct buf *buf, uint32_t number);
void wire_close(struct buf *buf, size_t mark);

static inline int64_t wire_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
