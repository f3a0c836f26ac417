#pragma once

#include "storage/store.h"

// Makes and opens n empty stores. Their names on disk are gone when this returns, so that nothing
// is left however the program ends. Ends it when that cannot be done.
void stores_open(struct store *stores[], unsigned n);
