#pragma once

// What this process does to the files under one directory, in order: the calls of libc are answered
// here, carried out, and noted. One thread.

#include <sys/types.h>

#include "base/buf.h"

enum { TRACE_NAME_MAX = 64, TRACE_ROOT = 0 };

enum trace_what {
    TRACE_ADD,        // an entry `name` of the directory `dir` is this node
    TRACE_REMOVE,     // it is no more
    TRACE_MOVE,       // the node goes to the entry `to_name` of `to_dir`
    TRACE_WRITE,      // bytes of a file
    TRACE_WRITE_SYNC, // the same, on disk when the call returns (O_DSYNC)
    TRACE_TRUNCATE,
    TRACE_SYNC, // of a file or a directory
    TRACE_MARK, // what the workload says: from here on something was promised
};

struct trace_event {
    enum trace_what what;
    uint32_t node;
    uint32_t dir;
    uint32_t to_dir;
    char name[TRACE_NAME_MAX];
    char to_name[TRACE_NAME_MAX];
    off_t at; // where bytes are written, or the new size
    uint8_t *p;
    size_t n;
};

struct trace_node {
    bool is_dir;
    bool is_memory; // mapped and written there: what a crash leaves of it is anything
};

struct trace {
    struct trace_event *events;
    size_t n;
    size_t cap;
    struct trace_node *nodes;
    uint32_t nodes_n;
    uint32_t nodes_cap;
};

// Notes everything under `root` (an absolute path of an empty directory) from now on, until
// trace_end gives it. Whatever goes wrong ends the program.
void trace_begin(const char *root);
// Notes a mark, and answers how many events there are up to it.
size_t trace_mark(void);
struct trace trace_end(void);
void trace_done(struct trace *trace);
