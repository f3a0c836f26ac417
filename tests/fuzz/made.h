#pragma once

// Changes made by a script: mostly of a form that the first checks let through, about records and
// over edits that are there, so that a fuzzer gets to what lies behind.

#include "base/arena.h"
#include "storage/record.h"
#include "tests/fuzz/fuzz.h"

enum { MADE_MAX = 64 };

// What can be spoken about and gone over.
struct made_known {
    struct record_key record;
    uint32_t class;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t tag;
};

struct made {
    struct made_known known[MADE_MAX];
    uint32_t n;
};

// Notes a change; when there are MADE_MAX already, it takes the place of an older one.
void made_note(struct made *made, const struct envelope *envelope,
               const uint8_t device[HANDLE_SIZE], uint32_t seq, uint32_t tag);
// Everything lives in the arena, or is borrowed from the script or `made`.
void made_envelope(struct script *script, const struct made *made, struct arena *arena,
                   struct envelope *envelope);
// Appends up to seven edits for the kind.
void made_fields(struct script *script, const struct made *made, uint32_t kind, struct buf *fields);
