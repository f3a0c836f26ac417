#pragma once

// What the recount*.c family shares.

#include "base/buf.h"
#include "storage/counts.h"
#include "storage/table.h"
#include "tests/sync/recount.h"

enum { ROWS_MAX = 8192, ROOTS_MAX = 2048, STANCES_MAX = 2048, KEY_BYTES = 80, VALUE_BYTES = 1024 };

struct row {
    enum table table;
    size_t key_n;
    size_t value_n;
    uint8_t key[KEY_BYTES];
    uint8_t value[VALUE_BYTES];
};

struct spoken {
    struct model_record said_by;
    struct model_record said_on;
    struct model_record person; // roots of these
    struct model_record subject;
    const struct model_edit *edit;
};

struct recount {
    const struct model_view *view;
    struct txn *txn;
    uint32_t community;
    struct row *rows;
    size_t rows_n;
    struct model_record roots[ROOTS_MAX][2]; // of what, which
    size_t roots_n;
    struct spoken stances[STANCES_MAX];
    size_t stances_n;
    struct {
        struct model_record record;
        struct sum sum;
    } sums[ROOTS_MAX];
    size_t sums_n;
};

bool recount_same(const struct model_record *a, const struct model_record *b);

// Who the person is, as far as it is counted.
struct heard recount_heard(struct recount *r, const struct model_record *person);

// recount_rows.c
void recount_put(struct recount *r, enum table table, const struct buf *key,
                 const struct buf *value);
void recount_put_record(struct buf *out, const struct model_record *record);
void recount_put_text(struct buf *out, const struct counts_text *text);
// Of all sums, and of the persons that were heard.
void recount_put_sums(struct recount *r);
bool recount_compare(struct recount *r, struct txn *txn, char why[400]);
