#pragma once

// The command status: what this device has joined and what is unsent.

#include "client/command/command.h"

enum command_exit status_show(struct app *app);
