#pragma once

// The merge of docs/protocol.md section 4 once more, as naive as it can be said, to compare the
// real one with: all changes in memory, every question answered by going through all of them.
// Shares with the house only what reads and writes bytes.

#include "base/arena.h"
#include "base/hash.h"
#include "proto/messages.h"

struct model_record {
    uint32_t kind;
    uint8_t id[ID_SIZE];
};

// What decisions made of a change.
enum model_fate {
    MODEL_COUNTS,
    MODEL_REFUSED, // it has no effect
    MODEL_ERASED,  // its words are gone; what it went over stays gone
};

struct model_change {
    struct model_record record;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t tag;
    struct envelope envelope;
    struct bytes fields;
    enum model_fate fate;
};

struct model {
    uint8_t community[COMMUNITY_SIZE];
    struct arena arena;
    struct model_change *changes;
    size_t n;
    size_t cap;
};

void model_init(struct model *model, const uint8_t community[COMMUNITY_SIZE]);
void model_done(struct model *model);
// Adds a change; its bytes are copied. The change is valid until the next one is added.
const struct model_change *model_add(struct model *model, const uint8_t key[KEY_SIZE], uint32_t seq,
                                     const uint8_t salt[SALT_SIZE], struct bytes envelope,
                                     struct bytes fields, enum model_fate fate);

// A live edit. The bytes are the model's.
struct model_edit {
    const struct model_change *change;
    uint32_t index;
    uint32_t field;
    uint64_t value; // of a varint
    bool is_varint;
    struct bytes bytes; // the whole field
};

// What somebody who was told of some changes only holds to be live.
struct model_view {
    struct model_edit *edits;
    size_t n;
    size_t cap;
};

// device NULL: all; else that device's share: the ordinary class, its own, and what is on records
// that it created.
void model_look(const struct model *model, const uint8_t *device, struct model_view *view);
void model_view_done(struct model_view *view);
// Whether that device is told of the change.
bool model_tells(const struct model_change *change, const uint8_t *device);

// The record as a message, appended to `out`. False when nothing of it is live.
bool model_message(const struct model_view *view, const struct model_record *record,
                   struct buf *out);
bool model_has_tension(const struct model_view *view, const struct model_record *record,
                       uint32_t field);
struct tally model_tally(const struct model_view *view, const struct model_record *record);
// The least id of all that are one with this record.
struct model_record model_root(const struct model_view *view, const struct model_record *record);
// Whether a stands after b.
bool model_outranks(const struct model_edit *a, const struct model_edit *b);
