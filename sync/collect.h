#pragma once

// The live edits of one record, collected and sorted: what view, joined and tally read records by.

#include "proto/wire.h"
#include "storage/record.h"
#include "sync/eye.h"

struct collection {
    const struct eye *eye; // NULL: sees all
    struct live *edits;    // by field, then rank; owned
    size_t n;
    size_t cap;
    bool full; // memory ran out
};

// Collects what the eye sees of a record. Ended by collect_done in any case.
enum err collect_record(struct txn *txn, uint32_t community, const struct record_key *record,
                        struct collection *collection) must_check;
void collect_done(struct collection *collection);
// The edit itself, borrowed from the transaction. ERR_DAMAGED when its body is not there.
enum err collect_edit(struct txn *txn, uint32_t community, const struct live *edit,
                      struct wire_field *field) must_check;
// Whether one value is expected of a field, so that several that differ are a tension. Of a stance
// they are not.
bool collect_is_register(uint32_t kind, uint32_t field);

#define COLLECT_CLEANUP __attribute__((cleanup(collect_done)))
