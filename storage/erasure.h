#pragma once

// Words that are no more: which changes are erased, which records are closed for ever, until when a
// record may be kept. Errors stick to the transaction.

#include "base/hash.h"
#include "storage/record.h"

// A change whose words are erased, by decision or, before anybody saw them, by its author.
// body_hash: HASH_SIZE, zeros where it is not known; NULL: not asked for.
bool erased_get(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, uint8_t *body_hash);
// Notes it once (body_hash NULL: not known). A hub notes it in the file beside the database, too,
// before the transaction is committed.
void erased_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, const uint8_t *body_hash);
// A hub notes in the file beside the database what a restored backup would have forgotten. Its
// community is filled in.
void order_note(struct txn *txn, uint32_t number, struct store_order *order);
// Destroys the keys of erased changes that a crash left. What opening a store does.
enum err erased_settle(struct txn *txn) must_check;

// A record, or a person, of which nothing more is kept.
enum closed {
    CLOSED_NOT,
    CLOSED_ALONE,    // its own changes; what others say about it stays theirs
    CLOSED_WITH_ALL, // and what hangs on it: voices on it, and what refers to it alone
};

enum closed closed_get(struct txn *txn, uint32_t community, const struct record_key *record);
// Whether any is: where none is, nothing that arrives has to be asked about.
bool closed_any(struct txn *txn, uint32_t community);
// What is closed with all stays so. A damaged row is taken for that.
void closed_put(struct txn *txn, uint32_t community, const struct record_key *record,
                enum closed how);

// A live edit that says until when its record may be kept.
struct keep {
    int64_t until; // ms since 1970 UTC
    struct record_key record;
    uint8_t device[HANDLE_SIZE]; // whose edit it is
    uint32_t seq;
    uint8_t index;
};

void keep_put(struct txn *txn, uint32_t community, const struct keep *keep);
void keep_delete(struct txn *txn, uint32_t community, const struct keep *keep);
// Those with `until` at or before `now`, the earliest first, until `each` returns false. A damaged
// one is left out: nothing is erased by what may never have been said.
void keep_each_due(struct txn *txn, uint32_t community, int64_t now,
                   bool (*each)(const struct keep *, void *), void *arg);

// A run of a branch that does not hold: an encoded Run of husks (no words), at most 1 MiB. False
// when it, or EVIDENCE_MAX others of the device, are kept already.
enum { EVIDENCE_MAX = 16 };
bool evidence_put(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  const uint8_t head[HASH_SIZE], struct bytes run);
// What is kept of a device, until `each` returns false; head: where the branch ends.
void evidence_each(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                   bool (*each)(const uint8_t head[HASH_SIZE], struct bytes run, void *),
                   void *arg);
