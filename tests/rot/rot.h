#pragma once

// Bit rot: a small town of one hub and some phones, damage to one file of it, and whether every
// answer is then the one that the sound town gave, or says that something is damaged.

#include "base/hash.h"
#include "tests/client/world.h"

enum { ROT_PATH_MAX = 512, ROT_FILES_MAX = 32, ROT_TABLES_MAX = 32 };

// --- the town (town.c) ---

struct town {
    struct world world;
    char now[ROT_PATH_MAX]; // folders "hub" and "phone", closed
    char old[ROT_PATH_MAX]; // the same at an earlier time
    char here[ROT_PATH_MAX];
    struct folkmoot_request asked; // a phone's next request to Sync, with a push
    struct folkmoot_session *asking;
    uint8_t token[TOKEN_SIZE]; // of the coordinator's phone
    int64_t hub_now;
};

// Makes it in a new folder below `base`.
void town_make(struct town *town, const char *base);
void town_remove(struct town *town);

// A device's host, whose time and randomness are always the same.
struct folkmoot_host town_host(uint64_t *drawn);

// --- answers (answers.c) ---

// In the order in which they are asked for: the same for every copy of a town.
struct answer {
    char name[48];
    bool is_named; // an error that says what is damaged, or a mark that something is
    uint8_t hash[HASH_SIZE];
};

enum { ANSWERS_MAX = 1000 };

struct answers {
    struct answer all[ANSWERS_MAX];
    size_t n;
    size_t sync;    // which one was that to a sync; what is asked after was asked just before, too
    const char *of; // what all that is asked now is about
};

// Adds one that was given; is_named: it says itself that something of it is damaged.
void answers_add(struct answers *answers, const char *name, struct bytes given, bool is_named);
void answers_sync_was_last(struct answers *answers);
void answers_add_err(struct answers *answers, const char *name, enum err err);
void answers_add_code(struct answers *answers, const char *name, enum folkmoot_code code);

// --- what is asked (ask_hub.c, ask_phone.c) ---

// known: the records that the sound hub or phone has.
struct known {
    struct record_key records[200];
    size_t n;
};

void known_of_store(struct known *known, const char *path);
// In a process of its own. The stores in `path` are opened, and closed.
void ask_hub(struct town *town, const char *path, const struct known *known,
             struct answers *answers);
void ask_phone(struct town *town, const char *path, const char *hub, const struct known *known,
               struct answers *answers);

// --- damage (harm.c) ---

enum harm { HARM_BIT, HARM_ZEROS, HARM_SWAP, HARM_CUT, HARM_OLD_PAGE, HARMS };

extern const char *const harm_names[HARMS];

struct files {
    char names[ROT_FILES_MAX][128]; // below the folder
    size_t n;
};

// Every file below the folder, in the order of names.
void files_list(struct files *files, const char *folder);
void files_copy(const char *from, const char *to);
// The caller frees it.
uint8_t *file_read_all(const char *folder, const char *name, size_t *n);
void file_write_all(const char *folder, const char *name, const uint8_t *p, size_t n);
// Damages a file of `folder` as `dice` say; old: where an earlier copy of it may be. False when
// nothing was changed.
bool harm_do(enum harm harm, const char *folder, const char *old, const char *file, uint64_t *dice,
             char *said, size_t size);
uint64_t dice_next(uint64_t *dice);

// --- verifying (scrub.c) ---

#define SCRUB_FAILED (UINT64_C(1) << 63) // it could not be read: that names damage, too

// Of which tables verifying a hub's store says that something is wrong: bits as below. In a process
// of its own.
void scrub_hub(const char *path, uint64_t *told);

// --- rows (rows.c) ---

// Tables of which sound rows are missing, or have come from elsewhere, so that no single row shows
// it: bits in the order of names. In a process of its own.
struct rows;
struct rows *rows_read(const char *path);
void rows_free(struct rows **rows);
void rows_lost(const struct rows *sound, const char *path, uint64_t *lost);
const char *rows_table_name(unsigned i);
// Flips the lowest bit of the middle of some row's value in this table, as LMDB's file has it.
// False: the table has no row. LMDB must not have it open.
bool rows_flip(const char *path, unsigned table, uint64_t *dice);
