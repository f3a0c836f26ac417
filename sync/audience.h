#pragma once

// For whom a record is (docs/protocol.md section 5). Read transactions; any thread.

#include "storage/record.h"

// Whether it is for people outside the community, too: somebody said so, nobody said less (of
// concurrent audiences the narrowest holds, and one that this version does not know is narrow), and
// nobody said that it is sensitive. Asked of all live edits, whatever their class. ERR_NOMEM,
// ERR_DAMAGED: then it is not.
enum err audience_is_outside(struct txn *txn, uint32_t community, const struct record_key *record,
                             bool *is_outside) must_check;
// The same for the people of this audience (AUDIENCE_ORGANISATIONS or AUDIENCE_PUBLIC): what is for
// all is for organisations, too.
enum err audience_reaches(struct txn *txn, uint32_t community, const struct record_key *record,
                          enum audience wanted, bool *is_reached) must_check;
// Whether this value of FIELD_AUDIENCE or FIELD_SENSITIVITY lets it be.
bool audience_is_wide(uint32_t field, uint64_t value);
