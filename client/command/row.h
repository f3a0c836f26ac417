#pragma once

// One record that an import makes: what it is called, what it says, and writing that down.

#include "client/command/app.h"
#include "client/command/cells.h"
#include "client/command/memo.h"
#include "client/command/puts.h"

enum { ROW_NAME_BYTES = 256 };

enum row_done { ROW_ADDED, ROW_EDITED, ROW_VOICED, ROW_JOINED, ROW_UNCHANGED, ROW_DONE_N };

// What is the same for all rows of an import.
struct rows {
    struct app *app;
    const char *kind;   // of the rows that name none; NULL: they must
    const char *source; // whose numbers those of `voter` are
    int64_t time;       // of the rows that say none; 0: now
};

struct row {
    const struct rows *rows;
    struct cells cells;
    char kind[REF_KIND_BYTES];
    char name[ROW_NAME_BYTES];      // the key or what stands for it
    uint8_t print[MEMO_PRINT_SIZE]; // a hash of the cells
    uint8_t id[REF_ID_BYTES];       // of the record, once it is written
    bool named;                     // it has a key of its own
    struct folkmoot_error error;
};

// Reads the row's name and kind. FOLKMOOT_INVALID: the sentence is in row->error, as with all
// below.
// kind: "" where a column says it.
enum folkmoot_code row_read(struct row *row, const struct rows *rows, const struct cells *cells,
                            const char *kind);
// Gives a row without a key its name. twin: how many like it went before.
void row_name_twin(struct row *row, size_t twin);
// Writes it, as far as it says something new. The records that it refers to must be here. Where it
// fails with FOLKMOOT_INVALID, NOT_FOUND or AMBIGUOUS, nothing was written.
enum folkmoot_code row_write(struct row *row, enum row_done *done);
// Calls `each` with every name of a record that the row refers to, until it returns false.
void row_each_reference(const struct row *row, bool (*each)(const char *name, void *arg),
                        void *arg);
