#pragma once

// Which records may have which title: a hint that spares a search through everything. What it names
// has to be looked at; what it does not name has no such title. One thread at a time.

#include "client/state.h"
#include "storage/record.h"

struct titles;

// Reads the titles of all records of the known kinds. NULL when memory runs out.
struct titles *titles_read(struct txn *txn, uint32_t community);
void titles_free(struct titles **titles);
// Notes the titles that a change of this record puts. titles may be NULL.
void titles_note(struct titles *titles, const struct record_key *record, struct bytes fields);
// Calls `each` with every record that may have the title, until it returns false.
void titles_each(const struct titles *titles, struct bytes title,
                 bool (*each)(const struct record_key *, void *), void *arg);
// Whether a note was lost for want of memory, or by damage: read them anew.
bool titles_are_spoilt(const struct titles *titles);
