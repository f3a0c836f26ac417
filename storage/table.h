#pragma once

// Tables by name: the only door to LMDB for the other files of this room. Keys are written with
// struct key, values are checked by hash. What is read stays valid until the next write in the
// transaction, or its end.

#include "storage/key.h"
#include "storage/store.h"

enum table {
    TABLE_META,
    TABLE_COMMUNITY,
    TABLE_ENTRY,
    TABLE_BODY,
    TABLE_CHAIN,
    TABLE_RUN,
    TABLE_TREE,
    TABLE_DEVICE,
    TABLE_CONTACT,
    TABLE_LIVE,
    TABLE_COVER,
    TABLE_ABOUT,
    TABLE_APART,
    TABLE_INVITATION,
    TABLE_TOKEN,
    TABLE_SECRET,
    TABLE_PROGRESS,
    TABLE_NAME,
    TABLE_ROLE,
    TABLE_QUOTA,
    TABLE_ERASED,
    TABLE_CLOSED,
    TABLE_KEEP,
    TABLE_EVIDENCE,
    TABLE_CARRY,
    TABLE_DROPPED,
    TABLE_STANCE,
    TABLE_HEARD,
    TABLE_LINK,
    TABLE_SUM,
    TABLE_ORDER,
    TABLE_COUNTS, // count
    TABLE_COUNT,
};

// ERR_NOT_FOUND does not stick to the transaction; ERR_DAMAGED of a value does not either (that of
// the database's own pages does). Where a neighbour is damaged ERR_DAMAGED says that what is not
// there may have been.
enum err table_get(struct txn *txn, enum table table, struct bytes key,
                   struct bytes *value) must_check;
// Errors stick. Key and value may be borrowed from this transaction; at most 1 MiB of value.
void table_put(struct txn *txn, enum table table, struct bytes key, struct bytes value);
// The same, and fast when the key is greater than all others in the table.
void table_append(struct txn *txn, enum table table, struct bytes key, struct bytes value);
// Absent is fine.
void table_delete(struct txn *txn, enum table table, struct bytes key);

// Walks the keys that begin with `prefix`, from `from` on (the prefix itself when it is empty). The
// transaction may be written to meanwhile: the walk goes on behind the last key that it gave. Ended
// before its transaction is.
struct walk {
    void *cursor;
    struct txn *txn;
    enum table table;
    struct key prefix;
    struct key from;
    bool started;
    bool given;  // a row
    bool astray; // rows may be missing
    bool told;   // of that
    bool ended;
    uint64_t writes; // of the transaction, when the place was found
    struct bytes key;
    struct bytes value;
    enum err err; // ERR_DAMAGED: this value is, or (with an empty key) rows may be missing here
};

void walk_begin(struct walk *walk, struct txn *txn, enum table table, struct bytes prefix,
                struct bytes from);
// False at the end and after an error of the transaction.
bool walk_next(struct walk *walk) must_check;
void walk_end(struct walk *walk);
// The last key with the prefix that is not greater than `upto`. False when there is none and after
// an error of the transaction. A damaged value is given as one without any bytes (p is NULL).
bool table_last(struct txn *txn, enum table table, struct bytes prefix, struct bytes upto,
                struct key *key, struct bytes *value) must_check;

#define WALK_CLEANUP __attribute__((cleanup(walk_end)))
