#pragma once

// Exports for people: the records of a community, as its own people or outsiders may see them, in
// one of the forms of export_format.h. Reads the database while the hub may run, a page at a time,
// so that neither memory nor what the hub writes hangs on how much there is. docs/exports.md.

#include "daemon/config.h"

struct export_call {
    const char *community; // daemon/named.h
    const char *file;      // whole or absent; "-": standard output
    const char *as;        // the form's name
    const char *kind;      // NULL: all, or what the form has
    const char *audience;  // NULL: the community
    const char *prefix;    // NULL: none
    bool hxl;
};

// What became of records that are not in the file. Called from the caller's thread; the strings end
// with the call.
struct export_told {
    void (*left_out)(void *arg, const char *kind, const char *id, const char *why);
    void *arg;
};

struct exported {
    uint64_t records;  // written
    uint64_t closed;   // not for this audience; nothing else is told of them
    uint64_t left_out; // told
    bool damaged;      // something that should be there may be missing
};

// ERR_MALFORMED: the call does not fit together, with a sentence. ERR_DAMAGED: the database is, so
// that no more can be read.
enum err export_run(const struct config *config, const struct export_call *call,
                    const struct export_told *told, struct exported *exported,
                    struct fault *fault) must_check;
