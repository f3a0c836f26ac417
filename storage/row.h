#pragma once

// What a row of the database is of, read from its key alone, for whoever tells of damage. Any
// thread.

#include "storage/record.h"

struct row {
    const char *table;
    uint32_t community;          // its number here; 0: of none
    uint64_t position;           // in the log; 0: of none
    uint8_t device[HANDLE_SIZE]; // zeros: of none
    uint32_t seq;                // of the device's change; 0: of none
    struct record_key record;    // kind 0: of none
};

// `table` is a name of docs/disk-format.md. What a key that is too short does not say is zeros.
struct row row_of(const char *table, struct bytes key);
