#pragma once

// The command contact.

#include "client/command/command.h"

// Shows how the person args[0] can be reached, as far as this device has it, or adds to that what
// the fields say.
enum command_exit contact_command(struct app *app);
