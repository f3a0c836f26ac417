#pragma once

// Chains of changes: the head at any seq, and appending a change to chain and log. Errors stick to
// the transaction.

#include "storage/community.h"
#include "storage/device.h"
#include "storage/log.h"

// The chain's head at seq (0: zeros). ERR_NOT_FOUND past its end.
enum err chain_head_at(struct txn *txn, const struct community *community,
                       const struct device *device, uint32_t seq,
                       uint8_t head[HASH_SIZE]) must_check;
// A change that arrives after its words were erased is taken as a husk: entry and *body are made
// so.
void chain_erased(struct txn *txn, uint32_t community, struct log_entry *entry,
                  const struct log_body **body);
// Puts the change at the end of the log and of its device's chain, keeps the tree (hubs), and folds
// it. `entry` and `body` as for log_put; community->size, device->seq and device->head are brought
// up to date, and stored by chain_store.
void chain_append(struct txn *txn, struct community *community, struct device *device,
                  const struct log_entry *entry, const struct log_body *body);
// Stores community and device as they are now.
void chain_store(struct txn *txn, const struct community *community, const struct device *device);
