#pragma once

// The commands list and find: one line a record.

#include "client/command/command.h"

// Prints the records of the kind args[0], or of all kinds, that refer to --about if it is given.
enum command_exit list_records(struct app *app);
// Prints the records that have all the words of args, the best first.
enum command_exit list_found(struct app *app);
