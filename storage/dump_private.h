#pragma once

// Shared by dump_write.c and dump_read.c: "folkmoot backup\n", u32 its version, u32 the database's
// format; then tables: u8 length and name, rows (u16 length and key, u32 length and value), u16 0;
// then u8 0 and u64, how many rows there were. All of it one zstd frame with its checksum.

#include "storage/dump.h"
#include "storage/txn_private.h"

#define DUMP_MAGIC "folkmoot backup\n"

enum { DUMP_VERSION = 1, DUMP_PART = 128 << 10, DUMP_ROWS = 4096 };

// What a copy has of its own.
static inline bool dump_is_of_file(enum table table, struct bytes key)
{
    return table == TABLE_META && (bytes_equal(key, bytes_of_text(FORMAT_KEY)) ||
                                   bytes_equal(key, bytes_of_text(COMMIT_KEY)));
}

// Counts follow from the rest. Those of an older copy are made anew.
static inline bool dump_is_counts(enum table table)
{
    return table >= TABLE_STANCE && table <= TABLE_COUNTS;
}

// What may have been taken back since: a token of a device that was revoked, an invitation that was
// used up by it.
static inline bool dump_lets_in(enum table table)
{
    return table == TABLE_TOKEN || table == TABLE_INVITATION;
}

static inline void dump_count(struct dump *dump, enum table table)
{
    dump->rows++;
    dump->communities += table == TABLE_COMMUNITY;
    dump->changes += table == TABLE_ENTRY;
}
