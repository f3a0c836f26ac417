#pragma once

// The command show: all of one record, for people.

#include "client/command/command.h"

// Prints the record args[0]: its words, tensions side by side, tally and voices, what answers it,
// and what was gone over.
enum command_exit show_record(struct app *app);
