#pragma once

// A store in an empty folder for one test, and its end.

#include "storage/store.h"

struct shelf {
    char folder[256];
    struct store *store;
    struct txn *txn; // a write transaction, open from beginning to end
};

void shelf_open(struct shelf *shelf);
// Commits, closes and removes all of it.
void shelf_close(struct shelf *shelf);
