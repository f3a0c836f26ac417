#pragma once

// Joining anew under another key, in the store of a device that is a copy, was restored, or was
// revoked. What its old chain has beyond the last receipt is carried over:
//
//   rejoin_begin    at the joining: notes which changes these are. The old chain is from then on
//                   another device's, and all of it is to be pulled
//   rejoin_meet     while everything is pulled: what turns out to be on the hub is carried no more;
//                   where the hub holds another branch, that takes the place of what is here
//   rejoin_finish   when all is pulled: the rest is written anew in the new chain, as it was said
//                   and when, with every reference to it following, and the old ones are dropped
//
// Until then nothing is pushed, and what is written meanwhile in the new chain waits with the rest.

#include "sync/author.h"

// Errors stick to the transaction, too. old: as it is stored. Seed and token are the caller's.
enum err rejoin_begin(struct txn *txn, const struct community *community,
                      const struct device *old) must_check;
// Another device's change with this tag arrives under the seq of the one that is here at a
// position. Whether that gives way: its effect was taken back, and its words are kept to be written
// anew. Errors stick to the transaction.
bool rejoin_meet(struct txn *txn, uint32_t community, uint64_t position, uint32_t tag);
// Writes anew what is still carried. All in one transaction: a crash leaves all or nothing of it.
// random: 32 bytes that make the salts, never used twice. carried: how many changes. The author's
// chain must not have been pushed yet.
enum err rejoin_finish(struct txn *txn, const struct author *author, const uint8_t random[32],
                       uint32_t *carried, struct fault *fault) must_check;
