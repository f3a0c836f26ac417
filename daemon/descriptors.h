#pragma once

// Descriptors: connections may take all but a reserve of them, so that the store, the keys of
// bodies and the admin's socket never find none. Before connections are accepted.

#include <stddef.h>

enum { DESCRIPTORS_RESERVE = 64 };

// Raises the process's soft limit to what so many connections need, as far as its hard limit
// permits. How many connections there may be: `connections`, or fewer, which is reported.
size_t descriptors_allow(size_t connections);
