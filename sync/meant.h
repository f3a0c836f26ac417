#pragma once

// What an order to erase means: a change of a named record, a voice on it or by a named person,
// what such a person spoke, and how to reach them. Read or write transactions.

#include "proto/messages.h"
#include "storage/record.h"

struct meant {
    struct txn *txn;
    uint32_t community;
    const struct list *records; // struct ref, sorted: these; NULL: whatever is closed for ever
};

void meant_sort(struct list *records);

// The key of a record that a ref names. False when it is none.
bool meant_key(const struct ref *ref, struct record_key *record);
bool meant_record(const struct meant *meant, const struct record_key *record);
// Whether it is a voice of a person that is meant, or on a record that is with all that hangs on
// it.
bool meant_voice(const struct meant *meant, const struct envelope *envelope);
// Whether a record is a Contact of a person that is meant.
bool meant_contact(const struct meant *meant, const struct record_key *record);
// Whether the words at a position name a person that is meant as their speaker.
bool meant_speaker(const struct meant *meant, uint64_t position);
