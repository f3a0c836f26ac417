#pragma once

// Which records a complete table has no row for any more. Of each source the store remembers the
// records that its rows made, counted from 1 ("record N" of the source, and how many: "records").

#include "client/command/hashes.h"
#include "client/command/report.h"

struct gone {
    struct app *app;
    const char *source; // NULL: nobody asks
    struct hashes seen;  // ids of this import
    bool spoilt;        // memory ran out: nothing can be said to be gone
};

// Notes that a record has a row; `added`: that it was made by it just now.
enum folkmoot_code gone_note(struct gone *gone, const struct row *row, bool added,
                             struct folkmoot_error *error);
// Tells of each record that has none, and takes back what this device said in it if `withdraw` is
// true.
enum command_exit gone_tell(struct gone *gone, bool withdraw, struct report *report);
// Whether what was said in a record was taken back because its row was gone.
bool gone_is_withdrawn(struct folkmoot *fm, const char *kind, const uint8_t *id);
// Forgets that: it is back.
enum folkmoot_code gone_is_back(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                struct folkmoot_error *error);
void gone_done(struct gone *gone);
