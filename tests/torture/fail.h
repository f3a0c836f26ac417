#pragma once

// The n-th allocation, or the n-th call into storage, fails: those of our own rooms, wrapped by the
// linker. Once, as real ones do; what comes after goes on. One thread.

#include <stdbool.h>
#include <stdint.h>

enum fail_what {
    FAIL_MEMORY,       // malloc, calloc, realloc, strdup: NULL
    FAIL_STORAGE,      // a call into LMDB or to a file: not carried out, EIO
    FAIL_STORAGE_LATE, // the same, but it was carried out and nobody is told
    FAIL_ROW_MISSING,  // a row that is read is not there
    FAIL_ROW_GONE,     // the same, and nothing beside it says so
    FAIL_ROW_DAMAGED   // a bit of it is another
};

enum fail_call { CALL_FOR_MEMORY, CALL_FOR_A_ROW, CALL_THAT_READS, CALL_OF_STORAGE };

void fail_arm(enum fail_what what, uint64_t n);
// No more. Whether it has failed.
bool fail_disarm(void);
// For a while nothing fails, and nothing is counted. Whether it was so before.
bool fail_pause(bool pauses);
// Counts a call, and says whether it is the one: for wraps of a test's own.
bool fail_now(enum fail_call call);
// Calls of that kind between the two.
uint64_t fail_counted(void);
