#pragma once

// The merge's tables: live edits, covers, and what refers to what. A record is one range of live
// edits.

#include "proto/messages.h"
#include "storage/store.h"

// What a record is known by; `class` because a cover counts only within one class.
struct record_key {
    uint32_t kind;
    uint8_t id[ID_SIZE];
};

struct edit_key {
    struct record_key record;
    uint32_t class;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint8_t index;
};

struct live {
    struct edit_key key;
    uint32_t tag;
    uint32_t field;
    int64_t time;
    uint64_t position;
};

enum err live_get(struct txn *txn, uint32_t community, const struct edit_key *key,
                  struct live *live) must_check;
void live_put(struct txn *txn, uint32_t community, const struct live *live);
void live_delete(struct txn *txn, uint32_t community, const struct edit_key *key);
// Every live edit of a record, in the order of class, device, seq, index. ERR_DAMAGED when one
// could not be read; the others were given. As everywhere here, `each` returns false to end, and
// may write in the transaction.
enum err live_each(struct txn *txn, uint32_t community, const struct record_key *record,
                   bool (*each)(const struct live *, void *), void *arg) must_check;
// The same of one change of the record.
enum err live_each_of_change(struct txn *txn, uint32_t community, const struct record_key *record,
                             uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                             bool (*each)(const struct live *, void *), void *arg) must_check;
// The first record of the kind whose id is greater than `after` (NULL: from the first).
enum err live_next_record(struct txn *txn, uint32_t community, uint32_t kind, const uint8_t *after,
                          struct record_key *record) must_check;
// The same over all kinds: the first record after this one (NULL: the first of all).
enum err live_next(struct txn *txn, uint32_t community, const struct record_key *after,
                   struct record_key *record) must_check;
// Whether any edit of this change is live.
bool live_any_of_change(struct txn *txn, uint32_t community, const struct record_key *record,
                        uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq);

// A cover: `by` goes over `target` where the tag is this.
struct cover {
    struct edit_key target;
    uint32_t tag;
    uint8_t by_device[HANDLE_SIZE];
    uint32_t by_seq;
    int64_t time; // of the covering change
};

void cover_put(struct txn *txn, uint32_t community, const struct cover *cover);
void cover_delete(struct txn *txn, uint32_t community, const struct cover *cover);
// Every cover of this edit and tag, in the order of by_device, by_seq. Here and below a damaged one
// is left out and makes ERR_DAMAGED stick at the end.
void cover_each(struct txn *txn, uint32_t community, const struct edit_key *target, uint32_t tag,
                bool (*each)(const struct cover *, void *), void *arg);
// Every cover within a record.
void cover_each_of_record(struct txn *txn, uint32_t community, const struct record_key *record,
                          bool (*each)(const struct cover *, void *), void *arg);

// `from` refers to `to`; extra as docs/disk-format.md says (0 or 16 bytes).
void about_put(struct txn *txn, uint32_t community, const struct record_key *to,
               const struct record_key *from, struct bytes extra);
// What refers to `to`, of one kind (0: of any), in the order of kind and id. ERR_DAMAGED when one
// could not be read; the others were given.
enum err about_each(struct txn *txn, uint32_t community, const struct record_key *to, uint32_t kind,
                    bool (*each)(const struct record_key *from, struct bytes extra, void *),
                    void *arg) must_check;
