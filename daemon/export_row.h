#pragma once

// A record that is given away (sync/given.h), made ready for whatever form it is written in: its
// values as texts, what holds of each field first. Knows no file and no database. Any thread.

#include "base/arena.h"
#include "proto/schema.h"
#include "sync/given.h"

enum { EXPORT_ID_TEXT = 2 * ID_SIZE + 1 };

struct export_value {
    struct wire_field raw;
    int64_t time;        // when it was said, ms since 1970 UTC
    struct bytes device; // whose edit it is; empty: not told
};

struct export_field {
    const struct schema_field *schema;
    struct export_value *values; // what holds first, of a set in the order in which they were said;
                                 // each is another one
    size_t n;
    bool tension; // one is expected
};

struct export_row {
    const struct schema_kind *kind;
    char id[EXPORT_ID_TEXT];
    char joined[EXPORT_ID_TEXT];
    int64_t first; // when the earliest of its values was said
    int64_t last;
    struct ref *subjects; // what its id is made of, as far as it is told
    size_t subjects_n;
    struct export_field *fields; // by number
    size_t fields_n;
    struct tally tally; // zeros: nobody, or it is not told
};

// All that is in it lives in the arena, or where `given` does. ERR_NOMEM.
enum err export_row_make(const struct given *given, struct arena *arena,
                         struct export_row *row) must_check;
// NULL: the record has none.
const struct export_field *export_row_field(const struct export_row *row, uint32_t number);

// Appends a value as people read it: of a place its name, or else its code.
void export_put_value(struct buf *out, const struct schema_field *schema,
                      const struct export_value *value);
// "need:0123…".
void export_put_ref(struct buf *out, uint32_t kind, struct bytes id);
// 2026-03-01T12:00:00Z for ms since 1970.
void export_put_time(struct buf *out, int64_t ms);
// Degrees with 7 decimals.
void export_put_degrees(struct buf *out, int32_t e7);
// The place that holds. False: it has none.
bool export_row_place(const struct export_row *row, struct place *place);
