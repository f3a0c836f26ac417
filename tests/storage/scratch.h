#pragma once

// A place on disk for one test, and what is done to it from outside.

#include "storage/store.h"

enum { SCRATCH_MAX = 512 };

struct scratch {
    char folder[SCRATCH_MAX];
    char path[SCRATCH_MAX + 16]; // of the store, within the folder
};

// Makes an empty folder; the store in it is not made yet. Ends the program when it cannot.
void scratch_init(struct scratch *scratch);
// Removes the folder and all in it.
void scratch_done(struct scratch *scratch);
// Opens with a map of 16 MiB. Ends the program when it cannot.
struct store *scratch_open(const struct scratch *scratch);
// Flips the lowest bit of each byte sequence `what` in data.mdb at `at` bytes from its beginning;
// returns how many were found. The store must be closed.
int scratch_flip(const struct scratch *scratch, struct bytes what, size_t at);
// Writes a file below the folder, making the directory of the file first if there is none.
void scratch_write(const struct scratch *scratch, const char *directory, const char *name,
                   const char *text);
bool scratch_has(const struct scratch *scratch, const char *name);
