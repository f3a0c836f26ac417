#pragma once

// A place on disk for one test, and what is done to it from outside.

#include "storage/store.h"

enum { PLACE_MAX = 512 };

struct place {
    char folder[PLACE_MAX];
    char path[PLACE_MAX + 16]; // of the store, within the folder
};

// Makes an empty folder; the store in it is not made yet. Ends the program when it cannot.
void place_init(struct place *place);
// Removes the folder and all in it.
void place_done(struct place *place);
// Opens with a map of 16 MiB. Ends the program when it cannot.
struct store *place_open(const struct place *place);
// Flips the lowest bit of each byte sequence `what` in data.mdb at `at` bytes from its beginning;
// returns how many were found. The store must be closed.
int place_flip(const struct place *place, struct bytes what, size_t at);
// Writes a file below the folder, making the directory of the file first if there is none.
void place_write(const struct place *place, const char *directory, const char *name,
                 const char *text);
bool place_has(const struct place *place, const char *name);
