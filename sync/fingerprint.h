#pragma once

// One hash over all that a replica holds, so that two people can see whether they have the same.

#include "base/hash.h"
#include "storage/community.h"

// SHA-256 over every record of class ordinary in the order of kind and id: kind (4 bytes), id (16),
// and the record's bytes with their length before them. Two replicas that give the same hash hold
// the same bytes for every record. Read transaction.
enum err fingerprint(struct txn *txn, const struct community *community, uint8_t out[HASH_SIZE],
                     uint64_t *records) must_check;
