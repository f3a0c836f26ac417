#pragma once

#include "tests/fuzz/moot.h"

// Lets the hub answer this request of a device as the daemon does, in a transaction that is aborted
// in the end, and asserts what must hold: a refused request changes nothing and says why; a receipt
// tells what the tables hold; the same request again changes nothing more; the answer is within its
// bounds and every piece opens. Returns how the push ended; `receipt` (may be NULL) gets the first
// receipt's standing and seq when there is one, else zeros.
enum err serve(const struct moot_device *device, const struct sync_request *request,
               struct receipt *receipt);
