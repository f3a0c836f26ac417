#pragma once

// Devices of a community as decisions enrolled them, what was last heard of them, their
// tokens, and which changes are set apart.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/store.h"

enum { LABEL_MAX = 100 };

struct device {
    uint8_t handle[HANDLE_SIZE];
    uint8_t key[KEY_SIZE];
    uint8_t first[HANDLE_SIZE]; // the first device of whoever speaks by this one; zeros: itself
    enum role role;             // of its next change; ROLE_NONE: revoked, or not told yet
    uint32_t seq;               // the end of its chain here
    uint8_t head[HASH_SIZE];    // there
    uint8_t identity[KEY_SIZE]; // of a hub's chain: the identity key that endorsed it
    uint32_t upto;              // of a hub's chain: its changes hold up to this seq
    uint32_t label_n;
    char label[LABEL_MAX + 1];
};

// The handle that makes the person who speaks by a device.
const uint8_t *device_first(const struct device *device);

enum err device_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                    struct device *device) must_check;
void device_put(struct txn *txn, uint32_t community, const struct device *device);
// Calls `each` in the order of handles until it returns false; it may write in the transaction. A
// damaged one is left out and makes ERR_DAMAGED stick at the end.
void device_each(struct txn *txn, uint32_t community, bool (*each)(const struct device *, void *),
                 void *arg);

enum { CONTACT_APP_MAX = 40 };

// The hub's own notes on a device.
struct contact {
    int64_t last_sync; // ms since 1970 UTC; 0: never
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint32_t written;   // the end of its chain as it last said; 0: not said
    uint8_t error;      // why the hub refused its last sync, by the code of rpc.h; 0: it did not
    int64_t error_time; // ms since 1970 UTC
    char app[CONTACT_APP_MAX +
             1]; // which program it is, by its own word: printable ASCII; "": not said
};

// All zero when nothing is noted, or it is damaged.
void contact_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 struct contact *contact);
void contact_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct contact *contact);

// The edit of a hub's chain that decided something: part of the key of what it decided, so that it
// can be withdrawn.
struct decided {
    uint8_t by[HANDLE_SIZE];
    uint32_t seq;
    uint8_t index;
};

// From which change on a device has a role: ROLE_NONE where it is revoked.
struct role_row {
    uint32_t from; // the first seq
    struct decided decided;
    enum role role;
};

void role_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
              const struct role_row *row);
void role_delete(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                 const struct role_row *row);
// The role of the device's change `seq`: ROLE_NONE from a revocation on, whatever else is decided;
// else what the row with the greatest (from, decided) says. ROLE_NONE when there is none;
// ERR_DAMAGED sticks.
enum role role_at(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq);
// Every row of a device, in the order of (from, decided), until `each` returns false.
void role_each(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               bool (*each)(const struct role_row *, void *), void *arg);

// A device has one token, and while it changes it for another, two: the old one holds until the
// next one is used.
struct token {
    uint32_t community;
    uint8_t handle[HANDLE_SIZE];
    int64_t made; // ms since 1970 UTC
    bool is_next; // not yet used: token_turn makes it the one
};

// Whose token has this hash. ERR_NOT_FOUND when it is void.
enum err token_get(struct txn *txn, const uint8_t hash[HASH_SIZE], struct token *token) must_check;
// Makes this token the device's only one.
void token_put(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
               const uint8_t handle[HANDLE_SIZE], int64_t now);
// Makes this the device's next token; a next one that was never used is void.
void token_put_next(struct txn *txn, const uint8_t hash[HASH_SIZE], uint32_t community,
                    const uint8_t handle[HANDLE_SIZE], int64_t now);
// The next token becomes the only one.
void token_turn(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE]);
// Voids all of the device's tokens.
void token_void(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE]);

// What a device has pushed on one day, for its quota.
struct quota {
    uint32_t day; // since 1970 UTC
    uint32_t changes;
    uint64_t bytes; // envelopes and fields
};

// All zero when nothing is noted, or it is damaged.
void quota_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               struct quota *quota);
void quota_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
               const struct quota *quota);

// REASON_NONE when the change with this tag is in effect; else what the first refusal of it says.
// When that is damaged, another reason, and ERR_DAMAGED sticks.
enum reason apart_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                      uint32_t seq, uint32_t tag);
// A refusal, and its withdrawal.
void apart_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE], uint32_t seq,
               uint32_t tag, const struct decided *decided, enum reason reason);
void apart_delete(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq, uint32_t tag, const struct decided *decided);
// What sets a change apart.
struct apart {
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t tag;
    struct decided decided;
    enum reason reason;
};

// Every refusal of this device's changes (NULL: of all devices'), until `each` returns false.
void apart_each(struct txn *txn, uint32_t community, const uint8_t *handle,
                bool (*each)(const struct apart *, void *), void *arg);
