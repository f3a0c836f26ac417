#pragma once

// The dictionary of columns packs (proto/dictionary/folkmoot.dict), which hub and device both hold.
// It is made from texts that were written for it; never from anybody's words, which would outlive
// an erasure in it.

#include <stddef.h>
#include <stdint.h>

extern const uint8_t dictionary[];
extern const size_t dictionary_n;
