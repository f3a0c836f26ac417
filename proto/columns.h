#pragma once

// Changes and Entries as columns: what is alike stands together, so that it packs better. The
// message is restored byte for byte (docs/protocol.md, "Columns"). Any thread.

#include "base/buf.h"

// Which message: also the first byte of its columns.
enum columns_of { COLUMNS_OF_NONE, COLUMNS_OF_CHANGES, COLUMNS_OF_ENTRIES };

enum { COLUMNS_MAX = 2 << 20 }; // bytes of columns at most

// Appends the columns of a message. ERR_MALFORMED or ERR_CUT where it could not be restored from
// them (a varint that is longer than need be, say): then it goes in another form.
enum err columns_make(struct bytes message, enum columns_of of, struct buf *columns) must_check;
// Appends the message that columns are of, at most `max` bytes: ERR_LIMIT. ERR_MALFORMED: they are
// none.
enum err columns_open(struct bytes columns, size_t max, struct buf *message) must_check;
