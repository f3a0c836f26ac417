#pragma once

// What refers to a record, and what refers to that: constraints, solutions, commitments, outcomes
// and remarks beneath a need, as far down as BENEATH_DEPTH_MAX.

#include "client/command/app.h"

enum { BENEATH_DEPTH_MAX = 4, BENEATH_RECORDS_MAX = 500 };

void beneath_print(struct app *app, const struct folkmoot_record *record);
