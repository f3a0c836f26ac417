// The former name of scratch.c.

#include "tests/storage/place.h"

#include "tests/storage/scratch.c"
