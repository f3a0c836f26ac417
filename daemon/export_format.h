#pragma once

// The forms that an export can have: one table, one file a form. A form is given rows and knows no
// database; its rows come kind by kind. Whatever it writes before it ends may be thrown away.

#include <stdio.h>

#include "daemon/export_row.h"

// What one export is asked for.
struct export_wish {
    const struct community *community;
    uint32_t kind;      // 0: all
    bool masked;        // for outsiders
    bool hxl;           // a second row with tags
    const char *prefix; // of 360Giving's ids; NULL: none
};

struct export_writing {
    const struct export_wish *wish;
    FILE *out;        // where it goes; NULL: the form writes the file `path` itself
    const char *path; // of a file that is there, and empty
    void *state;      // the form's own
    uint64_t rows;    // written so far
    struct fault *fault;
    // Another record, under the id that it is given by. ERR_NOT_FOUND: none that is for this
    // audience.
    enum err (*look)(void *arg, uint32_t kind, struct bytes id, struct arena *arena,
                     struct export_row *row);
    // Notes that a record is not in the file, and why.
    void (*leave_out)(void *arg, const char *kind, const char *id, const char *why);
    void *arg;
};

struct export_format {
    const char *name;
    bool by_path;  // it writes its file itself, so that it cannot go to standard output
    bool one_kind; // a file holds one kind: a need where none is asked for
    uint32_t only; // the one kind that it can hold; 0: any
    bool has_hxl;
    bool has_prefix;
    // Each but done may fail; ERR_NOMEM, ERR_IO, ERR_FULL, with a sentence where there is more to
    // say.
    enum err (*begin)(struct export_writing *writing);
    enum err (*put)(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena);
    enum err (*end)(struct export_writing *writing);
    void (*done)(struct export_writing *writing); // after begin, also where it failed
};

extern const struct export_format export_csv, export_jsonl, export_geojson, export_360giving,
    export_sqlite;

// The i-th form; NULL past the end.
const struct export_format *export_format_row(size_t i);
const struct export_format *export_format_find(const char *name);
// Writes to `out`. What failed is asked of it at the end.
void export_write(struct export_writing *writing, struct bytes bytes);
// For forms with nothing to do there.
enum err export_nothing(struct export_writing *writing);
void export_nothing_done(struct export_writing *writing);
