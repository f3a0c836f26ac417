#pragma once

// What is needed by how many, counted while the log is folded (docs/disk-format.md, "Counts"). The
// fold notes which records a transaction touched; just before it commits each is settled once, by
// the difference to what was counted of it. What the counts say follows from what is live alone.

#include "sync/merge.h"

// Notes that a change of this record took effect or lost it. Write transactions.
void counts_note(struct txn *txn, uint32_t community, const struct record_key *record,
                 const struct envelope *envelope);

// Keeps the words of a change that is about to lose them, until the transaction is settled: what
// was counted by them is taken back by them.
void counts_keep_words(struct txn *txn, uint32_t community, const struct record_key *record,
                       uint64_t position, struct bytes fields);

// What became of stances while a change took effect. Begins with `change` alone.
struct counts_seen {
    const struct merge_change *change;
    unsigned born;  // stances of this change that came to life
    unsigned other; // that went, or came to life of another
    uint8_t stance; // the last that was born
};

void counts_see(struct counts_seen *seen, const struct live *edit, bool alive);
// The same as counts_note, and cheaper: that a first stance came is known without another look.
void counts_note_seen(struct txn *txn, uint32_t community, const struct counts_seen *seen);

// Makes the counts anew of each community that has none, in as many transactions as it takes: after
// a database of an older format was opened, or some of them were damaged. What cannot be counted,
// for it is damaged, is left as it is, and that is no error.
enum err counts_make(struct store *store) must_check;
