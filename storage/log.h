#pragma once

// The log of a community, as this environment took it: entries by position, bodies apart from them,
// chains and runs that point to positions, and the nodes of the log's tree.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/store.h"

// LOG_AGAIN: a change that has come to count again stands in the log once more; its words and its
// place in the chain are where it stood first.
enum log_form { LOG_WHOLE = 1, LOG_HUSK, LOG_BARE, LOG_AGAIN };

struct log_entry {
    enum log_form form;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint8_t leaf[HASH_SIZE];      // a device without the salt knows the tag alone: 4 bytes, zeros
    uint8_t body_hash[HASH_SIZE]; // husk on a hub; else zeros
    struct bytes envelope;        // borrowed from the transaction when read
    uint64_t first;               // LOG_AGAIN: where it stood first
};

struct log_body {
    uint8_t salt[SALT_SIZE];
    struct bytes fields; // when read: the transaction's, until three other bodies were read
};

// First 4 bytes of the leaf.
static inline uint32_t log_tag(const struct log_entry *entry)
{
    return be32_get(entry->leaf);
}

enum err log_get(struct txn *txn, uint32_t community, uint64_t position,
                 struct log_entry *entry) must_check;
enum err log_get_body(struct txn *txn, uint32_t community, uint64_t position,
                      struct log_body *body) must_check;
// Whether there is a row of words at a position, be it sound or not.
bool log_has_body(struct txn *txn, uint32_t community, uint64_t position);
// Puts entry, body (NULL unless whole; one that was there is deleted) and, unless LOG_AGAIN, the
// chain's pointer at a position. Envelope and fields may be borrowed from the same transaction.
void log_put(struct txn *txn, uint32_t community, uint64_t position, const struct log_entry *entry,
             const struct log_body *body);
// Puts back the words of a whole change whose entry is there, under a seal of their own.
void log_put_body(struct txn *txn, uint32_t community, uint64_t position,
                  const struct log_body *body);
// Destroys the words of the whole change at a position: it is a husk from then on. After the commit
// nothing of fields and salt is in any file of the store. body_hash: NULL where it is not known.
void log_erase(struct txn *txn, uint32_t community, uint64_t position, const uint8_t *body_hash);
// Takes the change at a position out of its chain, where the chain still points to it. Its words
// stay.
void log_unlink(struct txn *txn, uint32_t community, uint64_t position);
// The same, and nothing of it is left: its words are destroyed as by log_erase.
void log_drop(struct txn *txn, uint32_t community, uint64_t position);
// Destroys the keys of dropped words that a crash left. What opening a store does.
enum err log_settle(struct txn *txn) must_check;
// Where a device's change stands (first).
enum err log_find(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                  uint32_t seq, uint64_t *position) must_check;

struct log_run {
    uint32_t first;
    uint32_t last;
    uint8_t head[HASH_SIZE]; // of the chain at last
    uint8_t signature[64];
    uint8_t seen_log[HANDLE_SIZE]; // what the signature says was seen; zeros: none
    uint64_t seen_size;
    uint8_t seen_root[HASH_SIZE];
};

void log_put_run(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                 const struct log_run *run);
// The last run that ends at or before seq. ERR_NOT_FOUND when there is none.
enum err log_run_upto(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                      uint32_t seq, struct log_run *run) must_check;

// The run that holds seq: the first that ends at or behind it. ERR_NOT_FOUND when there is none.
enum err log_run_from(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                      uint32_t seq, struct log_run *run) must_check;

// Nodes of the log's tree: the roots of the complete subtrees of 2^level entries. Those of lower
// levels are made from the entries when they are wanted.
enum { LOG_LOWEST_LEVEL = 3 };
enum err log_get_node(struct txn *txn, uint32_t community, unsigned level, uint64_t index,
                      uint8_t node[HASH_SIZE]) must_check;
// All that end at a position, a multiple of 2^LOG_LOWEST_LEVEL, from the lowest level up.
void log_put_nodes(struct txn *txn, uint32_t community, uint64_t position, struct bytes nodes);
// Of a database or copy of format 3: whether this is the key of a node, and takes the node over.
// They come in the order of their keys.
bool log_is_node_before(struct bytes key) must_check;
void log_put_node_before(struct txn *txn, struct bytes key, struct bytes node);
