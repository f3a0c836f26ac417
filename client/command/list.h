#pragma once

// The command list: one line a record.

#include "client/command/command.h"

// Prints the records of the kind args[0], or of all kinds, that refer to --about if it is given.
enum command_exit list_records(struct app *app);
