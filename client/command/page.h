#pragma once

// Text for people on a terminal. Whatever came from a record is cleaned first: control characters,
// escape sequences and what turns the direction of writing become U+FFFD, so that nobody's words
// can take over a terminal or pass for another line. On a terminal each value is isolated (U+2068,
// U+2069; Unicode UAX 9), so that a right-to-left value leaves its neighbours where they are.

#include "base/buf.h"

enum { PAGE_WIDTH_MOST = 100 };

// Appends text from outside: one line, cleaned, not isolated.
void page_put_clean(struct buf *out, const char *text);
// The same, isolated when stdout is a terminal.
void page_put_value(struct buf *out, const char *text);
// The same, cut to `width` columns with "…" and, if `pad`, filled up to them.
void page_put_cut(struct buf *out, const char *text, int width, bool pad);

// Columns of stdout, at most PAGE_WIDTH_MOST; 80 where it is no terminal.
int page_width(void);
// Prints a line that was made with the calls above, `indent` columns in, and empties it.
void page_line(int indent, struct buf *line);
// Prints text from outside, cleaned, in lines that fit the width; its own line breaks stand.
void page_paragraph(int indent, const char *text);
