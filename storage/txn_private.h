#pragma once

// Private to store.c, create.c and table.c: what stands behind struct store and struct txn, and the
// translation of LMDB's results.

#include <lmdb.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/buf.h"
#include "storage/packed.h"
#include "storage/seal.h"
#include "storage/table.h"

enum { FORMAT_VERSION = 4, FORMAT_BEFORE_COUNTS = 3 };

#define FORMAT_KEY "format"
// The last commit, as LMDB counts them, and how many orders are in the file beside the database.
#define COMMIT_KEY "commit"
#define ORDERS_KEY "orders"
// This and a number: the counts of that community are to be made anew.
#define RECOUNT_PREFIX "recount"

// Bodies that may be borrowed from a transaction at the same time.
enum { TXN_BODIES = 4 };

struct store {
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    size_t page_size;
    bool read_only;
    bool keeps_orders;
    const char *path; // of the directory; its own memory but while it is made
    struct seal *seal;
    atomic_bool broken; // a commit failed in a way that leaves its outcome unknown
    dev_t device;       // of the directory, so that it is not opened twice in this process
    ino_t inode;
    struct store *next;
};

struct txn {
    struct store *store;
    MDB_txn *mdb; // NULL when it could not begin
    enum err err; // the first one
    bool write;
    uint64_t writes; // counted, so that a walk knows when its place may have moved
    unsigned walks;  // that are open
    uint64_t damage; // how often some was met
    struct buf scratch;
    struct buf bodies[TXN_BODIES]; // the last ones that were opened, in turn
    unsigned bodies_n;
    struct packer packer;
    struct buf destroyed; // community (4) and position (8) of bodies whose keys go at the commit
    struct buf orders;    // to be noted before it
    const struct txn_rider *rider;
    void *rider_arg;
};

// The error that a result of LMDB (0, its own codes, errno) means.
enum err txn_err_of(int result);
// Names of the tables in the environment, by enum table.
const char *txn_table_name(enum table table);

// How many orders the database knows of, and whether the file beside it has them.
enum err txn_orders(struct txn *txn, uint64_t *n, bool *fits) must_check;
// A number in the table meta; 0 where there is none.
enum err txn_number(struct txn *txn, const char *name, uint64_t *number) must_check;

// Makes an LMDB environment with the settings that all of ours have, not yet opened.
enum err txn_env_new(size_t map_size, MDB_env **env, struct fault *fault) must_check;
// Opens it at the directory `path`. The caller closes it in any case.
enum err txn_env_open(MDB_env *env, const char *path, unsigned flags,
                      struct fault *fault) must_check;
