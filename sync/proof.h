#pragma once

// The device's checks of its hub: that the log it is shown goes on from the one it saw, that its
// own changes stand in it, and that others' changes are as their authors signed them
// (docs/protocol.md section 5). Errors stick to the transaction; what is wrong with a log is an
// alarm, not an error: the sync goes on, and the alarm stays until somebody acknowledges it.

#include "base/arena.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/log.h"

// What the request said was seen, so that an answer that was overtaken by another is passed over.
struct proof_asked {
    uint8_t log[HANDLE_SIZE];
    uint64_t size;
    uint32_t receipt; // own changes that had a receipt then
};

struct proof_report {
    bool checked; // a head was checked and found sound
    uint64_t from;
    uint64_t to;
    uint32_t own; // own changes that were found in it
    enum alarm alarm;
};

// What to say in the next request. NULL: what the cursor says is right.
enum err proof_request(struct txn *txn, uint32_t community, const struct cursor *cursor,
                       struct arena *arena, struct log_head **seen,
                       struct proof_asked *asked) must_check;
// Checks the top of a whole answer, once its receipts and pieces are taken in (write transaction).
// response may lack pieces and receipts. receipt: up to which own seq this answer gave receipts (0:
// it gave none). now: ms since 1970 UTC.
enum err proof_check_answer(struct txn *txn, const struct community *community,
                            const struct device *own, const struct proof_asked *asked,
                            const struct sync_response *response, uint32_t receipt, int64_t now,
                            struct proof_report *report) must_check;

// A change of somebody else, drawn by this number, that is here with its envelope: what a sample
// asks for. ERR_NOT_FOUND when there is none.
enum err proof_draw(struct txn *txn, const struct community *community, const struct device *own,
                    uint64_t number, uint8_t device[HANDLE_SIZE], uint32_t *seq) must_check;
// Checks Prove's answer for that change against what is here and the head that was checked (write
// transaction). proved: whether it holds; else an alarm is raised, unless the change was erased or
// the log has gone on in a way that only a Sync can check.
enum err proof_check_change(struct txn *txn, const struct community *community,
                            const uint8_t device[HANDLE_SIZE], uint32_t seq,
                            const struct prove_response *response, int64_t now,
                            bool *proved) must_check;
