#pragma once

// Who looks, and what they may see (docs/protocol.md section 5). Any thread.

#include "storage/record.h"

// A caller, as far as that decides.
struct eye {
    bool personal;         // sees class personal of others
    const uint8_t *device; // HANDLE_SIZE: the own changes are always seen
};

// Whether this eye sees a change of this class, author and record.
bool eye_sees(const struct eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
              const struct record_key *record);
