#pragma once

// The commands status and fingerprint: what this device has joined, what is unsent, and whether two
// devices hold the same.

#include "client/command/command.h"

enum command_exit status_show(struct app *app);
enum command_exit status_fingerprint(struct app *app);
