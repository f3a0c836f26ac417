#pragma once

// What is needed by how many: the tables of counts (docs/disk-format.md, "Counts"). They follow
// from what is live; sync/counts.h keeps them. A row that is damaged is ERR_DAMAGED, which does not
// stick; errors of writing do.

#include "storage/record.h"

enum {
    COUNTS_PARTIES = 7,
    COUNTS_STANCES = 4, // for, against, unsure, other
    COUNTS_NATURES = 4,
    COUNTS_STATES = 4,
    COUNTS_CATEGORIES_MAX = 16,
    COUNTS_CATEGORY_MAX = 100, // bytes
    COUNTS_PLACE_MAX = 200,
    STANCE_UNKNOWN = 5, // stored: one that this version does not know
};

// A place or category. Rows say only in which edit it stands, for words are kept in one place
// alone; what reads it from there fills in the text, n bytes of p.
struct counts_text {
    uint64_t position; // 0: none
    uint8_t index;
    uint8_t n;
    char p[COUNTS_PLACE_MAX];
};

// --- stance, heard ---

// A voice with a live stance, by person and record as the voice says them. Of all voices of persons
// who are one on records that are one, one counts.
struct stance_row {
    uint8_t stance;        // STANCE_FOR to STANCE_UNKNOWN; 0: it does not count
    uint8_t party;         // below COUNTS_PARTIES: where it counts, as which
    uint8_t root[ID_SIZE]; // and of which record
};

enum err stance_get(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                    const struct record_key *record, struct stance_row *row) must_check;
void stance_put(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                const struct record_key *record, const struct stance_row *row);
void stance_delete(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                   const struct record_key *record);
// What a person has voices on, in the order of kind and id; as everywhere, `each` returns false to
// end.
enum err stance_each(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                     bool (*each)(const struct record_key *record, void *), void *arg) must_check;

struct heard {
    uint8_t party; // below COUNTS_PARTIES
    struct counts_text place;
};

enum err heard_get(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
                   struct heard *heard) must_check;
void heard_put(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE],
               const struct heard *heard);
void heard_delete(struct txn *txn, uint32_t community, const uint8_t person[ID_SIZE]);
enum err heard_each(struct txn *txn, uint32_t community,
                    bool (*each)(const struct heard *heard, void *), void *arg) must_check;

// --- link ---

void link_put(struct txn *txn, uint32_t community, const struct record_key *answer,
              const struct record_key *to);
void link_delete(struct txn *txn, uint32_t community, const struct record_key *answer,
                 const struct record_key *to);
// What this record answers (up), or what answers it.
enum err link_each(struct txn *txn, uint32_t community, const struct record_key *record, bool up,
                   bool (*each)(const struct record_key *other, void *), void *arg) must_check;

// --- sum ---

enum {
    SUM_VOICES = 0,
    SUM_NATURES = COUNTS_PARTIES * COUNTS_STANCES,
    SUM_ANSWERS = SUM_NATURES + COUNTS_NATURES,
    SUM_CELLS = SUM_ANSWERS + 3,
};

enum {
    SUM_THERE = 1,
    SUM_TENSION = 2,
    SUM_STRENGTHS = 4,
    SUM_OUTSIDE = 8,
    SUM_DAMAGED = 16,
    SUM_DUE = 32,
};

struct sum {
    uint32_t cells[SUM_CELLS];
    uint16_t marks;
    int64_t since;
    int64_t answered[3]; // solution, commitment, outcome: when the first was said; 0: none
    int32_t due;
    uint8_t progress;
    struct counts_text place;
    uint8_t categories_n;
    struct counts_text categories[COUNTS_CATEGORIES_MAX]; // ascending by text, each once
};

// A sum of nothing, and ERR_NOT_FOUND, where there is none.
enum err sum_get(struct txn *txn, uint32_t community, const struct record_key *record,
                 struct sum *sum) must_check;
// One of nothing is deleted.
void sum_put(struct txn *txn, uint32_t community, const struct record_key *record,
             const struct sum *sum);
// Whether their rows would be.
bool sum_is_same(const struct sum *a, const struct sum *b);
// 0 unanswered, 1 a solution, 2 a commitment, 3 an outcome.
unsigned sum_state(const struct sum *sum);
// Persons of this stance (STANCE_FOR to STANCE_UNSURE; 0: of all three).
uint32_t sum_persons(const struct sum *sum, unsigned stance);
uint32_t sum_constraints(const struct sum *sum);

// --- order ---

// Whatever is there is in one of the first four, by its state.
enum counts_list {
    LIST_UNANSWERED,
    LIST_SOLUTION,
    LIST_COMMITMENT,
    LIST_OUTCOME,
    LIST_DIVIDED,
    LIST_TENSION,
    LIST_BLOCKED,
    LIST_STRENGTHS,
    LIST_DUE,
    LIST_COUNT,
};

// Whether a sum stands in a list of its kind, and under which number.
bool sum_is_in(const struct sum *sum, uint32_t kind, enum counts_list list, uint32_t *number);
// Moves the rows of one sum from where it was (NULL: nowhere) to where it is (NULL: nowhere).
void order_move(struct txn *txn, uint32_t community, const struct record_key *record,
                const struct sum *was, const struct sum *is);

struct order_place {
    uint32_t number;
    uint8_t id[ID_SIZE];
};

// In their order, behind `after` (NULL: from the first).
enum err order_each(struct txn *txn, uint32_t community, uint32_t kind, enum counts_list list,
                    const struct order_place *after,
                    bool (*each)(const struct order_place *place, void *), void *arg) must_check;

// --- count ---

enum {
    COUNT_HASH_SIZE = 16,
    COUNT_VOICES = 0,
    COUNT_RECORDS = COUNTS_STATES * COUNTS_PARTIES * 3,
    COUNT_DIVIDED = COUNT_RECORDS + COUNTS_STATES,
    COUNT_TENSION,
    COUNT_BLOCKED,
    COUNT_NATURES,
    COUNT_STRENGTHS = COUNT_NATURES + COUNTS_NATURES,
    COUNT_CELLS,
};

struct count_key {
    uint32_t kind;
    uint8_t place[COUNT_HASH_SIZE]; // zeros: all
    uint8_t category[COUNT_HASH_SIZE];
};

// The texts of one record (person) that it counts, as far as one is known: notes of this store.
struct count {
    struct counts_text place;
    struct counts_text category;
    uint32_t cells[COUNT_CELLS];
};

// Of texts that are filled in.
struct count_key count_key_of(uint32_t kind, const struct counts_text *place,
                              const struct counts_text *category);
// What one sum adds to each of its counts.
void count_of_sum(const struct sum *sum, uint32_t cells[COUNT_CELLS]);
enum err count_get(struct txn *txn, uint32_t community, const struct count_key *key,
                   struct count *count) must_check;
void count_put(struct txn *txn, uint32_t community, const struct count_key *key,
               const struct count *count);
// All of a kind, in the order of keys.
enum err count_each(struct txn *txn, uint32_t community, uint32_t kind,
                    bool (*each)(const struct count_key *key, const struct count *count, void *),
                    void *arg) must_check;

// --- whether they are kept ---

// False: they are to be made anew. A row that is damaged says so, too.
bool counts_are_kept(struct txn *txn, uint32_t community);
void counts_keep(struct txn *txn, uint32_t community, bool keep);
// Deletes all counts of a community; at most `rows` of them. False when some are left.
bool counts_clear(struct txn *txn, uint32_t community, size_t rows);
