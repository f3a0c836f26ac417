#pragma once

// The commands of folkmootctl that work on the hub's files: backup, restore, export,
// import, compact, verify, doctor.

#include <cjson/cJSON.h>

#include "daemon/config.h"

// Whether a command is one of them: nothing is asked of a hub.
bool ctl_store_has(const char *command);
struct ctl_store {
    const char *community; // NULL: none is named
    const char *file;      // so
    bool is_forced;
    // Of an export for people; as NULL: it is none.
    const char *as;
    const char *kind;
    const char *audience;
    const char *prefix;
    bool hxl;
};

// Runs it. The answer is an object with "ok", as a hub's is; the caller frees it. Progress goes to
// standard error where that is a terminal.
cJSON *ctl_store_run(const char *command, const struct config *config,
                     const struct ctl_store *call);
// What a look at all that the hub stands on finds. status: the hub's answer to "status", NULL: it
// gave none.
cJSON *ctl_doctor(const struct config *config, const cJSON *status);
