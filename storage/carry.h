#pragma once

// What a device that joins anew brings along: own changes, written under another key than its
// present one, that no receipt confirmed. Their words stay where they are in the log until they are
// written anew (sync/rejoin.h). Errors stick to the transaction.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/store.h"

struct carry {
    uint64_t position;           // of the change in this log
    uint8_t device[HANDLE_SIZE]; // in whose chain it was written
    uint32_t seq;
    uint32_t tag;
};

void carry_put(struct txn *txn, uint32_t community, const struct carry *carry);
// Absent is fine.
void carry_delete(struct txn *txn, uint32_t community, uint64_t position);
// Whether the change at a position is to be carried over. Errors stick to the transaction.
bool carry_get(struct txn *txn, uint32_t community, uint64_t position, struct carry *carry);
// Every one in the order in which they were written, until `each` returns false; it may write in
// the transaction. A damaged one makes ERR_DAMAGED stick.
void carry_each(struct txn *txn, uint32_t community, bool (*each)(const struct carry *, void *),
                void *arg);
// How many there are.
uint32_t carry_count(struct txn *txn, uint32_t community);
// Whether there is one.
bool carry_any(struct txn *txn, uint32_t community);
