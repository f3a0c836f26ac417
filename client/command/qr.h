#pragma once

// QR codes (ISO/IEC 18004) on a terminal.

#include <stdbool.h>
#include <stdio.h>

// Prints the code of a text in half blocks, light on dark, so that it is right whatever the
// terminal's colours are. False when the text is too long for one; nothing was printed then.
bool qr_print(FILE *file, const char *text);
