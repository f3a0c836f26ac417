#pragma once

// Bare LMDB as the measure of a store: values of 505 bytes under ascending keys of 8 bytes. The
// main thread.

#include <stddef.h>

// Seconds to put so many, with so many to a commit, into a database of its own in this folder.
double raw_lmdb_seconds(const char *folder, size_t n, size_t a_commit);
