#pragma once

// What is needed by how many, counted while the log is folded (docs/disk-format.md, "Counts"). The
// fold notes which records a transaction touched; just before it commits each is settled once, by
// the difference to what was counted of it. What the counts say follows from what is live alone.

#include "proto/messages.h"
#include "storage/record.h"

// Notes that a change of this record took effect or lost it. Write transactions.
void counts_note(struct txn *txn, uint32_t community, const struct record_key *record,
                 const struct envelope *envelope);

// Makes the counts anew of each community that has none, in as many transactions as it takes: after
// a database of an older format was opened, or some of them were damaged. What cannot be counted,
// for it is damaged, is left as it is, and that is no error.
enum err counts_make(struct store *store) must_check;
