#pragma once

// The command erase.

#include "client/command/command.h"

// Erases the words of the record args[0], or of --person, for ever: this device's own here and now,
// the rest by asking the hub. Asks on a terminal whether that is meant; elsewhere --yes must say
// so.
enum command_exit erase_words(struct app *app);
