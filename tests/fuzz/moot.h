#pragma once

// A small community on disk for the targets of sync/: a hub and two devices that it enrolled, a
// coordinator and a volunteer, made once and always the same. A target works in write transactions
// and aborts them, so every input finds it as it was.

#include "base/arena.h"
#include "sync/hub.h"

enum { MOOT_DEVICES = 2, MOOT_NOW = 1000000 };

struct moot_device {
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t handle[HANDLE_SIZE];
    uint8_t token[TOKEN_SIZE];
    struct store *store; // of the device: its first two changes; it has not synced yet
};

struct moot {
    struct store *hub; // holds the first two changes of each device
    uint8_t community[COMMUNITY_SIZE];
    struct moot_device devices[MOOT_DEVICES];
};

// Made at the first call.
const struct moot *moot_get(void);
// The caller that a device's token names.
void moot_caller(struct txn *hub, const struct moot_device *device, struct hub_caller *caller);
// What a device's own store, or the hub's, says of the community and of that device.
void moot_rows(struct txn *txn, const struct moot *moot, const struct moot_device *device,
               struct community *community, struct device *row);
// Every record that is live can be shown, to this device and to one that sees all.
void moot_check_records(struct txn *txn, const struct community *community,
                        const uint8_t handle[HANDLE_SIZE]);
