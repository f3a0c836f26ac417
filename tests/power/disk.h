#pragma once

// The disk at some instant of a trace: what is surely on it, and what hangs in the air. A crash
// leaves of that any part: of unsynced writes any 512-byte sectors, of unsynced entries of
// directories any, or those up to some instant.

#include "tests/power/trace.h"
#include "tests/sync/dice.h"

struct disk;

// A fault of the disk that a test of this harness plants.
enum disk_fault { DISK_SOUND, DISK_FORGETS_SYNCS, DISK_FORGETS_ENTRIES };

struct disk *disk_new(const struct trace *trace, enum disk_fault fault);
void disk_free(struct disk **disk);
// Takes the next event. False: there is none.
bool disk_step(struct disk *disk);
// How many events were taken.
size_t disk_taken(const struct disk *disk);
// How many writes hang in the air, the one that is being made with them.
size_t disk_hanging(const struct disk *disk);
// Makes one state that a crash at this instant may leave, in the empty directory `path`: of the
// first 64 hanging writes, those in `kept` are on the disk (whole), the others are not; torn: dice
// decide of each sector of every hanging write instead. Dice decide of everything else.
void disk_crash(const struct disk *disk, uint64_t kept, bool torn, struct dice *dice,
                const char *path);
