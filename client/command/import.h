#pragma once

// The command import: a table's rows become records, voices and joins (mapping.h says which), as
// far as they say something new.
//
// Each record has a name: its key, or, without one, a hash of its cells. Under that name the store
// keeps the record and hashes of what was put into it (memo.h). So a row that did not change is
// left alone, whatever others did to its record since; of one that did change, only the values that
// differ are put, and they go over nothing but what the import said before (news.h).
//
// A row that cannot be imported is told of and left out, with --strict nothing is imported then.

#include "client/command/app.h"

enum command_exit import_file(struct app *app);
