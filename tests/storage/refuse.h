#pragma once

// The n-th call of a kind is refused: calls of our own rooms to LMDB, to the system and for memory,
// wrapped by the linker. Once; what comes after goes on. One thread.

#include <stdbool.h>

// Kinds that stand for many; else the name of one call.
#define REFUSE_MEMORY "memory"
#define REFUSE_LMDB   "lmdb"
#define REFUSE_FILES  "files"

// Instead of an error: the call does half of what it should (pread, pwrite, read, write).
enum { REFUSE_SHORT = -1 };

// The nth call (from 1) of the kind fails with this error: an errno, or a code of LMDB.
void refuse(const char *kind, unsigned nth, int error);
// No more. Whether one was refused.
bool refuse_end(void);
