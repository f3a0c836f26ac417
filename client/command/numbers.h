#pragma once

// Numbers in people's texts.

#include <stdbool.h>
#include <stddef.h>

// Reads exactly n numbers with a comma and perhaps spaces between them, "51.5, -0.1". False: it is
// something else; `out` may then hold some.
bool numbers_read(const char *text, double *out, size_t n);
// Reads a number of 1 to `most` digits, at most 9, and moves *text behind it.
bool numbers_digits(const char **text, unsigned most, int *out);
