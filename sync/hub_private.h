#pragma once

// What the hub_*.c family shares.

#include "sync/hub.h"

// The hub's own device and secret in a community.
enum err hub_own_device(struct txn *txn, const struct community *community, struct device *hub,
                        struct secret *secret) must_check;
// Writes a Decision with these fields to the hub's chain, signed. community->size grows.
enum err hub_decide(struct txn *txn, struct community *community, int64_t now,
                    const uint8_t salt[SALT_SIZE], struct bytes fields,
                    struct fault *fault) must_check;
