#pragma once

// What the hub_*.c family shares.

#include "sync/hub.h"
#include "sync/mask.h"

// The hub's own device and secret in a community.
enum err hub_own_device(struct txn *txn, const struct community *community, struct device *hub,
                        struct secret *secret) must_check;
// The log's head at a size, signed with the hub's chain key. kept: where the signature may be from,
// and goes to; NULL: nowhere.
enum err hub_sign_head(struct txn *txn, const struct community *community, uint64_t size,
                       struct kept *kept, struct arena *arena, struct log_head *head,
                       struct bytes *signature) must_check;
// How the log grew from `from` entries on, without the device's own; to: as far as fits one answer.
enum err hub_grow(struct txn *txn, const struct community *community, const struct device *device,
                  uint64_t from, struct arena *arena, struct growth *growth,
                  uint64_t *to) must_check;
// Writes a Decision with these fields to the hub's chain, signed. asked: the record in which
// somebody asked for it (NULL: the admin).
enum err hub_decide(struct hub_decider *decider, const struct record_key *asked,
                    struct bytes fields) must_check;
// The same, going over an earlier decision's edit.
enum err hub_withdraw(struct hub_decider *decider, const struct record_key *asked,
                      const struct decided *decided) must_check;

enum { ASKED_MAX = 64 };

// Fields of a Decision under construction: as many edits as fit one change, then the next.
struct hub_edits {
    struct hub_decider *decider;
    struct list asked; // struct record_key: the records in which somebody asked; at most ASKED_MAX
    struct buf fields;
    size_t n;
    enum err err; // the first; sticks
};

// Adds one edit, a message under a field's number, deciding what is full before.
void hub_edits_put(struct hub_edits *edits, uint32_t field, const struct message *message,
                   const void *in);
// Decides what is left, and frees. Answers with the first error.
enum err hub_edits_end(struct hub_edits *edits) must_check;

// Erases those of the whole changes at these positions that are about closed records or of closed
// persons.
enum err hub_erase_arrived(struct hub_decider *decider, const uint64_t *positions,
                           size_t n) must_check;
// What changes ask of the hub. What they want erased is gathered, so that the log is read once for
// all of it.
struct hub_acting {
    struct hub_decider *decider;
    struct arena arena; // of what is gathered
    struct buf asked;   // struct record_key: the Requests
    struct buf changes; // struct change_ref
    struct buf records; // struct ref
    bool everybodys;
    uint8_t by[HANDLE_SIZE];
};

void hub_act_begin(struct hub_acting *acting, struct hub_decider *decider);
// Does what a change asks of the hub (a Membership or a Request), as far as the asker may. What
// cannot be done is left; only the environment's failures are errors.
enum err hub_act(struct hub_acting *acting, const struct device *asker,
                 const struct record_key *record, struct bytes fields) must_check;
// Erases what is still to be erased, unless err says that it has come to nothing, and frees.
// Answers with the first error.
enum err hub_act_end(struct hub_acting *acting, enum err err) must_check;

// Whether the caller is given only what is for an audience, masked; and by what mask.
bool hub_is_observer(const struct hub_caller *caller);
struct mask hub_mask(const struct hub_caller *caller);
// The record as this caller is given it, if it is about `about` (NULL: whatever). voices: how many
// were counted, in any case.
enum err hub_look(struct txn *txn, const struct hub_caller *caller, const struct record_key *record,
                  const struct record_key *about, struct arena *arena, struct record_view *view,
                  size_t *voices) must_check;
// Names the log as it is, in the arena.
enum err hub_name_log(struct txn *txn, const struct community *community, struct arena *arena,
                      struct log_head **log, struct fault *fault) must_check;
// The answer's room is used up, and not the machine's memory.
bool hub_is_used_up(enum err err, const struct arena *arena);
// Nothing of it is seen, or it is damaged or too large for an answer: the others are given.
bool hub_is_left_out(enum err err, const struct arena *arena);
