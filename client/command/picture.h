#pragma once

// The command picture: what is needed, by how many, and who answered.

#include "client/command/command.h"

enum command_exit picture_command(struct app *app);
