#pragma once

// A record as it is read for the host: its own memory and what it is made from. One thread at a
// time.

#include "client/state.h"
#include "storage/record.h"

struct reading {
    const struct scope *scope;
    struct record_key key;
    struct arena *arena;
    struct folkmoot_record *out;
};

// What was gone over in the record, and who voiced it (FOLKMOOT_WHOLE).
enum err history_read(struct reading *reading) must_check;
enum err voices_read(struct reading *reading) must_check;

// A list that grows in an arena.
struct growing {
    void *p;
    size_t n;
    size_t cap;
};

// Room for one item more, zeroed; NULL when the arena is full.
void *growing_add(struct growing *growing, struct arena *arena, size_t size);

// The values of the field in a view (struct field_view), NULL when it has none.
const struct field_view *reading_field(const struct record_view *view, uint32_t number);
// The text of the winner of a field of a view, from the arena; "" when it has none, NULL when the
// arena is full.
const char *reading_text(const struct record_view *view, uint32_t number, struct arena *arena);
