#pragma once

// A small world in one process: a hub and some devices, each with a store of its own in a folder in
// memory, where there is one. Every step is a function call; the dice decide the rest. Whatever
// cannot fail in a sound world ends the program with a sentence.

#include "storage/community.h"
#include "storage/device.h"
#include "storage/log.h"
#include "storage/record.h"
#include "sync/exchange.h"
#include "sync/hub.h"
#include "tests/sync/dice.h"

enum { WORLD_DEVICES_MAX = 8, WORLD_PATH_MAX = 512, WORLD_ARENA_MAX = 256 << 20 };

struct world_device {
    struct store *store;
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t token[TOKEN_SIZE];
    uint8_t handle[HANDLE_SIZE];
    uint8_t first[HANDLE_SIZE]; // whose person it speaks as, as the hub said; zeros: its own
    uint32_t community;         // its number in this store
    enum role role;
    int64_t skew;                // of its clock, ms
    struct proof_asked asked;    // by its last request
    struct proof_report checked; // of its last whole answer
    enum alarm alarm;            // the last that was raised
};

struct world {
    char folder[WORLD_PATH_MAX];
    struct store *hub;
    uint32_t community; // its number in the hub's store
    uint8_t id[COMMUNITY_SIZE];
    uint8_t identity_seed[SIGN_SEED_SIZE];
    uint8_t identity_key[KEY_SIZE];
    uint8_t challenge_secret[32];
    struct world_device devices[WORLD_DEVICES_MAX];
    size_t devices_n;
    int64_t now;
    struct dice dice;
    bool may_alarm; // the hub deceives, or was restored
};

// Ends the program with a sentence.
_Noreturn void world_end(const char *what);
// Does so unless `good`.
static inline void world_must(bool good, const char *what)
{
    if (!good)
        world_end(what);
}

// Makes the folder and the stores, with nobody in them yet.
void world_open(struct world *world, size_t devices);
void world_close(struct world *world);
// Founds a new community in the same stores, and enrols every device: the first as coordinator, the
// others as volunteers. From here on the seed decides.
void world_begin(struct world *world, uint64_t seed);

// Enrols one more device with a store of its own. Returns its index.
size_t world_join(struct world *world, enum role role);
// Gives an installed device its community, its keys and its place among the enrolled.
void world_enrol(struct world *world, size_t index, enum role role);
// Enrols a device by another invitation under the key that it has: a restored hub forgot it.
void world_enrol_again(struct world *world, size_t index, enum role role);
// Enrols a device anew, under another key, in the store that it has; the old key vouches for it.
void world_rejoin(struct world *world, size_t index, enum role role);
// Opens the hub's store anew from a copy that world_save_hub made.
void world_save_hub(struct world *world, const char *name);
void world_restore_hub(struct world *world, const char *name);
// The same, and the hub knows it: its chain begins anew, and what must stay erased is erased again.
void world_restore_hub_anew(struct world *world, const char *name);
// Copies a device with its keys and its store: a cloned phone. Returns the copy's index.
size_t world_clone(struct world *world, size_t device);

// The community and the device itself, as its store has them now.
void world_self(struct txn *txn, const struct world_device *device, struct community *community,
                struct device *own);
struct hub_caller world_caller(struct world *world, size_t device);
uint64_t world_log_size(struct world *world);

// Decides on the hub: begins a transaction of its own, and commits what `decide` did.
void world_decide(struct world *world, enum err (*decide)(struct hub_decider *, void *), void *arg);

// What a device wrote: enough to know it again. The bytes live in the arena of whoever asked.
struct world_change {
    uint32_t seq;
    uint32_t tag;
    uint8_t salt[SALT_SIZE];
    struct record_key record;
};

// Writes a change as an app would. The error is author_write's.
enum err world_write(struct world *world, size_t index, const struct envelope *envelope,
                     struct bytes fields, struct world_change *change) must_check;
// Writes a change as a broken or hostile app would: nothing is checked.
void world_write_raw(struct world *world, size_t index, struct bytes envelope, struct bytes fields,
                     struct world_change *change);

// Appends all tables of a store to `out`, so that two states of it may be compared byte by byte.
void world_dump(struct store *store, struct buf *out);
// The same for the tables that the merge keeps: live edits, covers, what is set apart.
void world_dump_merge(struct txn *txn, struct buf *out);
