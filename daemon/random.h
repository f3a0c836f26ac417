#pragma once

// Random bytes of the kernel (getrandom). Any thread.

#include <stddef.h>

// Fills p, or ends the program with a line in the log: a hub without randomness must not go on.
void random_fill(void *p, size_t n);
