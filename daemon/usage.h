#pragma once

// What this process and the disk below it have used up, as the kernel says. Any thread.

#include <stdbool.h>
#include <stdint.h>

struct usage {
    uint64_t resident_bytes; // 0: not known
    uint64_t open_files;     // 0: not known
    uint64_t files_max;      // 0: not known, or no limit
};

struct usage usage_of_process(void);
// Of the file system of this path: what is left for this process, and whether it may only be read.
// False: not known.
bool usage_of_disk(const char *path, uint64_t *free_bytes, bool *only_reads);
