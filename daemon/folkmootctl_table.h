#pragma once

// The command line of folkmootctl: one table of commands and one of options, from which the help
// and the shells' completions are printed and with which a line is read.

#include <stdbool.h>
#include <stddef.h>

#include "daemon/folkmootctl_show.h"

// Options as they were given; NULL: not. Strings of argv.
struct ctl_arguments {
    const char *socket;
    const char *config;
    const char *json; // "" when it was
    const char *role;
    const char *label;
    const char *valid;
    const char *uses;
    const char *record;
    const char *person;
    const char *change;
    const char *since;
    const char *limit;
    const char *html;
    const char *outlines;
    const char *as;
    const char *kind;
    const char *audience;
    const char *prefix;
    const char *hxl;        // "" when it was
    const char *force;      // "" when it was
    const char *version;    // so
    const char *help;       // so
    const char *completion; // so
};

struct ctl_command {
    const char *name;     // in the request, too; one or two words
    const char *args;     // as the help shows them
    const char *help;     // lines
    const char *words[3]; // what stands behind the command, in the request
    int least;            // of them
    ctl_show *show;
};

struct ctl_option {
    const char *command; // that takes it; NULL: all
    const char *name;
    const char *value; // what the help calls its value; NULL: takes none
    const char *help;  // lines; NULL: the help is silent about it
    size_t at;         // in struct ctl_arguments
};

// The i-th row; NULL past the end.
const struct ctl_command *ctl_command_row(size_t i);
const struct ctl_option *ctl_option_row(size_t i);
// The command that the words begin with; *used says of how many words it is. NULL: none.
const struct ctl_command *ctl_command_find(int n, char **words, int *used);
// Reads the options. Gives the index of the first word behind them, or -1, and getopt has said why.
int ctl_parse(int argc, char **argv, struct ctl_arguments *arguments);

void ctl_help(void);
// What a completion is made of, a line an item with tabs between (package/completion.awk).
void ctl_completion(void);
