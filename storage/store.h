#pragma once

// The LMDB environment of a hub or a device, and its transactions. A transaction keeps its first
// error: after it every call does nothing and answers with it, so that a caller may check once, at
// the commit. Values are checked against their hash when they are read (docs/disk-format.md).
//
// A store may be used by several threads; a transaction belongs to the thread that began it. Write
// transactions wait for each other. A read transaction is a short thing: while it is open, pages
// are not reused.

#include "base/buf.h"
#include "base/hash.h"
#include "proto/messages.h"

struct store;
struct txn;

struct store_options {
    size_t map_size; // bytes that the database may grow to; 0: 1 GiB (64-bit machines: 16 GiB)
    bool read_only;
    bool keeps_orders; // a hub: what is erased and closed is noted beside the database, too
    // Makes the keys of bodies; NULL: the system's randomness. It must not fail.
    void (*random)(void *arg, void *out, size_t n);
    void *random_arg;
};

// Opens the directory `path`, creating it with its database when it is absent (and its parent is
// there). `options` may be NULL; `store` is untouched when it fails. ERR_VERSION when a newer
// version made it, ERR_DAMAGED when it is none, ERR_WRONG_STATE when it is open in this process
// already, ERR_NOT_FOUND when it is to be read only and absent.
enum err store_open(const char *path, const struct store_options *options, struct store **store,
                    struct fault *fault) must_check;
void store_close(struct store **store);

// What was decided and may not be forgotten, as the file beside the database remembers it: a backup
// that is restored may be from before.
enum order_what {
    ORDER_ERASURE,
    ORDER_CLOSING,       // of a record with all that hangs on it
    ORDER_CLOSING_ALONE, // of a record
    ORDER_ROLE,          // which a device has from a change on
    ORDER_REVOCATION,    // of a device from a change on, or (role 0) the end of all of them
};

struct store_order {
    enum order_what what;
    bool is_new; // not known to the database: this is an older copy, or a crash came between
    uint8_t community[COMMUNITY_SIZE];
    uint8_t handle[HANDLE_SIZE]; // of whose change, or of whom
    uint32_t seq;
    uint32_t tag;                 // of an erasure
    uint32_t role;                // of ORDER_ROLE; of ORDER_REVOCATION, whether it is one
    uint8_t body_hash[HASH_SIZE]; // of an erasure; zeros: not known
    uint32_t kind;                // of a closing
    uint8_t id[ID_SIZE];
};

// Gives every sound order, until `each` returns false; ERR_DAMAGED at the end when one was not.
enum err store_orders_each(struct store *store, bool (*each)(const struct store_order *, void *),
                           void *arg) must_check;
// Notes in the database (write transaction) that it knows all that is in the file. False: it did.
bool store_orders_known(struct txn *txn);
// Where the file is not the one that the database knows of (it was lost, and another begun), it
// knows none of it.
void store_orders_lost(struct txn *txn);
// Frees the slots of readers that died; to be called now and then.
void store_check_readers(struct store *store);
// Bytes of the database in use, and the bytes that it may grow to. Takes a short read transaction.
void store_size(struct store *store, uint64_t *used, uint64_t *max);

// Never NULL: a transaction that could not begin carries its error. ERR_BUSY: too many readers at
// once. ERR_WRONG_STATE: a write in a store opened to be read. ERR_IO: a commit failed before.
struct txn *txn_begin_read(struct store *store);
struct txn *txn_begin_write(struct store *store);
enum err txn_error(const struct txn *txn) must_check;
// Records an error unless one is recorded already; returns the recorded one.
enum err txn_fail(struct txn *txn, enum err err);
// Whether there is an error. What memory refused is recorded: nothing is built on what was left out
// for that.
bool txn_failed(struct txn *txn, enum err err);
// How often something damaged was met, which answers pass over so that the others can be given:
// when it has grown, what was read meanwhile may lack something.
uint64_t txn_damage(const struct txn *txn);
// Notes that something was; returns ERR_DAMAGED, which does not stick, or the error that is
// recorded already: after it, what seems damaged may be sound.
enum err txn_damaged(struct txn *txn);
// What was met since it was `damage` does not matter.
void txn_forgive(struct txn *txn, uint64_t damage);
// What is still to be written once all else is, just before a commit. `settle` is called there,
// unless the transaction has an error; `done` at the end of the transaction in any case.
struct txn_rider {
    void (*settle)(struct txn *txn, void *arg);
    void (*done)(void *arg);
};

// A transaction has one rider at most. False when this cannot have any, and `done` is not called.
bool txn_ride(struct txn *txn, const struct txn_rider *rider, void *arg) must_check;
// Its arg; NULL when it has none.
void *txn_riding(const struct txn *txn, const struct txn_rider *rider);
// Ends the transaction; of one that carries an error, nothing is written. After an error of the
// commit itself (ERR_IO, ERR_FULL) it is not known whether it took place: the store has to be
// opened anew, and where the doubt is real, no transaction begins before that.
enum err txn_commit(struct txn **txn) must_check;
void txn_abort(struct txn **txn);

#define TXN_CLEANUP __attribute__((cleanup(txn_abort)))
