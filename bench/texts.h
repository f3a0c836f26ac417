#pragma once

// The words of the records: the lines of a file (bench/texts.py makes it), and beyond its end
// halves of two lines joined, each pair once. Any thread, once they are open.

#include <stddef.h>

enum { TEXT_BYTES = 512 };

// A failure ends the program.
void texts_open(const char *path);
// The i-th text.
void texts_get(size_t i, char text[TEXT_BYTES]);
