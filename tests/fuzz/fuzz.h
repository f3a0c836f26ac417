#pragma once

// What the fuzz targets share. A target is one function that takes any bytes and asserts what must
// hold of them; it is deterministic, leaves nothing behind and knows no network.

#include <assert.h>

#include "base/buf.h"

// libFuzzer's entry; 0 always.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Bytes read as decisions, for targets that build their input: whatever the bytes are, they mean
// something. A script that is used up says 0 and nothing.
struct script {
    const uint8_t *p;
    size_t n;
};

static inline struct script script_of(const uint8_t *data, size_t size)
{
    return (struct script){data, size};
}

static inline bool script_ended(const struct script *script)
{
    return script->n == 0;
}

uint8_t script_u8(struct script *script);
uint32_t script_be32(struct script *script);
// A length (one byte; 255: two more follow), then so many bytes or what is left. It borrows.
struct bytes script_bytes(struct script *script);
// A number below n (n > 0), from one byte.
uint32_t script_below(struct script *script, uint32_t n);
