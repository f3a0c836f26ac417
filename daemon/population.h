#pragma once

// The population table that the admin may have loaded ([picture] population): a CSV file (RFC 4180,
// UTF-8) whose first line names the columns `code`, `name` and, if it is known how many live there,
// `persons`; others are left alone. The loop's thread.

#include "base/arena.h"
#include "sync/population.h"

enum { POPULATION_BYTES_MAX = 4 << 20 };

struct population_table {
    struct arena arena;
    struct population population; // lives in the arena
};

// All zero is an empty table, too.
void population_table_done(struct population_table *table);
// Reads it anew; a path that is empty leaves it empty. What is wrong is said with file and line,
// and the table stays as it was.
enum err population_table_read(const char *path, struct population_table *table,
                               struct fault *fault) must_check;
