#pragma once

// Private to storage/: what can be seen to be wrong with LMDB's file as a whole, before LMDB, which
// trusts it, reads it. Any thread.

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// Reads the two meta pages of the file data.mdb in the directory `path`. ERR_DAMAGED when the file
// is shorter than they say, or when they do not tell of two commits one after the other: LMDB would
// silently go back to an older state, or read what is not there.
enum err pages_check(const char *path, struct fault *fault) must_check;
// Whether n bytes at a place that LMDB gave as a value's lie within the page or pages where they
// must be. is_mapped: they are not a transaction's own copy.
bool pages_hold(const void *p, size_t n, size_t page_size, bool is_mapped) must_check;
