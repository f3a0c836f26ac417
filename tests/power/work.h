#pragma once

// What is done while the disk is watched, what was promised by which instant, and whether a state
// that a crash left keeps it. Whatever goes wrong in the doing ends the program.

#include "tests/power/trace.h"

enum work_what {
    WORK_CHAIN,    // changes of a device up to a seq are there
    WORK_ERASED,   // the words of that change are destroyed
    WORK_IDENTITY, // the identity key is this one
    WORK_TLS,      // the TLS key is there, and from then on this one or a later one
};

struct work_promise {
    size_t from; // events of the trace
    enum work_what what;
    uint8_t handle[12];
    uint32_t seq;
    uint8_t key[32];
};

struct work {
    char root[512];  // what is watched
    char aside[512]; // what is not
    struct work_promise *promises;
    size_t n;
    size_t cap;
};

// Each watches its own: a hub's store with two phones that write, erase and sync; such a phone's
// store; the files of a daemon.
struct trace work_hub(struct work *work);
struct trace work_phone(struct work *work);
struct trace work_files(struct work *work);

// Opens what is under `path`, as a restart would, and compares with what was promised by the
// instant `taken`. writes: and goes on. NULL: all is well; else what is not, until the next call.
const char *work_check_store(const struct work *work, const char *path, size_t taken, bool writes);
const char *work_check_files(const struct work *work, const char *path, size_t taken, bool writes);
void work_done(struct work *work);
