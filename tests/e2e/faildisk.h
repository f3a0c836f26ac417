#pragma once

// What a test and the disk of the hub that it preloads (faildisk.c) share: a file that both map,
// named by the environment's FAILDISK_FILE.

#include <stdatomic.h>
#include <stdint.h>

struct faildisk {
    _Atomic uint64_t operations; // so far: writes, syncs, truncations, renames
    _Atomic uint64_t fails_from; // the first that fails; 0: none
    _Atomic uint64_t fails_to;   // the last
    _Atomic int code;            // of errno
    _Atomic uint64_t failed;     // how many did
};

#define FAILDISK_FILE "FOLKMOOT_FAILDISK"
