#pragma once

// The command audience.

#include "client/command/command.h"

// Shows who may see the record args[0], or puts args[1] in its place.
enum command_exit audience_command(struct app *app);
