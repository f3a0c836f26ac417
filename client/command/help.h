#pragma once

// What --help, `folkmoot help COMMAND` and --version print, all from the tables of options.c.

#include "client/command/command.h"

// `folkmoot help`, with or without a command's name in args[0].
enum command_exit help_show(struct app *app);
// The overview (command NULL) or one command's help, to stdout.
void help_print(const struct command *command);
void help_version(void);
