#pragma once

// Which records a complete table has no row for any more. Of each source the store remembers the
// records that its rows made, counted from 1 ("record N" of the source, and how many: "records").

#include "client/command/hashes.h"
#include "client/command/report.h"

struct gone {
    struct app *app;
    const char *source; // NULL: nobody asks
    struct hashes seen; // ids of this import
    bool spoilt;        // memory ran out: nothing can be said to be gone
};

// Notes that a record has a row; added: that it was made by it just now. *back: it was missing from
// the last table.
enum folkmoot_code gone_note(struct gone *gone, const struct row *row, bool added, bool *back,
                             struct folkmoot_error *error);
// Tells of each record that has none and had one in the last table, and takes back what this device
// said in those without one if `withdraw` is true.
enum command_exit gone_tell(struct gone *gone, bool withdraw, struct report *report);
// Whether what was said in a record was taken back because its row was gone.
bool gone_is_withdrawn(struct folkmoot *fm, const char *kind, const uint8_t *id);
void gone_done(struct gone *gone);
