#pragma once

// The least names of many ids, as an observer knows them (mask.h): a page in the order of names
// says nothing of who made what, or when. One thread at a time.

#include "sync/mask.h"

enum { NAMES_MAX = 1000 };

struct names {
    struct mask mask;
    uint32_t kind;
    struct bytes after; // a name, or empty: only greater ones
    size_t max;         // how many are wanted; 0: NAMES_MAX
    // From here on its own; all zero in the beginning.
    uint8_t (*p)[ID_SIZE]; // after names_end: the names, ascending
    size_t n;
    size_t settled; // of p: named and sorted
    bool more;      // there are greater names
    enum err err;   // sticks
};

// Adds an id of the kind, as the hub knows it.
void names_add(struct names *names, const uint8_t id[ID_SIZE]);
// No id comes any more: the least names are there, `max` of them. ERR_NOMEM.
enum err names_end(struct names *names) must_check;
void names_done(struct names *names);

#define NAMES_CLEANUP __attribute__((cleanup(names_done)))
