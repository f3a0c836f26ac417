#pragma once

// What the rejoin*.c family shares: the changes that are carried over, and what their dots and ids
// have become.

#include "storage/carry.h"
#include "sync/author.h"

struct carried {
    struct carry was;
    uint8_t id_was[ID_SIZE]; // of its record
    uint8_t id_is[ID_SIZE];
    uint32_t seq; // in the new chain; 0: not written anew (yet)
    uint32_t tag;
};

struct rejoining {
    struct txn *txn;
    const struct author *author;
    uint32_t community;
    const uint8_t *random;   // 32 bytes
    uint32_t salts;          // made of them so far
    struct carried *list;    // in the order in which they were written
    struct carried **by_dot; // sorted by handle, seq and tag
    struct carried **by_id;  // sorted by id_was, then in the order of the list
    size_t n;
    size_t cap;
};

// Sorts by_dot and by_id.
enum err rejoin_sort(struct rejoining *r) must_check;
// Writes one anew. Those before it in the list are done.
enum err rejoin_write(struct rejoining *r, struct carried *c, struct fault *fault) must_check;
// Puts what the id of a record has become, and says whether it is another one. arg: struct
// rejoining.
bool rejoin_map_id(uint8_t id[ID_SIZE], void *arg);
// Whose change is meant by a change of `by`, in the words of the new chain, whose author is the
// empty device. False where it says nothing any more.
bool rejoin_map_change(const struct rejoining *r, const struct carry *by, struct bytes *device,
                       uint32_t *seq, uint32_t *tag);
