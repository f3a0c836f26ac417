#pragma once

// What a street says, for tests of the picture: needs with a place, what answers them, who speaks.

#include "tests/sync/crowd.h"

// fields: taken, and emptied. of: the record; NULL: a new one.
struct record_key street_say(struct crowd *crowd, uint32_t kind, const struct record_key *of,
                             int64_t time, struct buf *fields);
struct record_key street_need(struct crowd *crowd, const char *title, const char *category,
                              const char *place, enum audience audience);
struct record_key street_answer(struct crowd *crowd, uint32_t kind, const struct record_key *to,
                                int64_t time, uint32_t field, uint64_t value);
void street_who(struct crowd *crowd, uint32_t n, uint32_t party, const char *ward);
// A device as it calls the hub, which has taken all that was said; observers by the hub's secret,
// and numbers by five.
struct hub_caller street_caller(struct crowd *crowd, size_t device, enum role_call call);
void street_voices(struct crowd *crowd, const struct record_key *on, uint32_t from, uint32_t to,
                   enum stance stance);
