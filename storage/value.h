#pragma once

// Private to storage/: takes stored keys and values apart, big-endian part by part. What is not
// there reads as zeros and is told at the end: a decoder checks once. Any thread.

#include "base/bytes.h"
#include "base/err.h"

struct value {
    struct bytes rest;
    bool cut; // more was asked for than is there
};

static inline struct value value_of(struct bytes bytes)
{
    return (struct value){.rest = bytes};
}

uint8_t value_u8(struct value *value);
uint16_t value_u16(struct value *value);
uint32_t value_u32(struct value *value);
uint64_t value_u64(struct value *value);
void value_copy(struct value *value, void *out, size_t n);
// All that remains, borrowed.
struct bytes value_rest(struct value *value);
// All that remains, as text with a zero byte behind it; more than `max` bytes are damage.
void value_text(struct value *value, char *out, uint32_t *n, size_t max);
// ERR_DAMAGED when it was shorter or longer than what was taken.
enum err value_end(const struct value *value) must_check;
