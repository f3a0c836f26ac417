#pragma once

// The one header of exchange*.c. The device's side of Sync: (transaction, now …) -> request, and
// taking in the answer piece by piece. Every step is committed by its caller and may be repeated;
// the next request goes on from what is stored.

#include "base/arena.h"
#include "storage/community.h"
#include "storage/device.h"
#include "sync/proof.h"

struct exchange_options {
    uint32_t push_max;   // bytes of changes to push at most (unpacked)
    uint32_t answer_max; // bytes of entries wanted at most
};

// What to send next. Runs are signed here with `seed`. Everything lives in the arena (or in the
// transaction, which must outlive the encoding). asked: for proof_check_answer.
enum err exchange_request(struct txn *txn, const struct community *community,
                          const struct device *own, const uint8_t seed[32],
                          const struct exchange_options *options, struct arena *arena,
                          struct sync_request *request, struct proof_asked *asked) must_check;
// The same for a letter: what may have been sent is sent again, as long as no receipt has come.
// last: up to which own change it pushes; 0: it pushes nothing.
enum err exchange_letter(struct txn *txn, const struct community *community,
                         const struct device *own, const uint8_t seed[32],
                         const struct exchange_options *options, struct arena *arena,
                         struct sync_request *request, struct proof_asked *asked,
                         uint32_t *last) must_check;

// Notes that a request with a push is about to be sent (write transaction, to be committed before
// it is): until an answer has come, the next request asks what the hub has instead of sending it
// again.
// sent == false: that it could not be sent after all.
void exchange_note_sent(struct txn *txn, const struct community *community, bool sent);

struct exchange_report {
    uint32_t pushed;  // own changes that became durable
    uint32_t pulled;  // changes taken in
    uint32_t apart;   // own changes that were set apart
    uint32_t receipt; // the last own seq that a receipt named
    uint32_t end;     // of the chain on the hub, as a receipt told; 0: none came
    bool parted;      // what the request had of the own chain is not on the hub
    bool gap;         // the hub lacks changes before those that were sent
    bool forked;      // the hub holds another branch of this chain: enrol anew
    bool more;        // another request is due
    bool advanced;    // the cursor moved on
};

// Takes in one part of an answer (write transaction): a receipt, a piece, or what stands at the
// top. Reports add up in `report`.
enum err exchange_take_receipt(struct txn *txn, struct community *community,
                               const struct device *own, const struct receipt *receipt,
                               struct exchange_report *report) must_check;
// ERR_MALFORMED with a fault when the piece is not sound; nothing of it is kept then.
enum err exchange_take_piece(struct txn *txn, struct community *community, const struct device *own,
                             const struct piece *piece, struct arena *arena,
                             struct exchange_report *report, struct fault *fault) must_check;
// The top of the response: log head, view, whether the cursor was lost. `response` may lack pieces
// and receipts. Call it before the pieces (so that they know the log).
enum err exchange_take_top(struct txn *txn, struct community *community, const struct device *own,
                           const struct sync_response *response,
                           struct exchange_report *report) must_check;
// How many own changes have no receipt yet.
uint32_t exchange_unsent(struct txn *txn, const struct community *community,
                         const struct device *own);
// How much of a forked chain is on the hub? Asks about the own change `seq`, and for nothing else:
// `report` tells by `parted` and `end`. Memory as in exchange_request.
enum err exchange_probe(struct txn *txn, const struct community *community,
                        const struct device *own, uint32_t seq, struct arena *arena,
                        struct sync_request *request) must_check;
// Notes that the hub has the own chain up to `seq`, as probes told.
void exchange_confirm(struct txn *txn, const struct community *community, uint32_t seq);
