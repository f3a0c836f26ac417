#pragma once

// What a device may see no more leaves it.

#include "storage/community.h"

// The number of the view that a cursor names: what everybody who syncs sees, or all of it.
enum { VIEW_OF_ALL = 1, VIEW_OF_COORDINATORS = 2 };

// Takes every change that this device (its handle) would no longer be given, now that it is no
// coordinator, out of its records, and destroys the words: what remains is what a device that never
// was one has. What it carries over to a new chain stays. Errors stick to the transaction.
void narrow_view(struct txn *txn, const struct community *community,
                 const uint8_t own[HANDLE_SIZE]);
