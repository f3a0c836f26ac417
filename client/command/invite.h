#pragma once

// The command invite.

#include "client/command/command.h"

// Has the hub make an invitation with --role, --label, --valid and --uses, and shows its link and
// QR code.
enum command_exit invite_make(struct app *app);
