#pragma once

// The merge: live edits = all edits, less those that some change goes over. Two growing sets, so
// that order, repetition and partition do not matter (docs/protocol.md section 4). One step forward
// and one step back for each change, in any order; each reports the edits whose life it changed.

#include "proto/change.h"
#include "storage/record.h"

// Bytes that taking in one change may need beside it: its dots, its parts, a copy of it.
enum { MERGE_ARENA_MAX = 256 << 10 };

// The record that a change is about; the id is made from the parts or the change where it must.
void merge_record(const struct envelope *envelope, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                  uint32_t tag, struct record_key *record);

// The envelope of a change that lies in the log. ERR_DAMAGED, which is noted, where there is none;
// what memory refuses sticks to the transaction.
enum err merge_envelope(struct txn *txn, struct bytes bytes, struct arena *arena,
                        struct envelope *envelope) must_check;

// A change as the merge sees it. It borrows.
struct merge_change {
    struct record_key record;
    const struct envelope *envelope;
    struct bytes fields; // p is NULL in a husk: covers alone
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t tag;
    uint64_t position;
};

// Told of each edit that came to life or went, while the transaction is open.
struct merge_watch {
    void (*changed)(struct txn *txn, uint32_t community, const struct live *edit, bool alive,
                    void *arg);
    void *arg;
};

// Lets the change take effect. Doing it twice changes nothing. Errors stick to the transaction.
void merge_apply(struct txn *txn, uint32_t community, const struct merge_change *change,
                 const struct merge_watch *watch);
// Takes its effect back: its edits go, and what it alone went over lives again.
void merge_revert(struct txn *txn, uint32_t community, const struct merge_change *change,
                  const struct merge_watch *watch);

// The words of a change of this record are erased: its edits go, what it went over stays gone.
void merge_erase(struct txn *txn, uint32_t community, const struct record_key *record,
                 uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                 const struct merge_watch *watch);

// Whether a is shown after b: greater by (time, device, seq, index).
int merge_rank(const struct live *a, const struct live *b);
