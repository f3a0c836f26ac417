#pragma once

// How often Enrol and Login may be tried: by address and in all, as token buckets in memory. A
// success gives its attempt back, so that a workshop behind one address can enrol. The loop's
// thread.

#include "base/bytes.h"
#include "base/err.h"

enum { ATTEMPTS_ADDRESS_SIZE = 16, ATTEMPTS_SLOTS = 4096 };

struct attempts;

// Per minute; a full minute's worth may come at once.
struct attempts *attempts_new(uint32_t per_address, uint32_t in_all) must_check;
void attempts_free(struct attempts **attempts);
// Takes one attempt of the address, of which addresses that cannot be told apart (a proxy's) have
// none: NULL. now in ms. False: too many.
bool attempts_take(struct attempts *attempts, const uint8_t *address, int64_t now) must_check;
void attempts_give_back(struct attempts *attempts, const uint8_t *address);
