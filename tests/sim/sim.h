#pragma once

// A world of one hub and many devices in one process, in which a seed decides everything: who says
// what, which line fails how, which process dies at which of its storage operations, which phone is
// copied, restored, revoked, which clock is wrong. The devices are libfolkmoot over stores of their
// own, the hub is that of sync/hub.h. What must hold is checked after every step. A broken promise
// ends the program with a sentence and the command that shows it again.

#include "tests/client/hub_double.h"
#include "tests/sim/registry.h"
#include "tests/sync/dice.h"

enum {
    SIM_DEVICES_MAX = 16,
    SIM_PATH_MAX = 160,
    SIM_POND_MAX = 32,
    SIM_LETTERS_MAX = 24,
    SIM_PERSONS = 8
};

struct sim_options {
    uint64_t seed;
    size_t steps;
    const uint8_t *skips; // one byte a step: whether it is left out; NULL: none is
    bool is_told;         // each step is printed
    const char *kept;     // a folder that is made for the world and stays; NULL: nothing stays
};

struct sim_device {
    struct folkmoot *fm;
    char path[SIM_PATH_MAX];
    enum role role;
    int64_t skew; // of its clock against the world's, ms
    uint64_t seed;
    uint64_t drawn;
    struct sim *sim;
    struct folkmoot_session *session; // under way; NULL: none
    char saved[SIM_PATH_MAX];         // an old copy of its store; "": none
    size_t cut_off_until;             // the step; before it there is no line
    uint8_t handle[HANDLE_SIZE];      // of its present key
    uint32_t noted;                   // own changes up to here are in the registry
    bool is_joined;
    bool is_copy;  // of another, or restored: somebody else may go on with its chain
    bool has_twin; // another had the same key, or this one earlier
    bool is_revoked;
    bool was_revoked; // ever
    bool login_late;  // an old login has arrived while its session went on: its token may be void
    bool had_other;   // handles before: what is personal and was its own is no more
    bool is_settled;  // its last session ended well: it holds what the hub held then
    // Of the rounds that a restored hub needs: of its session, and the last that it has done.
    unsigned session_round;
    unsigned round;
};

// A request that is still somewhere on the way.
struct drop {
    char path[64];
    char token[64];
    bool has_token;
    struct buf body;
};

// A letter that somebody carries about, or an answer.
struct sim_letter {
    uint8_t *p;
    size_t n;
    struct sim_device *author;
    bool is_answer;
};

// An entry of the hub's log.
struct placed {
    size_t written; // index in the registry
    bool again;
};

struct sim {
    struct sim_options options;
    char folder[SIM_PATH_MAX / 2];
    struct hub_double *hub;
    char hub_path[SIM_PATH_MAX];
    uint32_t community; // its number in the hub's store
    struct sim_device devices[SIM_DEVICES_MAX];
    size_t n;
    unsigned copies;  // folders made so far
    struct dice dice; // of this step
    size_t step;
    bool is_calm;         // no more faults
    bool restores;        // a world in which the hub is restored; its phones are not, nor revoked
    unsigned round;       // of syncs; each restored hub needs two; 0: none was restored
    unsigned rounds_left; // after this one, until it is whole
    char hub_saved[SIM_PATH_MAX]; // a backup of the hub's store; "": none
    size_t saved_log_n;           // how long its log was then
    int64_t now;
    struct registry registry;
    struct placed *log;
    size_t log_n;
    size_t log_cap;
    struct drop pond[SIM_POND_MAX];
    size_t pond_n;
    bool has_letters; // a world in which letters are carried about
    struct sim_letter letters[SIM_LETTERS_MAX];
    size_t letters_n;
    struct hash trace;
    unsigned said; // things said so far, so that each is unlike any other
    // counted
    uint64_t syncs;
    uint64_t deaths;
    uint64_t checks;
    uint64_t records; // compared with the model
};

// Runs a whole world. digest: of all that happened, HASH_SIZE.
void sim_run(const struct sim_options *options, struct sim *sim, uint8_t digest[HASH_SIZE]);

// Ends the program.
_Noreturn void sim_fail(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define sim_must(sim, condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sim_fail((sim), __VA_ARGS__);                                                          \
    } while (0)
// Tells of a step, and adds it to the trace.
void sim_tell(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

// --- device.c ---

static inline bool device_is_dubious(const struct sim_device *device)
{
    return device->is_copy || device->is_revoked;
}

void device_start(struct sim *sim, struct sim_device *device);
// Ends it as it stands, as a process that dies does, and starts it again.
void device_restart(struct sim *sim, struct sim_device *device);
void device_stop(struct sim_device *device);
// Another device with a copy of its store. NULL: there is no room for one more.
struct sim_device *device_copy(struct sim *sim, struct sim_device *device);
void device_save(struct sim *sim, struct sim_device *device);
void device_restore(struct sim *sim, struct sim_device *device);
// Puts into the registry what it has written since.
void device_note(struct sim *sim, struct sim_device *device);
struct folkmoot_community device_community(struct sim *sim, struct sim_device *device);
void sim_copy_folder(const char *from, const char *to);

// --- line.c ---

// Goes on with the session by one request, or by as many as it takes.
void line_turn(struct sim *sim, struct sim_device *device, bool whole);
// Joins by a new invitation, on a good line.
void line_join(struct sim *sim, struct sim_device *device);
// Something that was on its way arrives after all.
void line_late(struct sim *sim);
// Ends the hub's process and starts it again.
void hub_restart(struct sim *sim);
void line_done(struct sim *sim);

// A process may die within the next operations, unless all is calm.
void line_arm(struct sim *sim);

// --- post.c ---

// Writes a letter on a device, or has one delivered by it, or an answer read by its author.
void post_something(struct sim *sim, struct sim_device *device);
void post_done(struct sim *sim);

// --- work.c ---

// Says, changes, joins, takes back or erases something on a device.
void work_something(struct sim *sim, struct sim_device *device);
// Writes what a broken or hostile app might.
enum folkmoot_code work_lie(struct sim *sim, struct sim_device *device);
// Something that an administrator does on the hub.
void work_as_admin(struct sim *sim);

// --- restore.c ---

// Backs the hub up, or goes back to the backup.
void restore_something(struct sim *sim);
// Verifies the hub's store, and a copy that goes through a backup.
void check_store(struct sim *sim);

// --- check.c ---

// Takes in what the hub's log has grown by.
void check_log(struct sim *sim);
// Decisions about changes, of the first entries of the hub's log.
struct fate {
    const struct written *decision;
    uint32_t index; // of the edit
    bool erases;    // else it refuses
    struct change_ref of;
};

struct fates {
    struct arena arena;
    struct fate *p;
    size_t n;
};

void fates_init(struct sim *sim, struct fates *fates, size_t upto);
void fates_done(struct fates *fates);
bool fates_erased(const struct fates *fates, const struct written *written);
bool fates_refused(const struct fates *fates, const struct written *written);

// What a device may rely on, after something happened on it.
void check_device(struct sim *sim, struct sim_device *device);
// All of it, once nothing is on its way any more.
void check_all(struct sim *sim);
