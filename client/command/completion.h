#pragma once

// Prints what the shells' completions are made of, a line an item with tabs between
// (package/completion.awk): the tables of commands and options, and the fields of records.
void completion_print(void);
