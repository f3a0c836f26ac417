#pragma once

// What a command is, and what its functions share. The table of commands and options stands in
// options.c; each command's function stands in the file that is named after its topic.

#include <stdbool.h>
#include <stddef.h>

// Exit codes, as --help says them.
enum command_exit {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
    COMMAND_NETWORK = 3,
    COMMAND_REFUSED = 4,
};

// What must be open before a command can run.
enum command_needs { COMMAND_NEEDS_NOTHING, COMMAND_NEEDS_STORE, COMMAND_NEEDS_COMMUNITY };

struct app;

struct command {
    const char *name;
    const char *args;    // as the usage line shows them
    const char *summary; // one line
    const char *details; // what `folkmoot help COMMAND` says more; NULL: nothing
    size_t args_least, args_most;
    bool fields; // takes --FIELD VALUE for every field of a record
    enum command_needs needs;
    enum command_exit (*run)(struct app *app);
};
