#pragma once

// What an import did, counted and told.

#include "client/command/mapping.h"
#include "client/command/row.h"

enum { REPORT_KINDS = 32 };

struct report {
    size_t kinds[REPORT_KINDS][ROW_DONE_N];              // as folkmoot_kind_name counts
    bool has_rows;                                       // rows with a key, of a mapped table
    size_t rows_new, rows_back, rows_changed, rows_same; // back: missing from the last table
    size_t left_out;                                     // rows that could not be imported
    size_t waiting; // records that wait for what they are about
    size_t odd;     // pins
    size_t gone;    // records whose rows are missing since the last table
    size_t still_missing;
    size_t withdrawn;
};

void report_count(struct report *report, const char *kind, enum row_done done);
// Prints it: to people or, with --json, to a program.
enum command_exit report_print(const struct report *report, const struct app *app, bool dry);
