#pragma once

// The commands that talk to the hub: join and sync.

#include "client/command/command.h"

// Runs a session that joins by the link args[0], or one that syncs the chosen community: up to
// three tries, progress on stderr when that is a terminal, and at the end what was exchanged.
enum command_exit online_join(struct app *app);
enum command_exit online_sync(struct app *app);
