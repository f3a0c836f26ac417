#pragma once

// Communities of this environment, their secrets and their progress. Errors of storage stick to
// the transaction; ERR_NOT_FOUND is only an answer.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/key.h"
#include "storage/store.h"

enum { NAME_MAX_BYTES = 200, ADDRESS_MAX = 255 };

struct community {
    uint32_t number; // in this environment, from 1
    uint8_t id[COMMUNITY_SIZE];
    uint64_t size;            // entries taken
    uint8_t log[HANDLE_SIZE]; // hub: its own chain's handle. Device: that of the hub's log
    bool is_hub;
    uint32_t name_n;
    char name[NAME_MAX_BYTES + 1];
};

enum err community_get(struct txn *txn, const uint8_t id[COMMUNITY_SIZE],
                       struct community *community) must_check;
enum err community_get_number(struct txn *txn, uint32_t number,
                              struct community *community) must_check;
// Gives a new one its number; an existing one keeps its own and is overwritten.
void community_put(struct txn *txn, struct community *community);
// How a community stands in the tables meta (its number's key) and community (its value): for
// whoever carries rows from one store to another. ERR_DAMAGED.
struct key community_number_key(uint32_t number);
enum err community_decode(const uint8_t id[COMMUNITY_SIZE], struct bytes bytes,
                          struct community *community) must_check;
// Calls `each` for every community until it returns false; it may write in the transaction. A
// damaged one is left out and makes ERR_DAMAGED stick at the end.
void community_each(struct txn *txn, bool (*each)(const struct community *, void *), void *arg);

// What must not leave this machine. On a hub only `seed` (of the chain key) is used.
struct secret {
    uint8_t seed[32];
    uint8_t previous_seed[32]; // while joining anew: of the key before; else zeros
    uint8_t token[TOKEN_SIZE];
    uint8_t hub_key[KEY_SIZE];     // the hub's identity key, as the join link pinned it
    uint8_t tls_key[32];           // SHA-256 of the TLS key that was last proved to be the hub's
    char address[ADDRESS_MAX + 1]; // HOST:PORT
};

enum err secret_get(struct txn *txn, uint32_t community, struct secret *secret) must_check;
void secret_put(struct txn *txn, uint32_t community, const struct secret *secret);

// How far a device has come with its hub.
struct progress {
    uint32_t receipt_seq; // own changes up to here are durable on the hub
    uint8_t log[HANDLE_SIZE];
    uint64_t position;
    uint8_t root[CUT_SIZE];
    uint32_t view;
    uint8_t seen_log[HANDLE_SIZE]; // the last log head seen; size 0: none
    uint64_t seen_size;
    uint8_t seen_root[32];
    bool by_vector;  // the cursor was lost: pull by vector until all is here
    bool forked;     // the hub holds another branch of this chain
    bool unanswered; // a push went out and no answer has come since: ask before it is sent again
    bool revoked;    // the hub said so: it takes what this device has, and gives nothing
};

// All zero when there is none yet; when it is damaged, by_vector alone is set.
void progress_get(struct txn *txn, uint32_t community, struct progress *progress);
void progress_put(struct txn *txn, uint32_t community, const struct progress *progress);

// The roots of the complete subtrees of the first `size` entries of a log, from left to right.
enum { FRONTIER_MAX = 64 };

struct frontier {
    uint64_t size;
    size_t n; // bits that are set in size
    uint8_t nodes[FRONTIER_MAX][HASH_SIZE];
};

// What was wrong with a log.
enum alarm {
    ALARM_NONE,
    ALARM_UNSIGNED,    // a head without the hub's sound signature
    ALARM_REPLACED,    // another log than before
    ALARM_ROLLED_BACK, // shorter than it was
    ALARM_REWRITTEN,   // it does not go on from what was seen
    ALARM_DROPPED,     // a receipt was given for what is not in it
    ALARM_ALTERED,     // somebody's change is not as its author signed it
};

// What a device has checked of its hub's log.
struct checked {
    uint8_t log[HANDLE_SIZE];
    uint8_t root[HASH_SIZE]; // of the frontier
    struct frontier frontier;
    uint32_t proved;  // own changes up to here stand in it
    enum alarm alarm; // the first that nobody has acknowledged
    int64_t alarm_time;
    uint64_t alarm_size; // of the log as it was told then
    uint64_t alarm_seen; // and as it was seen before
};

// All zero when there is none yet, or it is damaged: then all is checked from the beginning.
void checked_get(struct txn *txn, uint32_t community, struct checked *checked);
void checked_put(struct txn *txn, uint32_t community, const struct checked *checked);

// What an import called a record.
enum err name_get(struct txn *txn, uint32_t community, struct bytes name, uint32_t *kind,
                  uint8_t id[ID_SIZE]) must_check;
void name_put(struct txn *txn, uint32_t community, struct bytes name, uint32_t kind,
              const uint8_t id[ID_SIZE]);
// Asks of every name whether its record is another one now: `map` puts the new id and says so.
void name_map(struct txn *txn, uint32_t community, bool (*map)(uint8_t id[ID_SIZE], void *arg),
              void *arg);
