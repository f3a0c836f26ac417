#pragma once

// The command carry: letters, for a device without a line.

#include "client/command/app.h"

enum command_exit carry_command(struct app *app);
