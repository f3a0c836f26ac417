#pragma once

// One row of an imported table: what it is called, what it says, and writing that down.

#include "client/command/app.h"
#include "client/command/columns.h"
#include "client/command/puts.h"

enum { ROW_NAME_BYTES = 256, ROW_PRINT_BYTES = 33 };

enum row_done { ROW_ADDED, ROW_EDITED, ROW_VOICED, ROW_UNCHANGED, ROW_DONE_N };

// What is the same for all rows of an import.
struct rows {
    struct app *app;
    const struct table *table;
    const struct columns *columns;
    int64_t time; // of the rows that say none; 0: now
};

struct row {
    const struct rows *rows;
    size_t i;
    char kind[REF_KIND_BYTES];
    char name[ROW_NAME_BYTES];   // the key or what stands for it
    char print[ROW_PRINT_BYTES]; // a hash of the cells
    struct folkmoot_error error;
};

// Reads the row's name and kind. FOLKMOOT_INVALID:
// the sentence is in row->error, as with all below.
enum folkmoot_code row_read(struct row *row, const struct rows *rows, size_t i);
// Gives a row without a key its name. twin: how many like it went before.
void row_name_twin(struct row *row, size_t twin);
// Writes it, as far as it says something new. The records that it refers to must be here.
enum folkmoot_code row_write(struct row *row, enum row_done *done);
// Calls `each` with every name of a record that the row refers to, until it returns false.
void row_each_reference(const struct row *row, bool (*each)(const char *name, void *arg),
                        void *arg);
