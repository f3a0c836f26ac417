#pragma once

// What the counts_*.c family shares.

#include "storage/counts.h"
#include "sync/counts.h"
#include "sync/joined.h"

// --- who is one with whom ---

struct groups {
    struct txn *txn;
    uint32_t community;
    struct groups_of_kind {
        uint32_t kind;
        struct joined *joined;
    } * kinds;
    size_t n;
    size_t cap;
};

// Those that are one with a record. Valid as long as the groups are.
struct group_of {
    struct joined *joined;
    uint32_t number;
    struct record_key root; // the least of their ids
    bool is_root;           // the record that was asked for
};

void groups_done(struct groups *groups);
// Errors as joined_group.
enum err groups_find(struct groups *groups, const struct record_key *record,
                     struct group_of *group) must_check;
// One that was found before, by its root and number.
enum err groups_again(struct groups *groups, const struct record_key *root, uint32_t number,
                      struct group_of *group) must_check;
// False past the end.
bool groups_member(const struct group_of *group, size_t i, struct record_key *member) must_check;

// --- one settling ---

// The order in which sums are settled: what answers before what it answers.
enum counts_rank {
    RANK_CONSTRAINT,
    RANK_OUTCOME,
    RANK_COMMITMENT,
    RANK_SOLUTION,
    RANK_NEED,
    RANKS
};

// That something of a sum is another.
enum { TOUCH_OWN = 1, TOUCH_ANSWERS = 2, TOUCH_DAMAGED = 4 };

struct touch {
    struct record_key record;
    uint8_t what;
    uint8_t cell; // of SUM_VOICES, where `by` is not 0
    uint16_t unused;
    int32_t by;
};

// That the stance of these persons on these records may be another: roots both. Of kind 0: what is
// said of the persons may be.
struct restate {
    uint8_t person[ID_SIZE];
    struct record_key record;
    uint32_t person_group; // numbers, so that they need not be found again
    uint32_t record_group;
    uint32_t stance; // of the one voice between them, if it is new; 0: look
};

struct counting {
    struct txn *txn;
    uint32_t community;
    struct groups groups;
    struct buf restates;           // struct restate
    struct buf candidates;         // of one settling: counts_voice
    struct buf persons;            // ids of roots: what is said of them may be another
    struct buf touched[RANKS + 1]; // struct touch, by rank; the last: of other kinds
    struct buf rows;               // counts_rows.c
    struct buf slots;
    uint64_t read_position; // counts_words.c: of what is in `read`; 0: nothing
    struct buf read;
    const struct buf *words; // counts_words.c: of changes that have none any more
    bool lost;               // the counts cannot be kept up
};

// Sorts, and leaves each element once; order of bytes, elements without padding that differs.
void counts_sort(struct buf *buf, size_t size);
// By rank; RANKS: none.
enum counts_rank counts_rank(uint32_t kind);
// Takes up an error: what memory refuses, and what is wrong with the transaction, sticks; all else
// means that the counts are lost. Whether there is one.
bool counts_fail(struct counting *c, enum err err);
bool counts_find(struct counting *c, const struct record_key *record, struct group_of *group);

// counts_words.c
void counts_put_words(struct buf *words, uint32_t community, uint64_t position,
                      struct bytes fields);
// Fills in a place or a category. False, and the text is empty, where it cannot be read any more.
bool counts_load(struct txn *txn, uint32_t community, bool is_place, struct counts_text *text);
// The same while settling: also of words that the transaction has erased.
bool counts_load_again(struct counting *c, bool is_place, struct counts_text *text);
// Reads an edit; its bytes are valid until one of another change is read. False: it is damaged.
bool counts_read_edit(struct counting *c, const struct live *edit, struct wire_field *field);
// From an edit that was read.
void counts_take_text(const struct live *edit, const struct wire_field *field, bool is_place,
                      struct counts_text *text);
// counts_voice.c
// record NULL: what is said of the persons may be another. stance: of the voice, if it is new; 0:
// that is not known.
void counts_restate(struct counting *c, const struct group_of *person,
                    const struct group_of *record, uint8_t stance);
// STANCE_FOR to STANCE_UNKNOWN.
uint8_t counts_stance(const struct wire_field *field);
// Whoever is one with this, or was.
void counts_join(struct counting *c, const struct group_of *group);
void counts_voices(struct counting *c);
// counts_link.c
void counts_touch(struct counting *c, const struct record_key *root, uint8_t what);
// Brings the links of a record in step with what it is about now.
void counts_relink(struct counting *c, const struct record_key *record);
// Touches all that this record answers.
void counts_touch_up(struct counting *c, const struct record_key *record);
// Counts what answers a record, into its sum.
void counts_answers(struct counting *c, const struct record_key *record, struct sum *sum);
// counts_own.c
// What the records say themselves, into their sum.
void counts_own(struct counting *c, const struct record_key *record, struct sum *sum);
// For whom these persons speak and where they live.
void counts_person(struct counting *c, const struct group_of *person, struct heard *heard);
// counts_rows.c
void counts_sum_changed(struct counting *c, uint32_t kind, const struct sum *was,
                        const struct sum *is);
void counts_heard_changed(struct counting *c, const struct heard *heard, int32_t by);
void counts_rows(struct counting *c);
