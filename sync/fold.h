#pragma once

// The fold of a log: what each change does to records, references and decisions. It reads only
// changes and decisions, so every hub and device folds alike. Errors stick to the transaction.

#include "storage/community.h"
#include "storage/log.h"
#include "sync/merge.h"

// Takes in the change at this position, unless a decision sets it apart. entry and body (NULL
// unless whole) are the caller's own memory, not the transaction's.
void fold_change(struct txn *txn, const struct community *community, uint64_t position,
                 const struct log_entry *entry, const struct log_body *body);
// Takes the effect of a change that is here, and that no decision set apart, out of its record.
void fold_out(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE], uint32_t seq,
              uint32_t tag);
// Notes that the change's words are erased; where it is here, takes its edits (not what it goes
// over) out of its record and destroys the words.
void fold_erase(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                uint32_t seq, uint32_t tag);
