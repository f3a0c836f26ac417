#pragma once

// The name of a call that a person can read out and an admin can find in the log: eight characters
// that are not easily mistaken for one another (Crockford's base 32 in lower case). Any thread.

#include <stdint.h>

enum { REQUEST_ID_SIZE = 9 }; // with its end

// Of the call with this number in a process with this secret.
void request_id(uint64_t secret, uint64_t number, char text[REQUEST_ID_SIZE]);
