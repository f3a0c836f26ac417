#pragma once

// Records that live SameAs join: groups, each walked once however many of its members are asked
// for. Read transactions; the object ends before its transaction does.

#include "storage/community.h"
#include "storage/record.h"

struct joined;

// Groups of records of one kind. NULL when there is no memory.
struct joined *joined_new(struct txn *txn, uint32_t community, uint32_t kind);
void joined_free(struct joined **joined);
// The group of a record, by a number that is the same for all that are joined with it. ERR_LIMIT
// when more than a million records were met.
enum err joined_group(struct joined *joined, const uint8_t id[ID_SIZE], uint32_t *group) must_check;
// The least of a group's ids, by which it is known.
const uint8_t *joined_root(const struct joined *joined, uint32_t group);
// The i-th member of a group, the one asked for first; false past the end.
bool joined_member(const struct joined *joined, uint32_t group, size_t i,
                   struct record_key *record) must_check;

#define JOINED_CLEANUP __attribute__((cleanup(joined_free)))
