#pragma once

// One run of the command: its command line, the open store, and how it says what is wrong.

#include "base/bytes.h"
#include "client/command/options.h"
#include "client/folkmoot.h"

struct app {
    struct call call;
    struct folkmoot *fm;                 // NULL until app_open
    struct folkmoot_community community; // the chosen one, if there is any
    bool json;
};

// Opens the store that the options name, making the folders above it, and chooses the community, as
// far as the command needs them. Says what is wrong.
enum command_exit app_open(struct app *app);
void app_close(struct app *app);

// One sentence on stderr, with what could harm a terminal taken out. Returns `code`.
enum command_exit app_say(enum command_exit code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The library's sentence on stderr, and the exit code that fits.
enum command_exit app_fail(const struct folkmoot_error *error);
// The exit code of a library's code.
enum command_exit app_exit_of(enum folkmoot_code code);
