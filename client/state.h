#pragma once

// What a struct folkmoot is inside, and what every file of the client library begins with: the
// chosen community, a transaction, an error for people. One thread at a time.

#include "base/arena.h"
#include "client/folkmoot.h"
#include "storage/community.h"
#include "storage/device.h"

struct titles;

// How many bytes of changes a request carries and how many its answer may have; grows with success.
struct sizes {
    uint32_t push;
    uint32_t answer;
};

struct folkmoot {
    struct store *store;
    char *path;
    struct folkmoot_host host;
    struct txn *batch;  // between folkmoot_begin and folkmoot_end; NULL: none
    bool suspect;       // a commit failed: the store has to be opened anew
    uint32_t chosen;    // number of the community; 0: none
    bool damaged;       // there may be one that cannot be read
    uint32_t known_key; // the community whose handle is kept below; 0: none
    uint8_t handle[HANDLE_SIZE];
    struct titles *titles; // NULL: not read yet
    struct sizes sizes;
};

// A transaction and what it is about. `own` is false where it belongs to a batch.
struct scope {
    struct txn *txn;
    bool own;
    bool write;
    struct community community;
    struct secret secret;
    struct device device;
};

// Empties an error, which may be NULL.
void state_clear(struct folkmoot_error *error);
// Fills `error`, which may be NULL, and returns the code.
enum folkmoot_code state_fail(struct folkmoot_error *error, enum folkmoot_code code,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));
// The same from an err and, where it has words, its fault (NULL: none). The caller's own faults are
// FOLKMOOT_INVALID.
enum folkmoot_code state_fail_err(struct folkmoot_error *error, enum err err,
                                  const struct fault *fault);

// Where no community is chosen: none has been joined, or those that were cannot be read.
enum folkmoot_code state_fail_none(const struct folkmoot *fm, struct folkmoot_error *error);
// Opens a transaction about a community (0: the chosen one) and reads its row, its secret and this
// device's own row; inside a batch it is the batch's. Ended by state_end in any case but failure.
enum folkmoot_code state_begin(struct folkmoot *fm, uint32_t number, bool write,
                               struct scope *scope, struct folkmoot_error *error);
// Ends it: commits where commit is true and it is a writing one of its own. A batch stays open.
enum folkmoot_code state_end(struct folkmoot *fm, struct scope *scope, bool commit,
                             struct folkmoot_error *error);
// Opens a bare transaction: for what is not about one community. Not inside a batch when it writes.
struct txn *state_txn(struct folkmoot *fm, bool write);
enum folkmoot_code state_commit(struct folkmoot *fm, struct txn **txn,
                                struct folkmoot_error *error);

int64_t state_now(const struct folkmoot *fm);
void state_random(const struct folkmoot *fm, void *out, size_t n);

// Whether the hub has admitted this device, or once had, under an earlier key: only then a
// community counts as joined.
bool state_is_joined(const struct community *community, const struct secret *secret);
