#pragma once

// Cells of a mapped table in the forms that fields take: times, days, amounts and points, as
// spreadsheets write them. What is in no known form stays as it is, so that the field's own check
// tells of it.

#include "client/command/cells.h"
#include "client/command/mapping.h"

// Replaces texts of `cells`; what is made lives in the arena. *odd: the point lies outside the
// area, or is no point: it is kept (as words, when it is none) and marked by a category.
void tidy_cells(struct cells *cells, const struct mapping *mapping, struct arena *arena, bool *odd);
