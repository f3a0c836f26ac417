#pragma once

// The former name of scratch.h, for those who still call it so.

#include "tests/storage/scratch.h"

#define place      scratch
#define place_init scratch_init
#define place_done scratch_done
