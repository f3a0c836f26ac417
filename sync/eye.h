#pragma once

// Who looks, and what they may see (docs/protocol.md section 5, docs/roles.md). Any thread.

#include "storage/record.h"
#include "sync/role.h"

// A caller, as far as that decides.
struct eye {
    enum role role;
    const uint8_t *device; // HANDLE_SIZE: the own changes are always seen
    bool is_in_audience;   // of the record that is looked at (audience.h)
};

// Whether this eye sees a change of this class, author and record.
bool eye_sees(const struct eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
              const struct record_key *record);
