#pragma once

// The command line: one table of commands and one of options, from which the help is printed and
// with which a line is read. Strings of a call point into argv.

#include <stdio.h>

#include "client/command/command.h"

enum { OPTIONS_ARGS_MAX = 8, OPTIONS_MAX = 512 };

struct option {
    const char *commands; // " add edit ": those that take it; NULL: all
    const char *name;     // with _ where people may also type -
    const char *value;    // what --help calls its value; NULL: takes none
    const char *help;     // NULL: the help is silent about it
};

struct call_option {
    const char *name;  // with _ for every -
    const char *value; // "" for one without a value
    bool field;        // no option of the table: a field of a record
};

// One command line as it was read.
struct call {
    const struct command *command;
    const char *args[OPTIONS_ARGS_MAX];
    size_t args_n;
    struct call_option options[OPTIONS_MAX];
    size_t options_n;
};

// Reads argv into `call`, changing the strings of argv in place. COMMAND_USAGE: it said on stderr
// what is wrong. Without a command, call->command is NULL.
enum command_exit options_parse(struct call *call, int argc, char **argv);
// The last value of an option, or NULL when it was not given.
const char *options_value(const struct call *call, const char *name);
bool options_given(const struct call *call, const char *name);
// The i-th of the options named `name` that are at *i or behind it; moves *i past it. NULL at the
// end.
const char *options_next(const struct call *call, const char *name, size_t *i);

// The i-th row of the tables; NULL past the end.
const struct command *options_command(size_t i);
const struct option *options_row(size_t i);
// The command of a name, or NULL.
const struct command *options_find(const char *name);
// Whether a command takes an option.
bool options_takes(const struct command *command, const struct option *option);
