#pragma once

// Voices on a record: each person once, joined persons and joined records taken together
// (docs/protocol.md section 4). Read transactions.

#include "storage/community.h"
#include "storage/record.h"

// Counts them all. A voice whose stance is damaged is left out. ERR_NOMEM, ERR_LIMIT
// (joined_group).
enum err tally_count(struct txn *txn, const struct community *community,
                     const struct record_key *record, struct tally *tally) must_check;
