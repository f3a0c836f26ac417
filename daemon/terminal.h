#pragma once

// What folkmootctl shows to people.

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"

// Text that came from elsewhere, its control characters as '?'.
void terminal_text(FILE *file, const char *text);
// A QR code in UTF-8 half blocks, two rows of modules a line; on a terminal in black and white
// whatever its colours are. False: the text is too long, or out of memory.
bool terminal_qr(FILE *file, const char *text, bool colours) must_check;
// "2026-03-01 12:00" in the local time zone; "never" for 0.
void terminal_time(FILE *file, int64_t ms);
