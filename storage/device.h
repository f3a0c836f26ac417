#pragma once

// Devices of a community as decisions enrolled them, what was last heard of them, invitations and
// tokens, and which changes are set apart.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/store.h"

enum { LABEL_MAX = 100 };

struct device {
    uint8_t handle[HANDLE_SIZE];
    uint8_t key[KEY_SIZE];
    enum role role;
    uint32_t seq;               // the end of its chain here
    uint8_t head[HASH_SIZE];    // there
    uint8_t identity[KEY_SIZE]; // of a hub's chain: the identity key that endorsed it
    uint32_t label_n;
    char label[LABEL_MAX + 1];
};

enum err device_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                    struct device *device) must_check;
void device_put(struct txn *txn, uint32_t community, const struct device *device);
// Calls `each` in the order of handles until it returns false; it may write in the transaction. A
// damaged one is left out and makes ERR_DAMAGED stick at the end.
void device_each(struct txn *txn, uint32_t community, bool (*each)(const struct device *, void *),
                 void *arg);

// The hub's own notes on a device.
struct contact {
    int64_t last_sync; // ms since 1970 UTC; 0: never
    uint64_t bytes_in;
    uint64_t bytes_out;
};

// All zero when nothing is noted, or it is damaged.
void contact_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 struct contact *contact);
void contact_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct contact *contact);

struct invitation {
    uint32_t community;
    enum role role;
    int64_t expires;             // ms since 1970 UTC
    uint8_t device[HANDLE_SIZE]; // that used it; zeros: nobody yet
    uint32_t label_n;
    char label[LABEL_MAX + 1];
};

enum err invitation_get(struct txn *txn, const uint8_t hash[HASH_SIZE],
                        struct invitation *invitation) must_check;
void invitation_put(struct txn *txn, const uint8_t hash[HASH_SIZE],
                    const struct invitation *invitation);

// The device of a token, by the token's hash.
enum err token_get(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t *community,
                   uint8_t handle[HANDLE_SIZE]) must_check;
// Makes this token the device's only one.
void token_put(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
               const uint8_t handle[HANDLE_SIZE]);

// REASON_NONE when the change with this tag is in effect. When that is damaged, another reason, and
// ERR_DAMAGED sticks.
enum reason apart_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                      uint32_t seq, uint32_t tag);
void apart_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
               uint32_t tag,
               enum reason reason); // REASON_NONE takes it away
