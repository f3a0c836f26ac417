#pragma once

// What the hub's own chain has decided, one thing at a time and without words: for the log of what
// was done, and for whoever asks later. Read transactions; any thread.

#include "storage/community.h"
#include "storage/device.h"
#include "storage/record.h"

enum decision_what {
    DECISION_FOUNDED,
    DECISION_ENROLLED,
    DECISION_ROLE,
    DECISION_REVOKED,
    DECISION_SET_APART,
    DECISION_FORK,
    DECISION_ERASED,
    DECISION_CLOSED,
    DECISION_COUNT,
};

struct decision {
    enum decision_what what;
    uint32_t seq; // of the hub's chain
    int64_t time; // ms since 1970 UTC
    bool withdraws;
    uint32_t withdrawn; // the seq by which was decided what is withdrawn now
    bool has_device;
    uint8_t device[HANDLE_SIZE]; // whom it concerns
    uint32_t role;               // enrolled, role
    uint32_t from;               // role, revoked: from this seq on
    uint32_t change;             // set apart, fork, erased: the change's seq
    uint32_t reason;             // set apart
    struct record_key closed;
    struct record_key asked; // in which record somebody asked for it; kind 0: nobody did
    uint64_t position;       // in the log
};

// Tells all that the seq-th change of the hub's chain decides, until `each` returns false; what a
// later version decides is passed over.
enum err decisions_read(struct txn *txn, const struct community *community, uint32_t seq,
                        bool (*each)(const struct decision *decision, void *arg),
                        void *arg) must_check;
// When it was decided.
enum err decisions_time(struct txn *txn, const struct community *community, uint32_t seq,
                        int64_t *time) must_check;

// "set apart"
const char *decision_name(enum decision_what what);
// Of enum reason: "the role does not allow it".
const char *decision_reason(uint32_t reason);

// Finds which device asked, by the change of that record that stands before the decision. False:
// nobody asked, or it is not found within *reads entries of the log, which are counted down.
bool decisions_asker(struct txn *txn, const struct community *community,
                     const struct decision *decision, uint32_t *reads,
                     uint8_t handle[HANDLE_SIZE]) must_check;
