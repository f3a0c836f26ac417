#pragma once

// Private to storage/: takes stored keys and values apart, big-endian part by part. What is not
// there reads as zeros and is told at the end: a decoder checks once. Any thread.

#include "base/bytes.h"
#include "base/err.h"

struct stored {
    struct bytes rest;
    bool cut; // more was asked for than is there
};

static inline struct stored stored_of(struct bytes bytes)
{
    return (struct stored){.rest = bytes};
}

uint8_t stored_u8(struct stored *stored);
uint16_t stored_u16(struct stored *stored);
uint32_t stored_u32(struct stored *stored);
uint64_t stored_u64(struct stored *stored);
void stored_copy(struct stored *stored, void *out, size_t n);
// All that remains, borrowed.
struct bytes stored_rest(struct stored *stored);
// All that remains, as text with a zero byte behind it; more than `max` bytes are damage.
void stored_text(struct stored *stored, char *out, uint32_t *n, size_t max);
// ERR_DAMAGED when it was shorter or longer than what was taken.
enum err stored_end(const struct stored *stored) must_check;
