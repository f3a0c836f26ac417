#pragma once

// Reads tests/golden/vectors.json for the tests beside it. What is asked for and is not there or
// not of the right form ends the test.

#include <cjson/cJSON.h>

#include "base/arena.h"

struct golden {
    cJSON *root;
    struct arena arena; // bytes that were read live here
};

void golden_open(struct golden *golden);
void golden_close(struct golden *golden);

// The member of an object; it must be there.
const cJSON *golden_get(const cJSON *object, const char *key);
const char *golden_text(const cJSON *object, const char *key);
// Hexadecimal text as bytes; p is NULL when the member is absent, never when it is empty.
struct bytes golden_bytes(struct golden *golden, const cJSON *object, const char *key);
struct bytes golden_bytes_of(struct golden *golden, const cJSON *item);
// The same where exactly n bytes must stand.
const uint8_t *golden_fixed(struct golden *golden, const cJSON *object, const char *key, size_t n);
// A number, or decimal text, which may be negative: then two's complement.
uint64_t golden_u64(const cJSON *object, const char *key);
uint32_t golden_u32(const cJSON *object, const char *key);

// Says so when the bytes differ, in hexadecimal.
void golden_expect(struct bytes got, struct bytes wanted, const char *what);
